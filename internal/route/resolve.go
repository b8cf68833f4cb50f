package route

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Limits of name resolution.
const (
	ResolveInterval = 60 * time.Second // between two looks at a name
	RetryInterval   = 5 * time.Second  // the same, for a name without an address
	ResolveTimeout  = 5 * time.Second  // for one look
)

// LookupFunc finds the addresses of a host name, as [net.Resolver.LookupNetIP] does.
type LookupFunc func(ctx context.Context, network, host string) ([]netip.Addr, error)

// Resolver knows the addresses of server names. It outlives reloads, so that a name
// which is known stays known.
type Resolver struct {
	lookup LookupFunc

	mu    sync.RWMutex
	known map[string]netip.Addr
	names []string // to keep fresh
}

// NewResolver makes a resolver; a nil lookup is the system's.
func NewResolver(lookup LookupFunc) *Resolver {
	if lookup == nil {
		lookup = net.DefaultResolver.LookupNetIP
	}
	return &Resolver{lookup: lookup, known: make(map[string]netip.Addr)}
}

// Addr is the address of a host, which may be an address itself. It is false for a
// name that has never been resolved.
func (r *Resolver) Addr(host string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a, true
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	a, ok := r.known[host]
	return a, ok
}

// Watch sets which hosts are kept fresh, and resolves those that are not known
// yet. Its errors are warnings: each is one name that has no address so far.
func (r *Resolver) Watch(ctx context.Context, hosts []string) []error {
	var names []string
	for _, host := range hosts {
		if _, err := netip.ParseAddr(host); err != nil && !slices.Contains(names, host) {
			names = append(names, host)
		}
	}
	r.mu.Lock()
	r.names = names
	r.mu.Unlock()
	return r.resolve(ctx, r.missing())
}

// Watched are the names that are kept fresh.
func (r *Resolver) Watched() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.names)
}

// Run keeps the watched names fresh until ctx ends, and looks sooner again at those
// that have no address yet. It reports each name that it fails to resolve; the last
// good address of such a name stays.
func (r *Resolver) Run(ctx context.Context, report func(error)) {
	all, missing := time.NewTicker(ResolveInterval), time.NewTicker(RetryInterval)
	defer all.Stop()
	defer missing.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-missing.C:
			r.resolve(ctx, r.missing())
		case <-all.C:
			for _, err := range r.resolve(ctx, r.prune()) {
				report(err)
			}
		}
	}
}

// missing are the watched names without an address.
func (r *Resolver) missing() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(r.names), func(name string) bool { return r.known[name].IsValid() })
}

// prune forgets the names that are watched no more, and returns the others. That is
// not done at once: requests that began before a reload may still need them.
func (r *Resolver) prune() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.known, func(name string, _ netip.Addr) bool { return !slices.Contains(r.names, name) })
	return r.names
}

// resolve looks names up, all at the same time.
func (r *Resolver) resolve(ctx context.Context, names []string) []error {
	ctx, cancel := context.WithTimeout(ctx, ResolveTimeout)
	defer cancel()
	failed := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { failed[i] = r.resolveOne(ctx, name) })
	}
	wg.Wait()
	var errs []error
	for _, err := range failed {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

func (r *Resolver) resolveOne(ctx context.Context, name string) error {
	addrs, err := r.lookup(ctx, "ip", name)
	if err == nil && len(addrs) == 0 {
		err = fmt.Errorf("no address")
	}
	if err != nil {
		return fmt.Errorf("host %q: %w", name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[name] = addrs[0].Unmap()
	return nil
}
