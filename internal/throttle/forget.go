package throttle

import (
	"hash/maphash"
	"net/netip"
	"time"
)

// ForgetUser takes back the failures of a user from all networks, also from the counts of those networks.
// It returns the number of counters that were removed. It reads all pairs, and delays other calls meanwhile.
func (t *Throttle) ForgetUser(user string, now time.Time) (counters int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := maphash.String(t.seed, user)
	counters = t.forgetPairs(func(pair *entry) bool { return pair.user == key }, now)
	return counters + forget(t.tables.users, key)
}

// ForgetNetwork takes back the failures of the network of a client. It keeps what they have added to the
// counts of users, because that is not recorded. Otherwise it is like ForgetUser.
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
