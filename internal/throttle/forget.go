package throttle

import (
	"hash/maphash"
	"net/netip"
	"time"
)

// ForgetUser takes back a user's failures, from wherever they came, also from the networks that they were
// added to, and tells how many counters were forgotten. It looks at all pairs, and others wait meanwhile.
func (t *Throttle) ForgetUser(user string, now time.Time) (counters int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := maphash.String(t.seed, user)
	counters = t.forgetPairs(func(pair *entry) bool { return pair.user == key }, now)
	return counters + forget(t.tables.users, key)
}

// ForgetNetwork does the same for the network of a client. What its failures have added to
// users' counters stays: it is not known any more.
func (t *Throttle) ForgetNetwork(client netip.Addr, now time.Time) (counters int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	network, _ := t.config.Network(client)
	key := maphash.Comparable(t.seed, network)
	counters = t.forgetPairs(func(pair *entry) bool { return pair.network == key }, now)
	return counters + forget(t.tables.networks, key)
}

func (t *Throttle) forgetPairs(of func(pair *entry) bool, now time.Time) (counters int) {
	for _, key := range t.tables.pairs.Keys() {
		if e, _ := t.tables.pairs.Peek(key); of(e) {
			t.takeBack(e, now.Sub(t.start))
			counters += forget(t.tables.pairs, key)
		}
	}
	return counters
}

func forget(t *table, key uint64) (counters int) {
	if t.Remove(key) {
		return 1
	}
	return 0
}
