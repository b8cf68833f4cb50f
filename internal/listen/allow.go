package listen

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// allowed accepts TCP connections only from some networks, like PHP-FPM's listen.allowed_clients.
type allowed struct {
	net.Listener
	nets    atomic.Pointer[[]netip.Prefix]
	closed  atomic.Uint64 // connections that were not allowed
	log     *slog.Logger
	refused Refusals
}

func restrict(l net.Listener, nets []netip.Prefix, log *slog.Logger) net.Listener {
	if !strings.HasPrefix(l.Addr().Network(), "tcp") {
		return l
	}
	a := &allowed{Listener: l, log: log}
	a.nets.Store(&nets)
	return a
}

// Accept closes connections that are not allowed. It logs that once a minute for each address.
func (l *allowed) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || l.allows(c.RemoteAddr()) {
			return c, err
		}
		l.closed.Add(1)
		if l.refused.First(peerOf(c), time.Now()) {
			l.log.Warn("connection refused: not in allowed_clients", "client", c.RemoteAddr().String(), "listener", l.Addr().String())
		}
		c.Close()
	}
}

func (l *allowed) allows(client net.Addr) bool {
	nets := *l.nets.Load()
	if len(nets) == 0 {
		return true
	}
	tcp, ok := client.(*net.TCPAddr)
	if !ok {
		return false
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(addr) })
}
