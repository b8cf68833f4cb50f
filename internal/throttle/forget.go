package throttle

import (
	"context"
	"net/netip"
	"time"

	"mailauthd/internal/redisdb"
)

// ForgetUser takes back the failures of a user from all networks, also from the counts of those networks.
// It returns the number of counters that were removed. It reads all pairs, and delays other calls meanwhile.
// With shared counters the error is that of Redis; then only this machine has forgotten the failures.
func (t *Throttle) ForgetUser(ctx context.Context, user string, now time.Time) (counters int, err error) {
	here := t.ForgetUserHere(user, now)
	if t.shared == nil {
		return here, nil
	}
	key := t.userKey(user)
	counters, err = t.forgetShared(ctx, "p:*:"+name(key), t.shared.userKey(key))
	return max(here, counters), err
}

// ForgetUserHere is like ForgetUser, but only this machine forgets the failures.
func (t *Throttle) ForgetUserHere(user string, now time.Time) (counters int) {
	key := t.userKey(user)
	if t.shared != nil {
		t.shared.unsent.remove(func(e event) bool { return e.user == key && !e.isSuccess() })
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	counters = t.forgetPairs(func(pair *entry) bool { return pair.user == key }, now)
	return counters + forget(t.tables.users, key)
}

// ForgetNetwork takes back the failures of the network of a client. It keeps what they have added to the
// counts of users, because that is not recorded. Otherwise it is like ForgetUser.
func (t *Throttle) ForgetNetwork(ctx context.Context, client netip.Addr, now time.Time) (counters int, err error) {
	here := t.ForgetNetworkHere(client, now)
	if t.shared == nil {
		return here, nil
	}
	network, _ := t.network(client)
	key := t.networkKey(network)
	counters, err = t.forgetShared(ctx, "p:"+name(key)+":*", t.shared.networkKey(key))
	return max(here, counters), err
}

// ForgetNetworkHere is like ForgetNetwork, but only this machine forgets the failures.
func (t *Throttle) ForgetNetworkHere(client netip.Addr, now time.Time) (counters int) {
	network, _ := t.network(client)
	key := t.networkKey(network)
	if t.shared != nil {
		t.shared.unsent.remove(func(e event) bool { return e.network == key && !e.isSuccess() })
	}
	t.mu.Lock()
	defer t.mu.Unlock()
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

// forgetShared removes the pairs in Redis that match a pattern, and then one more counter.
func (t *Throttle) forgetShared(ctx context.Context, pattern, counter string) (counters int, err error) {
	s, config := t.shared, t.configNow()
	if up, _, _ := s.db.Up(); !up {
		return 0, redisdb.ErrSetAside
	}
	err = s.db.Scan(ctx, pattern, func(pair string) error {
		network := s.networkKey(keyOf(pair[len(pair)-2*nameWidth-1 : len(pair)-nameWidth-1]))
		_, err := s.db.Apply(ctx, redisdb.Call{Script: forgetScript, Keys: []string{pair, network}, Args: s.args(&config)})
		counters++
		return err
	})
	if err != nil {
		return counters, err
	}
	n, err := s.db.Delete(ctx, counter)
	return counters + n, err
}
