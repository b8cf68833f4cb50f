package throttle

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"mailauthd/internal/redisdb"
	"mailauthd/internal/testprogram"
)

// store is where the counters of a scene are. The same tests run in each.
type store struct {
	name   string
	rounds int // of a test with random steps
	redis  func(t *testing.T) (address string)
	at     string // its address while a test runs
}

// stores has miniredis for the fast tests, and redis-server for the others.
var stores = []store{
	{name: "local", rounds: 100_000},
	{name: "miniredis", rounds: 300, redis: func(t *testing.T) string {
		if !testing.Short() {
			t.Skip("redis-server is tested")
		}
		return miniredis.RunT(t).Addr()
	}},
	{name: "redis", rounds: 2000, redis: func(t *testing.T) string {
		if testing.Short() {
			t.Skip("starts redis-server")
		}
		return redisdb.Unix + testprogram.Redis(t)
	}},
}

// inEachStore runs a test in each store.
func inEachStore(t *testing.T, test func(t *testing.T, st store)) {
	for _, st := range stores {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			if st.redis != nil {
				st.at = st.redis(t)
			}
			test(t, st)
		})
	}
}

func (st store) scene(t *testing.T, c Config) *scene {
	t.Helper()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	s := &scene{T: t, now: now, chosen: map[string]string{}, tags: map[uint16]bool{}}
	if st.redis == nil {
		s.throttle = must(New(c, now))(t)
		return s
	}
	s.throttle = shareAt(t, c, now, st.at)
	sh := s.throttle.shared
	sh.now, sh.fixed = func() time.Time { return s.now }, true
	return s
}

func must(throttle *Throttle, err error) func(t *testing.T) *Throttle {
	return func(t *testing.T) *Throttle {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return throttle
	}
}

// sites counts the sites of the tests, because several use one Redis.
var sites atomic.Int64

// patient is long enough for a loaded machine.
const patient = time.Minute

// shareAt returns a throttle whose counters are in the Redis at an address. Nothing else uses them.
func shareAt(t *testing.T, c Config, now time.Time, redis string) *Throttle {
	t.Helper()
	return shareWith(t, c, now, redis, fmt.Sprintf("test%d:", sites.Add(1)), func(c redisdb.Change) {
		if !c.Up {
			t.Errorf("redis is set aside: %v", c.Err)
		}
	})
}

// shareWith is like shareAt, but the prefix may be that of other throttles.
func shareWith(t *testing.T, c Config, now time.Time, redis, prefix string, changed func(redisdb.Change)) *Throttle {
	t.Helper()
	up := make(chan struct{}, 1)
	db := redisdb.New(redisdb.Config{
		Addresses: []string{redis},
		Prefix:    prefix,
		Timeout:   patient,
		Secret:    []byte("a secret of sixteen bytes or more"),
	}, redisdb.Handler{Changed: func(c redisdb.Change) {
		changed(c)
		select {
		case up <- struct{}{}:
		default:
		}
	}})
	throttle := must(NewShared(c, db, now))(t)
	throttle.Register()
	ctx, cancel := context.WithCancel(context.Background())
	kept := make(chan struct{})
	go func() { defer close(kept); db.Keep(ctx) }()
	t.Cleanup(func() { cancel(); <-kept; db.Close() })
	<-up
	return throttle
}
