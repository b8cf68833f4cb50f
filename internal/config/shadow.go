package config

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/listen"
	"mailauthd/internal/shadow"
)

// maxShadowRequests is the largest max_requests. At most listen.MaxConns requests are answered at a time.
const maxShadowRequests = listen.MaxConns

// buildShadow reads [shadow]. c has [listen] and [log] already.
func (l *loader) buildShadow(f *file, s *shadowSection, c *Config) *shadow.Config {
	key := func(name string) toml.Key { return toml.Key{"shadow", name} }
	u, err := shadow.ParseURL(s.URL)
	switch {
	case s.URL == "":
		l.problems.add(f, key("url"), "is missing: %v", err)
	case err != nil:
		l.problems.add(f, key("url"), "%v", err)
	case leadsTo(u, c.Listen.HTTP):
		l.problems.add(f, key("url"), "is mailauthd's own address in [listen] http: want that of the old script, such as \"http://127.0.0.1:8009/mail/auth.php\"")
	}
	l.choose(f, key("answer"), s.Answer)
	l.logFile(f, key("log"), s.Log, c.Log.MaxSize, shadow.DefaultLog)
	if filepath.Clean(s.Log) == filepath.Clean(c.Log.File) {
		l.problems.add(f, key("log"), "is the file of [log] already: want another, such as %q", shadow.DefaultLog)
	}
	if s.MaxRequests < 1 || s.MaxRequests > maxShadowRequests {
		l.problems.add(f, key("max_requests"), "must be from 1 to %d", maxShadowRequests)
	}
	return &shadow.Config{
		URL:         u,
		Answer:      s.Answer,
		Log:         s.Log,
		Timeout:     l.duration(f, key("timeout"), s.Timeout, time.Millisecond, shadow.MaxTimeout),
		MaxRequests: s.MaxRequests,
	}
}

// leadsTo reports whether a URL is that of one of our own sockets. Of a host name it knows only whether that is a
// loopback name: a running mailauthd notices any other loop.
func leadsTo(u *url.URL, own []listen.Address) bool {
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	return slices.ContainsFunc(own, func(a listen.Address) bool {
		host, ownPort, err := net.SplitHostPort(a.Name)
		return a.Kind == "tcp" && err == nil && samePort(port, ownPort) && sameHost(u.Hostname(), host)
	})
}

func samePort(a, b string) bool { return strings.TrimLeft(a, "0") == strings.TrimLeft(b, "0") }

// sameHost reports whether a request to a host reaches a socket that listens on own.
func sameHost(host, own string) bool {
	to, on := address(host), address(own)
	switch {
	case own == "" || on.IsUnspecified():
		return isOfThisMachine(to)
	case to.IsLoopback() || to.IsUnspecified():
		return on.IsLoopback()
	case to.IsValid():
		return to == on
	}
	return strings.EqualFold(host, own)
}

// address returns the address that a host is, or one of the loopback addresses if it is a name of them. It is not
// valid for any other name.
func address(host string) netip.Addr {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	switch {
	case name == "localhost", strings.HasPrefix(name, "localhost."), strings.HasSuffix(name, ".localhost"), name == "ip6-localhost", name == "ip6-loopback":
		return netip.IPv6Loopback()
	}
	addr, _ := netip.ParseAddr(host)
	return addr.Unmap().WithZone("")
}

// isOfThisMachine reports whether an address is one of this machine.
func isOfThisMachine(addr netip.Addr) bool {
	if addr.IsLoopback() || addr.IsUnspecified() {
		return true
	}
	own, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(own, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && addr.IsValid() && p.Addr().Unmap().WithZone("") == addr
	})
}
