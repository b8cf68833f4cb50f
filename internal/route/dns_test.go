package route

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// dns is a fake name service.
type dns struct {
	mu      sync.Mutex
	answers map[string][]netip.Addr
	delay   map[string]time.Duration
	asked   []string
}

var errNoSuchHost = errors.New("no such host")

func newDNS() *dns {
	return &dns{answers: make(map[string][]netip.Addr), delay: make(map[string]time.Duration)}
}

func (d *dns) set(host string, addrs ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers[host] = nil
	for _, a := range addrs {
		d.answers[host] = append(d.answers[host], netip.MustParseAddr(a))
	}
}

func (d *dns) fail(host string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.answers, host)
}

func (d *dns) lookup(ctx context.Context, network, host string) ([]netip.Addr, error) {
	d.mu.Lock()
	addrs, ok := d.answers[host]
	delay := d.delay[host]
	d.asked = append(d.asked, network+" "+host)
	d.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if !ok {
		return nil, errNoSuchHost
	}
	return addrs, nil
}

// questions returns the lookups since the last call, sorted.
func (d *dns) questions() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := d.asked
	d.asked = nil
	slices.Sort(asked)
	return asked
}
