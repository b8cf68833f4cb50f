package limit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// After random calls no bound was exceeded, every caller got a result, and no state is left.
func TestRandomCallers(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 1))
				g := NewGroup(Bounds{Callers: 20})
				l := g.NewLimiter(Config{Slots: 5, Reserved: 2, Waiting: 12})
				var mu sync.Mutex
				holding, refused, gaveUp := make(map[Client]int), 0, 0
				check := func(c Client) {
					all, unknowns := 0, 0
					for c, n := range holding {
						all += n
						if !c.known() {
							unknowns += n
						}
					}
					if all > 5 || unknowns > 3 || !c.Trusted && holding[c] > 3 {
						t.Errorf("%d have a slot, %d of unknown networks, %d of one", all, unknowns, holding[c])
					}
				}
				var callers sync.WaitGroup
				for range 300 {
					c := []Client{unknown(r.IntN(4)), known(10 + r.IntN(4)), trusted}[r.IntN(3)]
					begin, patience, took := time.Duration(r.IntN(1000)), time.Duration(1+r.IntN(300)), time.Duration(r.IntN(50))
					callers.Go(func() {
						time.Sleep(begin)
						ctx, cancel := context.WithTimeout(t.Context(), patience)
						defer cancel()
						slot, err := l.Acquire(ctx, time.Hour, c)
						if all, _ := g.Callers(); all > 20 {
							t.Errorf("%d callers", all)
						}
						mu.Lock()
						defer mu.Unlock()
						switch {
						case errors.Is(err, ErrFull):
							refused++
							return
						case err != nil:
							gaveUp++
							return
						}
						holding[c]++
						check(c)
						mu.Unlock()
						time.Sleep(took)
						mu.Lock()
						holding[c]--
						slot.Release()
					})
				}
				callers.Wait()
				wantEmpty(t, l)
				if refused == 0 || gaveUp == 0 {
					t.Errorf("%d refused, %d gave up: the test is too easy", refused, gaveUp)
				}
			})
		})
	}
}

func BenchmarkAcquire(b *testing.B) {
	l := NewGroup(Bounds{Callers: 100}).NewLimiter(Config{Slots: 10, Reserved: 5, Waiting: 10})
	b.ReportAllocs()
	for b.Loop() {
		slot, err := l.Acquire(b.Context(), time.Hour, known(1))
		if err != nil {
			b.Fatal(err)
		}
		slot.Release()
	}
}
