package route

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"mailauthd/internal/upstream"
)

// CheckTimeout is how long one background probe may take.
const CheckTimeout = 10 * time.Second

// ProbeFunc returns an error if a server does not answer on a protocol.
type ProbeFunc func(ctx context.Context, s *Server, protocol string) error

// Run probes each server that has a CheckInterval, on each protocol on which it is asked, until
// ctx ends. It reports the results to the breakers. A server that is set aside is probed too,
// and is back as soon as it answers. Run returns when all probes have returned.
func (h *Health) Run(ctx context.Context, probe ProbeFunc) {
	var wg sync.WaitGroup
	for _, s := range h.servers {
		if s.CheckInterval <= 0 {
			continue
		}
		for _, protocol := range s.CheckProtocols() {
			wg.Go(func() { h.probeServer(ctx, s, protocol, probe) })
		}
	}
	wg.Wait()
}

func (h *Health) probeServer(ctx context.Context, s *Server, protocol string, probe ProbeFunc) {
	next := time.NewTimer(rand.N(s.CheckInterval)) // not all servers at the same time
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

// probeOnce calls probe with a timeout. It turns a panic into an error, because a probe reads
// what another machine sends, and a panic in this goroutine would end the process.
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
