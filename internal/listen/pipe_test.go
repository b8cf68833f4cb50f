package listen

import (
	"net"
	"net/netip"
	"sync"
)

// pipeListener is a TCP listener in memory, for use in a synctest bubble.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return tcpAddr("192.0.2.1:9000") }

// dial connects from an address. It returns when the connection is accepted. It returns nil if the
// listener is closed.
func (l *pipeListener) dial(from string) net.Conn {
	client, server := net.Pipe()
	select {
	case l.conns <- pipeConn{server, tcpAddr(from)}:
		return client
	case <-l.closed:
		return nil
	}
}

type pipeConn struct {
	net.Conn
	remote net.Addr
}

func (c pipeConn) RemoteAddr() net.Addr { return c.remote }

func tcpAddr(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }
