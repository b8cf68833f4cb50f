package users

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"slices"
)

// MaxDecoys is the largest number of decoys of a domain.
const MaxDecoys = 64

// seed is the key that the choice of decoys depends on.
var seed = maphash.MakeSeed()

// Decoys are users of a domain who may be chosen for its unknown names: those with the lowest hashes of all that
// were added. The zero Decoys is empty. It may be read concurrently, but not changed.
type Decoys struct{ list []decoy } // ordered by hash

// decoy is a user who may be chosen for an unknown name. The choice is made by rendezvous
// hashing, so that adding or removing a user changes the decoys of few names.
type decoy struct {
	user *User
	hash uint64 // of the user's name
}

// score returns the score of the decoy for the hash of a name. Both hashes depend on the key
// already, so a cheap mix is enough. It must be cheap, because each choice scores all decoys.
func (d decoy) score(name uint64) uint64 {
	high, low := bits.Mul64(d.hash^name, 0x9e3779b97f4a7c15)
	return high ^ low
}

// Add adds a user with a password, or replaces one of the same name.
func (d *Decoys) Add(u *User) { d.add(decoy{u, maphash.String(seed, u.Name)}) }

func (d *Decoys) add(added decoy) {
	if len(d.list) == MaxDecoys && added.hash > d.list[MaxDecoys-1].hash {
		return
	}
	i, found := slices.BinarySearchFunc(d.list, added, func(a, b decoy) int { return cmp.Compare(a.hash, b.hash) })
	switch {
	case found:
		d.list[i] = added
	case len(d.list) < MaxDecoys:
		d.list = slices.Insert(d.list, i, added)
	case i < MaxDecoys:
		copy(d.list[i+1:], d.list[i:])
		d.list[i] = added
	}
}

// Choose returns the decoy of a name, nil if there are none. It is always the same one while the decoys are.
func (d *Decoys) Choose(name string) *User {
	if d == nil || len(d.list) == 0 {
		return nil
	}
	hash := maphash.String(seed, name)
	best := d.list[0]
	for _, other := range d.list[1:] {
		if other.score(hash) > best.score(hash) {
			best = other
		}
	}
	return best.user
}
