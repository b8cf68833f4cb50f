package throttle

import (
	"hash/maphash"
	"net/netip"
	"slices"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const networks = 8 // that are remembered of a user who logged in from there

// keys are hashes, so that an entry has one size. Who does not know the seed cannot make two names meet.
type keys struct {
	network, user, pair uint64
}

func (t *Throttle) keys(network netip.Prefix, user string) keys {
	k := keys{network: maphash.Comparable(t.seed, network), user: maphash.String(t.seed, user)}
	k.pair = maphash.Comparable(t.seed, k)
	return k
}

// tag is what is remembered of a password, never 0.
func (t *Throttle) tag(password string) uint16 {
	return max(1, uint16(maphash.String(t.seed, password)))
}

type (
	table = simplelru.LRU[uint64, *entry]

	// known are networks of one user, the last one first.
	known [networks]uint64
)

// tables hold failures, and apart from them successes, so that no number of failures pushes out a success.
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

// resize makes the tables, or changes their size.
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

// entry finds an entry, or makes it.
func (t *tables) entry(c Counter, key uint64) *entry {
	table := t.of(c)
	e, ok := table.Get(key)
	if !ok {
		e = new(entry)
		table.Add(key, e)
	}
	return e
}

// know remembers that the user has logged in from the network.
func (t *tables) know(k keys) {
	n, ok := t.known.Get(k.user)
	if !ok {
		n = new(known)
		t.known.Add(k.user, n)
	}
	at := slices.Index(n[:], k.network)
	if at < 0 {
		at = networks - 1
	}
	copy(n[1:at+1], n[:at])
	n[0] = k.network
}

func (t *tables) knows(k keys) bool {
	n, ok := t.known.Peek(k.user)
	return ok && slices.Contains(n[:], k.network)
}
