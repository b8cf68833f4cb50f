package route

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Limits of name resolution.
const (
	ResolveInterval = 60 * time.Second // between two looks at a name, unless configured
	RetryInterval   = 5 * time.Second  // the same, for a name without an address
	ResolveTimeout  = 5 * time.Second  // for one look
	MaxAddrs        = 32               // of one name; the others are not used
)

// LookupFunc finds the addresses of a host name, as [net.Resolver.LookupNetIP] does.
type LookupFunc func(ctx context.Context, network, host string) ([]netip.Addr, error)

// Names say what to resolve, and how.
type Names struct {
	Hosts      []string      // names, and addresses, which need no lookup
	Interval   time.Duration // between two looks at a name; 0: ResolveInterval
	PreferIPv6 bool          // for a name with addresses of both kinds
}

// Resolver knows the addresses of server names. It outlives reloads, so that a name
// which is known stays known.
type Resolver struct {
	lookup  LookupFunc
	retimed chan struct{} // wakes Run when the interval has changed

	mu         sync.RWMutex
	hosts      map[string]*host
	interval   time.Duration
	preferIPv6 bool
}

// NewResolver makes a resolver; a nil lookup is the system's.
func NewResolver(lookup LookupFunc) *Resolver {
	if lookup == nil {
		lookup = net.DefaultResolver.LookupNetIP
	}
	return &Resolver{
		lookup:   lookup,
		retimed:  make(chan struct{}, 1),
		hosts:    make(map[string]*host),
		interval: ResolveInterval,
	}
}

// Addr is the address of a host, which may be an address itself; the next in turn if
// it has several. It is false for a name that has never been resolved.
func (r *Resolver) Addr(name string) (netip.Addr, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if h := r.hosts[name]; h != nil {
		return h.next()
	}
	a, err := netip.ParseAddr(name) // not watched, or no more
	return a, err == nil
}

// Addrs are all addresses of a host, in the order in which to try them: from the one that
// Addr has returned, or else from the one whose turn it is.
func (r *Resolver) Addrs(name string, from netip.Addr) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		first, ok := from, from.IsValid()
		if !ok {
			first, ok = r.Addr(name)
		}
		if !ok || !yield(first) {
			return
		}
		for _, a := range r.others(name, first) {
			if !yield(a) {
				return
			}
		}
	}
}

// others are the addresses of a host but one: those after it, then those before it.
func (r *Resolver) others(name string, first netip.Addr) []netip.Addr {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if h := r.hosts[name]; h != nil {
		return h.others(first)
	}
	return nil
}

// Watch sets which hosts are kept fresh, and resolves those that are not known
// yet. Its errors are warnings: each is one name that has no address so far.
func (r *Resolver) Watch(ctx context.Context, names Names) []error {
	r.configure(names)
	return r.resolve(ctx, r.missing())
}

func (r *Resolver) configure(names Names) {
	r.mu.Lock()
	defer r.mu.Unlock()
	interval := names.Interval
	if interval <= 0 {
		interval = ResolveInterval
	}
	if interval != r.interval {
		r.interval = interval
		select {
		case r.retimed <- struct{}{}:
		default: // it is to wake already
		}
	}
	r.preferIPv6 = names.PreferIPv6
	for _, h := range r.hosts {
		h.watched = false
		h.set(h.addrs, r.preferIPv6)
	}
	for _, name := range names.Hosts {
		if r.hosts[name] == nil {
			r.hosts[name] = newHost(name)
		}
		r.hosts[name].watched = true
	}
}

// Watched are the names that are kept fresh.
func (r *Resolver) Watched() []string {
	return r.names(func(h *host) bool { return true })
}

// missing are the watched names without an address.
func (r *Resolver) missing() []string {
	return r.names(func(h *host) bool { return len(h.addrs) == 0 })
}

func (r *Resolver) names(want func(*host) bool) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var names []string
	for name, h := range r.hosts {
		if h.watched && !h.literal && want(h) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Run keeps the watched names fresh until ctx ends, and looks sooner again at those
// that have no address yet. It reports each name that it fails to resolve; the last
// good addresses of such a name stay.
func (r *Resolver) Run(ctx context.Context, report func(error)) {
	all, missing := time.NewTicker(r.every()), time.NewTicker(RetryInterval)
	defer all.Stop()
	defer missing.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.retimed:
			all.Reset(r.every())
		case <-missing.C:
			r.resolve(ctx, r.missing())
		case <-all.C:
			r.prune()
			for _, err := range r.resolve(ctx, r.Watched()) {
				report(err)
			}
		}
	}
}

func (r *Resolver) every() time.Duration {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.interval
}

// prune forgets the hosts that are watched no more. That is not done at once: requests
// that began before a reload may still need them.
func (r *Resolver) prune() {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.hosts, func(_ string, h *host) bool { return !h.watched })
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
	return slices.DeleteFunc(failed, func(err error) bool { return err == nil })
}

func (r *Resolver) resolveOne(ctx context.Context, name string) error {
	addrs, err := r.lookup(ctx, "ip", name)
	if err == nil {
		if addrs = usable(addrs); len(addrs) == 0 {
			err = errors.New("no address")
		}
	}
	if err != nil {
		return fmt.Errorf("host %q: %w", name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.hosts[name]; h != nil { // else forgotten meanwhile
		h.set(addrs, r.preferIPv6)
	}
	return nil
}
