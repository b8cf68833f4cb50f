package auth

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// joinFor waits as a login with this context does.
func joinFor(ctx context.Context) func(done <-chan struct{}) error {
	return func(done <-chan struct{}) error {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestSharedProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShared()
		var proofs atomic.Int32
		prove := func(ctx context.Context) verdict {
			proofs.Add(1)
			select {
			case <-ctx.Done():
				return verdict{detail: "stopped"}
			case <-time.After(time.Second):
				return verdict{detail: "answer"}
			}
		}
		want := func(ctx context.Context, detail string) {
			if v := s.prove(ctx, "bob", joinFor(ctx), prove); !strings.HasPrefix(v.detail, detail) {
				t.Errorf("%q, want %q", v.detail, detail)
			}
		}
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { want(t.Context(), "answer") })
		}
		wg.Wait()
		if proofs.Load() != 1 {
			t.Errorf("proved %d times", proofs.Load())
		}
		// The first login may go without an end to the others.
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() { want(ctx, "same login as one") })
		synctest.Wait()
		wg.Go(func() { want(t.Context(), "answer") })
		synctest.Wait()
		cancel()
		wg.Wait()
		if proofs.Load() != 2 {
			t.Errorf("proved %d times", proofs.Load())
		}
	})
}

// When no login waits any more there is nothing to prove, and nothing is left behind.
func TestSharedProofForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShared()
		stopped := 0
		prove := func(ctx context.Context) verdict {
			<-ctx.Done() // or the test does not end
			stopped++
			return verdict{detail: "late"}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if v := s.prove(ctx, "bob", joinFor(ctx), prove); !strings.HasPrefix(v.detail, "same login as one") {
					t.Errorf("%+v", v)
				}
			})
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		v := s.prove(t.Context(), "bob", nil, func(context.Context) verdict { return verdict{detail: "answer"} })
		if v.detail != "answer" {
			t.Errorf("the next one got %+v", v)
		}
		synctest.Wait()
		if stopped != 1 || len(s.proofs) > 0 {
			t.Errorf("stopped %d times, %d keys left", stopped, len(s.proofs))
		}
	})
}
