package upstream

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// link is a slow network link to a server. It counts round trips at the client's end: one is
// complete when data arrives for which the client has waited.
type link struct {
	addr  netip.AddrPort
	to    string
	delay time.Duration // one way
	trips atomic.Int64
	pumps sync.WaitGroup
}

func newLink(t testing.TB, to netip.AddrPort, delay time.Duration) *link {
	t.Helper()
	accepting, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{addr: netip.MustParseAddrPort(accepting.Addr().String()), to: to.String(), delay: delay}
	l.pumps.Go(func() {
		for {
			client, err := accepting.Accept()
			if err != nil {
				return
			}
			l.pumps.Go(func() { l.carry(client.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		accepting.Close()
		l.pumps.Wait()
	})
	return l
}

// carry simulates the round trip of TCP's handshake too. The client may send after it, and the
// server accepts the connection with the packet after that.
func (l *link) carry(client *net.TCPConn) {
	defer client.Close()
	start := time.Now()
	var spoke atomic.Bool
	said := l.read(client, start.Add(2*l.delay), func() { spoke.Store(true) })
	time.Sleep(time.Until(start.Add(3 * l.delay)))
	nc, err := net.Dial("tcp", l.to)
	if err != nil {
		client.Close()
		write(client, said, func() {})
		return
	}
	server := nc.(*net.TCPConn)
	defer server.Close()
	l.pumps.Go(func() { write(server, said, func() {}) })
	connect := int64(1)
	spoke.Store(true) // by connecting
	write(client, l.read(server, start, func() {}), func() {
		if spoke.Swap(false) {
			l.trips.Add(1 + connect)
			connect = 0
		}
	})
}

// packet is data on the link, and when it arrives. An empty packet is the end of the connection.
type packet struct {
	data []byte
	due  time.Time
}

// read reads packets that are sent, none before start.
func (l *link) read(from *net.TCPConn, start time.Time, saw func()) <-chan packet {
	sent := make(chan packet, 1000)
	l.pumps.Go(func() {
		defer close(sent)
		for {
			data := make([]byte, 4096)
			n, err := from.Read(data)
			now := time.Now()
			if now.Before(start) {
				now = start
			}
			if n > 0 {
				saw()
			}
			sent <- packet{data[:n], now.Add(l.delay)}
			if err != nil {
				return
			}
		}
	})
	return sent
}

// write delivers the packets in time. Errors are ignored.
func write(to *net.TCPConn, sent <-chan packet, arrived func()) {
	for p := range sent {
		time.Sleep(time.Until(p.due))
		if len(p.data) > 0 {
			arrived()
			_, _ = to.Write(p.data)
		}
	}
	_ = to.CloseWrite()
}
