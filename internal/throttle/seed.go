package throttle

import (
	"context"
	"slices"

	"mailauthd/internal/redisdb"
)

// seedAll brings back what Redis has lost and this machine has seen there: known networks first, because without them
// users are refused whose passwords are being guessed.
func (t *Throttle) seedAll(ctx context.Context, c *Config) error {
	err := t.seedKeys(ctx, t.tables.known.Keys, t.knownSeed)
	for _, of := range []Counter{Pair, User, Network} {
		if err != nil {
			return err
		}
		seed := func(key uint64) (redisdb.Call, bool) { return t.counterSeed(c, of, key) }
		err = t.seedKeys(ctx, t.tables.of(of).Keys, seed)
	}
	return err
}

// seedKeys makes the calls of all keys. It holds the lock for one batch at a time, because logins wait for it.
func (t *Throttle) seedKeys(ctx context.Context, keys func() []uint64, seed func(uint64) (redisdb.Call, bool)) error {
	t.mu.Lock()
	all := keys()
	t.mu.Unlock()
	for batch := range slices.Chunk(all, maxBatch) {
		if err := t.shared.db.RunAll(ctx, t.seeds(batch, seed)); err != nil {
			return err
		}
	}
	return nil
}

func (t *Throttle) seeds(batch []uint64, seed func(uint64) (redisdb.Call, bool)) (calls []redisdb.Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range batch {
		if call, ok := seed(key); ok {
			calls = append(calls, call)
		}
	}
	return calls
}

// knownSeed returns the call that brings back the known networks of a user, unless they were evicted.
func (t *Throttle) knownSeed(user uint64) (redisdb.Call, bool) {
	n, ok := t.tables.known.Peek(user)
	if !ok {
		return redisdb.Call{}, false
	}
	return redisdb.Call{
		Script: seedKnownScript,
		Keys:   []string{t.shared.knownKey(user)},
		Args:   []any{n.names(), knownKept.Milliseconds(), n.written},
	}, true
}

// counterSeed returns the call that brings back a counter, unless it was evicted or never seen in Redis. A count of 0 is
// brought back, because on this machine a success has cleared it.
func (t *Throttle) counterSeed(c *Config, of Counter, key uint64) (redisdb.Call, bool) {
	e, ok := t.tables.of(of).Peek(key)
	if !ok || e.seenAt == 0 {
		return redisdb.Call{}, false
	}
	return redisdb.Call{
		Script: seedScript,
		Keys:   []string{t.shared.keyOf(of, key, e)},
		Args:   t.shared.args(c, e.seen, e.seenAt, e.tagsText(), most(c.limit(of))),
	}, true
}

// keyOf returns the key in Redis of a local entry.
func (s *shared) keyOf(c Counter, key uint64, e *entry) string {
	switch c {
	case Pair:
		return s.pairKey(e.network, e.user)
	case Network:
		return s.networkKey(key)
	}
	return s.userKey(key)
}
