package throttle

import (
	"context"
	"slices"

	"mailauthd/internal/redisdb"
)

// seedAll brings back what Redis has lost and this machine has seen there: known networks first, because without them
// users are refused whose passwords are being guessed.
func (t *Throttle) seedAll(ctx context.Context, c *Config) error {
	for batch := range slices.Chunk(t.seeds(c), maxBatch) {
		if err := t.shared.db.RunAll(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// seeds returns the calls that bring back what this machine has seen.
func (t *Throttle) seeds(c *Config) (calls []redisdb.Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.shared
	for _, user := range t.tables.known.Keys() {
		n, _ := t.tables.known.Peek(user)
		calls = append(calls, redisdb.Call{Script: seedKnownScript, Keys: []string{s.knownKey(user)}, Args: []any{n.names(), knownKept.Milliseconds()}})
	}
	for _, of := range []Counter{Pair, User, Network} {
		for _, key := range t.tables.of(of).Keys() {
			e, _ := t.tables.of(of).Peek(key)
			if e.seenAt == 0 {
				continue // a count of 0 is brought back: on this machine a success has cleared it
			}
			calls = append(calls, redisdb.Call{
				Script: seedScript,
				Keys:   []string{s.keyOf(of, key, e)},
				Args:   s.args(c, e.seen, e.seenAt, e.tagsText(), most(c.limit(of))),
			})
		}
	}
	return calls
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
