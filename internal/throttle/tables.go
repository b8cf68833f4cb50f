package throttle

import (
	"hash/maphash"
	"net/netip"
	"slices"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const networks = 8 // the largest number of known networks of a user

// keys are hashes, so that all entries have the same size. An attacker does not know the seed, and so cannot
// find names whose hashes collide.
type keys struct {
	network, user, pair uint64
}

func (t *Throttle) keys(network netip.Prefix, user string) keys {
	k := keys{network: t.networkKey(network), user: t.userKey(user)}
	k.pair = maphash.Comparable(t.seed, k)
	return k
}

func (t *Throttle) networkKey(network netip.Prefix) uint64 {
	if t.shared != nil {
		return t.shared.db.Hash('n', network.String())
	}
	return maphash.Comparable(t.seed, network)
}

func (t *Throttle) userKey(user string) uint64 {
	if t.shared != nil {
		return t.shared.db.Hash('u', user)
	}
	return maphash.String(t.seed, user)
}

// tag returns 16 bits of a hash of a password, never 0.
func (t *Throttle) tag(password string) uint16 {
	if t.shared != nil {
		return max(1, uint16(t.shared.db.Hash('t', password)))
	}
	return max(1, uint16(maphash.String(t.seed, password)))
}

type (
	table = simplelru.LRU[uint64, *entry]

	// known has the keys of the known networks of a user, the last one first.
	known struct {
		networks [networks]uint64
		written  int64 // when it was written in Redis, by Redis's clock; 0: never seen there
		fresh    bool  // whether Redis has it, and has got it in the last knownRefresh
	}
)

// tables hold failures, and successes in a table of their own, so that failures cannot evict successes.
type tables struct {
	networks, users, pairs *table
	known                  *simplelru.LRU[uint64, *known]
}

func (t *tables) of(c Counter) *table {
	switch c {
	case Pair:
		return t.pairs
	case Network:
		return t.networks
	}
	return t.users
}

// resize makes the tables, or changes the size of existing ones.
func (t *tables) resize(size int) error {
	for _, tb := range []**table{&t.networks, &t.users, &t.pairs} {
		if err := resize(tb, size); err != nil {
			return err
		}
	}
	return resize(&t.known, size)
}

func resize[V any](t **simplelru.LRU[uint64, V], size int) (err error) {
	if *t == nil {
		*t, err = simplelru.NewLRU[uint64, V](size, nil)
		return err
	}
	(*t).Resize(size)
	return nil
}

// entry returns the entry of a key, which it makes if there is none.
func (t *tables) entry(c Counter, key uint64) *entry {
	table := t.of(c)
	e, ok := table.Get(key)
	if !ok {
		e = new(entry)
		table.Add(key, e)
	}
	return e
}

// know makes the network a known network of the user.
func (t *tables) know(k keys) {
	n, ok := t.known.Get(k.user)
	if !ok {
		n = new(known)
		t.known.Add(k.user, n)
	}
	at := slices.Index(n.networks[:], k.network)
	if at < 0 {
		at = networks - 1
	}
	copy(n.networks[1:at+1], n.networks[:at])
	n.networks[0] = k.network
}

// knows reports whether the network is a known network of the user.
func (t *tables) knows(k keys) bool {
	n, ok := t.known.Peek(k.user)
	return ok && slices.Contains(n.networks[:], k.network)
}
