package e2e

import (
	"net"
	"sync"
	"testing"
	"time"
)

// faultyRelay passes bytes between mailauthd and a database. It can delay those of the database, and reset connections.
type faultyRelay struct {
	listener
	network, address string // of the database

	mu    sync.Mutex
	open  map[net.Conn]bool
	delay time.Duration // of each piece that the database sends
	after int           // bytes of the database before a connection is reset; negative: never
	most  int           // the largest number of bytes of a connection since the last change
	cuts  int           // connections that were reset
}

func startFaultyRelay(tb testing.TB, network, address string) *faultyRelay {
	tb.Helper()
	r := &faultyRelay{network: network, address: address, open: map[net.Conn]bool{}, after: -1}
	r.listener = serve(tb, r.serve)
	return r
}

// slow delays what the database sends from now on. undo ends that.
func (r *faultyRelay) slow(delay time.Duration) (undo func()) {
	set := func(d time.Duration) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.delay = d
	}
	set(delay)
	return func() { set(0) }
}

// cut closes all connections. New ones are reset after some bytes of the database, or never if after is negative.
func (r *faultyRelay) cut(after int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.after, r.most = after, 0
	for conn := range r.open {
		conn.Close()
	}
}

// seen returns the bytes that the database has sent on the longest connection, and how many connections were reset.
func (r *faultyRelay) seen() (most, cuts int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.most, r.cuts
}

// serve relays one connection until either side closes it.
func (r *faultyRelay) serve(client net.Conn) {
	defer client.Close()
	database, err := net.Dial(r.network, r.address)
	if err != nil {
		return
	}
	defer database.Close()
	r.keep(client, true)
	defer r.keep(client, false)
	go func() {
		defer database.Close()
		copyPieces(database, client, func(b []byte) ([]byte, bool) { return b, true })
	}()
	sent := 0
	copyPieces(client, database, func(b []byte) ([]byte, bool) {
		b, goOn := r.limit(sent, b)
		sent += len(b)
		return b, goOn
	})
}

func (r *faultyRelay) keep(conn net.Conn, open bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if delete(r.open, conn); open {
		r.open[conn] = true
	}
}

// limit waits for the delay. It returns what may be sent after the bytes that were sent, and whether the connection
// goes on.
func (r *faultyRelay) limit(sent int, b []byte) ([]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if delay := r.delay; delay > 0 {
		r.mu.Unlock()
		<-time.After(delay)
		r.mu.Lock()
	}
	if r.after >= 0 && sent+len(b) > r.after {
		r.cuts++
		return b[:max(r.after-sent, 0)], false
	}
	r.most = max(r.most, sent+len(b))
	return b, true
}

// copyPieces copies what edit makes of each piece. If edit ends the connection it is reset.
func copyPieces(to, from net.Conn, edit func([]byte) ([]byte, bool)) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		b, goOn := edit(buf[:n])
		if _, err := to.Write(b); err != nil {
			return
		}
		if !goOn {
			_ = to.(*net.TCPConn).SetLinger(0)
			return
		}
	}
}
