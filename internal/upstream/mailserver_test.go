package upstream

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// longTimeout is a timeout that only a broken program reaches.
const longTimeout = 10 * time.Second

// step is one turn of a scripted mail server.
type step func(s *session) error

// session is the server's end of one connection.
type session struct {
	net.Conn // with TLS after a handshake
	raw      *net.TCPConn
	r        *bufio.Reader
}

// mailServer plays its script with the first client, and counts all clients.
type mailServer struct {
	addr    netip.AddrPort
	clients atomic.Int32
	played  chan error // the result of the script
}

// newMailServer starts a mail server on loopback. The test must call finish at its end.
func newMailServer(t *testing.T, script ...step) *mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailServer{addr: netip.MustParseAddrPort(l.Addr().String()), played: make(chan error, 1)}
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			if m.clients.Add(1) > 1 {
				nc.Close()
				continue
			}
			go func() { m.played <- play(nc, script) }()
		}
	}()
	t.Cleanup(func() { l.Close(); <-accepting })
	return m
}

// play plays a script. After that it reads until the client closes the connection.
func play(nc net.Conn, script []step) error {
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(longTimeout))
	s := &session{Conn: nc, raw: nc.(*net.TCPConn), r: bufio.NewReader(nc)}
	for i, do := range script {
		if err := do(s); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	_, err := io.Copy(io.Discard, s.r)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("client did not close the connection: %w", err)
	}
	return nil
}

// finish waits until the script has ended and the client has closed the connection.
func (m *mailServer) finish(t *testing.T) {
	t.Helper()
	select {
	case err := <-m.played:
		if err != nil {
			t.Errorf("mail server: %v", err)
		}
	case <-time.After(longTimeout):
		t.Error("mail server has not finished its script")
	}
	if n := m.clients.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// say sends text in one write.
func say(text string) step {
	return func(s *session) error {
		_, err := io.WriteString(s, text)
		return err
	}
}

// drip sends text byte by byte, each in a packet of its own.
func drip(text string) step {
	return func(s *session) error {
		for i := range len(text) {
			if _, err := io.WriteString(s, text[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	}
}

// trickle sends text byte by byte, with pauses, again and again until the client closes the
// connection.
func trickle(every time.Duration, text string) step {
	return func(s *session) error {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := 0; ; i++ {
			<-tick.C
			b := "x"
			if i < len(text) {
				b = text[i : i+1]
			}
			if _, err := io.WriteString(s, b); err != nil {
				return nil
			}
		}
	}
}

// await waits for data from the client.
func await(s *session) error {
	_, err := s.r.Peek(1)
	return err
}

// hear checks one line of the client. A "*" at the end of want matches anything.
func hear(want string) step {
	return func(s *session) error {
		got, err := s.r.ReadString('\n')
		if err != nil {
			return fmt.Errorf("waiting for %q: %w", want, err)
		}
		got, ended := strings.CutSuffix(got, "\r\n")
		prefix, open := strings.CutSuffix(want, "*")
		if !ended || got != want && !(open && strings.HasPrefix(got, prefix)) {
			return fmt.Errorf("client said %q, want %q", got, want)
		}
		return nil
	}
}

// nothing checks that the client closes the connection without sending anything.
func nothing(s *session) error {
	if said, _ := io.ReadAll(s.r); len(said) > 0 {
		return fmt.Errorf("client said %q, want nothing", said)
	}
	return nil
}

// hangUp closes the connection; reset does so with a TCP reset.
func hangUp(s *session) error { return s.Close() }

func reset(s *session) error {
	if err := s.raw.SetLinger(0); err != nil {
		return err
	}
	return s.raw.Close()
}

// peeked is a connection with a reader that has buffered data.
type peeked struct {
	net.Conn
	r io.Reader
}

func (p peeked) Read(b []byte) (int, error) { return p.r.Read(b) }

// handshake starts TLS; refusedHandshake checks that the client refuses to.
func handshake(cert tls.Certificate) step {
	return func(s *session) error {
		nc := tls.Server(peeked{s.raw, s.r}, &tls.Config{Certificates: []tls.Certificate{cert}})
		s.Conn, s.r = nc, bufio.NewReader(nc)
		return nc.Handshake()
	}
}

func refusedHandshake(cert tls.Certificate) step {
	return func(s *session) error {
		err := handshake(cert)(s)
		if err == nil {
			_, err = s.Read(make([]byte, 1)) // in TLS 1.3 the server's handshake ends first
		}
		s.r = bufio.NewReader(s.raw)
		if err == nil {
			return errors.New("client went on")
		}
		return nil
	}
}

// flood sends the text again and again until the client closes the connection. The socket buffers,
// which hold what the client does not read, are small.
func flood(text string) step {
	const enough = 32 << 20
	chunk := strings.Repeat(text, 1+(64<<10)/len(text))
	return func(s *session) error {
		for sent := 0; ; {
			n, err := io.WriteString(s, chunk)
			if sent += n; sent > enough {
				return fmt.Errorf("client has read most of %d bytes", sent)
			}
			if err != nil {
				return nil
			}
		}
	}
}

// stop calls a function, such as a client's cancel.
func stop(cancel context.CancelFunc) step {
	return func(*session) error { cancel(); return nil }
}
