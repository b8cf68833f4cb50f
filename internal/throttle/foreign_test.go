package throttle

import (
	"testing"

	"mailauthd/internal/redisdb"
)

var spoilScript = redisdb.NewScript(`
redis.call('DEL', KEYS[1])
redis.call(ARGV[1] == 'list' and 'RPUSH' or 'SET', KEYS[1], ARGV[1])
return {redis.call('HGET', KEYS[2], 'id'), tonumber(redis.call('HGET', KEYS[2], 'writes')), 0}
`)

// What is not an entry counts as none, and does not set Redis aside.
func TestForeignValues(t *testing.T) {
	t.Parallel()
	inEachStore(t, func(t *testing.T, st store) {
		if st.redis == nil {
			t.Skip("nothing is shared")
		}
		for _, value := range []string{"", "x", "nan,1,,0,0,0", "inf,1,,0,0,0", "-5,1,,0,0,0", "1,x,,0,0,0", "1,1,,x,0,0", "1,1,,0,,0", "1,1,,0,0", "list"} {
			s := st.scene(t, Defaults())
			sh := s.throttle.shared
			network, _ := s.throttle.network(addr(home))
			k := s.throttle.keys(network, bob)
			keys := []string{sh.pairKey(k.network, k.user), sh.networkKey(k.network), sh.userKey(k.user), sh.knownKey(k.user)}
			spoil := func() {
				for _, key := range keys {
					if _, err := sh.db.Apply(t.Context(), redisdb.Call{Script: spoilScript, Keys: []string{key}, Args: []any{value}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			spoil()
			if v := s.check(home, bob); !v.Allowed || v.Penalty != Defaults().Penalty {
				t.Errorf("%q: %+v", value, v)
			}
			s.throttle.Succeed(t.Context(), addr(home), bob, s.now)
			spoil()
			for range 10 {
				s.guess(home, bob)
			}
			if v := s.check(home, bob); v.Over != Pair {
				t.Errorf("%q: after 10 guesses %+v", value, v)
			}
			spoil()
			if err := s.throttle.seedAll(t.Context(), &s.throttle.config); err != nil {
				t.Errorf("%q: %v", value, err)
			}
			if v := s.check(home, bob); v.Over != Pair {
				t.Errorf("%q: after 10 guesses that were brought back %+v", value, v)
			}
		}
	})
}
