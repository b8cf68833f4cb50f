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
	ResolveInterval = 60 * time.Second // between two lookups of a name, unless configured
	RetryInterval   = 5 * time.Second  // between two lookups of a name without an address
	ResolveTimeout  = 5 * time.Second  // for one lookup
	MaxAddrs        = 32               // addresses of one name; further ones are not used
)

// LookupFunc returns the addresses of a host name, as [net.Resolver.LookupNetIP] does.
type LookupFunc func(ctx context.Context, network, host string) ([]netip.Addr, error)

// Names is what to resolve, and how.
type Names struct {
	Hosts      []string      // names, and addresses, which need no lookup
	Interval   time.Duration // between two lookups of a name; 0: ResolveInterval
	PreferIPv6 bool          // for a name with addresses of both kinds
}

// LookupError says why a host has not been resolved.
type LookupError struct {
	Host string
	Err  error
}

func (e *LookupError) Error() string { return fmt.Sprintf("host %q: %v", e.Host, e.Err) }

func (e *LookupError) Unwrap() error { return e.Err }

// Resolver holds the addresses of host names. It outlives reloads, so that it keeps the
// addresses that it has.
type Resolver struct {
	lookup  LookupFunc
	retimed chan struct{} // wakes Run after a change of the interval

	mu         sync.RWMutex
	hosts      map[string]*host
	interval   time.Duration
	preferIPv6 bool
}

// NewResolver makes a resolver. If lookup is nil, it is that of [net.DefaultResolver].
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

// Addr returns the address of a host, which may be an address itself. If the host has several,
// it is the next in turn. Addr returns false for a name that has never been resolved.
func (r *Resolver) Addr(name string) (netip.Addr, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if h := r.hosts[name]; h != nil {
		return h.next()
	}
	a, err := netip.ParseAddr(name) // not watched, or no longer
	return a, err == nil
}

// Addrs yields all addresses of a host in the order in which to try them. The first is from,
// which Addr has returned, or the next in turn if from is the zero Addr.
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

// others returns the addresses of a host to try after first.
func (r *Resolver) others(name string, first netip.Addr) []netip.Addr {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if h := r.hosts[name]; h != nil {
		return h.others(first)
	}
	return nil
}

// Watch sets the hosts that Run keeps resolving, and resolves those without an address. Its
// errors are warnings: each is a [*LookupError] about one name that has no address so far.
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
		default: // Run is about to wake already
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

// Watched returns the names that Run keeps resolving.
func (r *Resolver) Watched() []string {
	return r.names(func(h *host) bool { return true })
}

// missing returns the watched names without an address.
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

// Run resolves the watched names once in each interval until ctx ends, and reports those that it
// fails to resolve. Such a name keeps its last known addresses. Names without an address are
// also resolved every RetryInterval.
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

// prune forgets the hosts that are no longer watched. Watch does not, because requests that
// began before a reload may still need them.
func (r *Resolver) prune() {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.hosts, func(_ string, h *host) bool { return !h.watched })
}

// resolve looks up names, all at the same time.
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
		return &LookupError{name, err}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.hosts[name]; h != nil { // else prune has removed it meanwhile
		h.set(addrs, r.preferIPv6)
	}
	return nil
}
