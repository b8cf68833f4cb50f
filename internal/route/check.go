package route

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"mailauthd/internal/upstream"
)

// CheckTimeout bounds one check in the background.
const CheckTimeout = 10 * time.Second

// ProbeFunc finds out whether a server answers by a protocol.
type ProbeFunc func(ctx context.Context, s *Server, protocol string) error

// Check probes, until ctx ends, each server that has a CheckInterval, by each protocol that it is asked by,
// and tells the breaker: also while the server is set aside, so that it is back as soon as a probe finds
// it. Check returns when all probes have.
func (h *Health) Check(ctx context.Context, probe ProbeFunc) {
	var wg sync.WaitGroup
	for _, s := range h.servers {
		if s.CheckInterval <= 0 {
			continue
		}
		for _, protocol := range s.CheckProtocols() {
			wg.Go(func() { h.checkServer(ctx, s, protocol, probe) })
		}
	}
	wg.Wait()
}

func (h *Health) checkServer(ctx context.Context, s *Server, protocol string, probe ProbeFunc) {
	next := time.NewTimer(rand.N(s.CheckInterval)) // not all servers at one time
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		ticket := h.Of(s, protocol).Ticket()
		if err := probeOnce(ctx, s, protocol, probe); err == nil {
			ticket.Answered()
		} else if ctx.Err() == nil && !upstream.Starved(err) {
			ticket.Failed(fmt.Errorf("check: %w", err))
		}
		next.Reset(s.CheckInterval)
	}
}

// probeOnce makes an error of a panic, which would end the process here: what a probe
// reads is another machine's.
func probeOnce(ctx context.Context, s *Server, protocol string, probe ProbeFunc) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic (%T)", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, CheckTimeout)
	defer cancel()
	return probe(ctx, s, protocol)
}
