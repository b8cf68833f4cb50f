package users

import "math/bits"

// index finds users by name and the hash of the name. It is a hash table with linear probing. A Go map takes more than
// twice as much memory, because it holds the names as well.
type index struct {
	tags  []uint8 // bits of the hashes, so that few users with another name are looked at; 0: the slot is empty
	users []*User
}

// newIndex returns an index with room for n users.
func newIndex(n int) index {
	size := 1 << bits.Len(uint(n+n/3)) // at most three of four slots are used
	return index{make([]uint8, size), make([]*User, size)}
}

// slot returns the slot of a name, or else an empty slot, with the tag of the name.
func (x *index) slot(name string, hash uint64) (i uint64, tag uint8) {
	tag = uint8(hash>>56) | 1
	mask := uint64(len(x.tags) - 1)
	for i = hash & mask; x.tags[i] != 0; i = (i + 1) & mask {
		if x.tags[i] == tag && x.users[i].Name == name {
			break
		}
	}
	return i, tag
}

// find returns nil if no user has the name.
func (x *index) find(name string, hash uint64) *User {
	if len(x.tags) == 0 { // of the zero Map
		return nil
	}
	i, _ := x.slot(name, hash)
	return x.users[i]
}

// add adds a user, whose name must be a new one.
func (x *index) add(u *User, hash uint64) {
	i, tag := x.slot(u.Name, hash)
	x.tags[i], x.users[i] = tag, u
}
