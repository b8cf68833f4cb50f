package throttle

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"mailauthd/internal/redisdb"
)

// Try runs the scripts on counters of no user, and removes these counters.
func Try(ctx context.Context, db *redisdb.Client) error {
	t, err := NewShared(Defaults(), db, time.Now())
	if err != nil {
		return err
	}
	s, k := t.shared, keys{network: rand.Uint64(), user: rand.Uint64()}
	pair, network, user, known := s.pairKey(k.network, k.user), s.networkKey(k.network), s.userKey(k.user), s.knownKey(k.user)
	defer func() {
		for _, key := range []string{pair, network, user, known} {
			_, _ = db.Delete(ctx, key) // else it ends by itself
		}
	}()
	if _, err := db.Apply(ctx, s.readCall(k)); err != nil {
		return err
	}
	counted, err := db.Apply(ctx, s.failCall(&t.config, k, 1, 0))
	if err != nil {
		return err
	}
	if len(counted) != 4 || (reply{}).entry(counted[1], k) == nil || (reply{}).entry(counted[1], k).count != 1 {
		return fmt.Errorf("a script has not counted a failure: it returned %v", counted)
	}
	if err := db.RunAll(ctx, []redisdb.Call{s.succeedCall(&t.config, k, 0)}); err != nil {
		return err
	}
	return db.Scan(ctx, "p:"+name(k.network)+":*", func(pair string) error {
		_, err := db.Apply(ctx, redisdb.Call{Script: forgetScript, Keys: []string{pair, network}, Args: s.args(&t.config)})
		return err
	})
}
