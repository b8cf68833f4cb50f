package upstream

import (
	"bufio"
	"context"
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

// patience bounds what only a broken program reaches.
const patience = 10 * time.Second

// step is one turn of a scripted mail server.
type step func(s *session) error

// session is the server's end of one connection.
type session struct {
	net.Conn
	r *bufio.Reader
}

// mailServer plays its script to the first client and counts all of them.
type mailServer struct {
	addr    netip.AddrPort
	clients atomic.Int32
	played  chan error // how the first client's script ended
}

// newMailServer starts a mail server on loopback; the test must wait for its end
// with finish.
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

// play ends with the client's end of the connection: what the client says past the
// script is read, and must end.
func play(nc net.Conn, script []step) error {
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	s := &session{Conn: nc, r: bufio.NewReader(nc)}
	for i, do := range script {
		if err := do(s); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	_, err := io.Copy(io.Discard, s.r)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("client did not close the connection: %w", err)
	}
	return nil
}

// finish waits until the server has seen the client's end.
func (m *mailServer) finish(t *testing.T) {
	t.Helper()
	select {
	case err := <-m.played:
		if err != nil {
			t.Errorf("mail server: %v", err)
		}
	case <-time.After(patience):
		t.Error("mail server has not finished its script")
	}
	if n := m.clients.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// say sends text as it is, in one write.
func say(text string) step {
	return func(s *session) error {
		_, err := io.WriteString(s, text)
		return err
	}
}

// drip sends text byte by byte, with every byte its own packet.
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

// trickle sends a byte now and then, and never a line, until the client has enough.
func trickle(every time.Duration) step {
	return func(s *session) error {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.WriteString(s, "x"); err != nil {
				return nil
			}
		}
		return nil
	}
}

// hear wants one line of the client; a "*" at the end of it stands for anything.
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

// hangUp closes the connection in order, reset without.
func hangUp(s *session) error { return s.Close() }

func reset(s *session) error {
	if err := s.Conn.(*net.TCPConn).SetLinger(0); err != nil {
		return err
	}
	return s.Close()
}

// stop calls a function, such as a client's cancel.
func stop(cancel context.CancelFunc) step {
	return func(*session) error { cancel(); return nil }
}
