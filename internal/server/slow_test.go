package server

import (
	"fmt"
	"net"
	"net/textproto"
	"sync"
	"sync/atomic"
	"testing"
)

// slowServer is an IMAP server that accepts any password, but only after release.
type slowServer struct {
	net.Listener
	reached chan struct{} // receives one value for each login that waits
	free    chan struct{}
	once    sync.Once
	open    atomic.Int32 // connections
	asked   atomic.Int32 // connections so far
}

func startSlowServer(t *testing.T) *slowServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &slowServer{Listener: l, reached: make(chan struct{}), free: make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			all.Go(func() { s.serve(textproto.NewConn(c)) })
		}
	})
	t.Cleanup(func() {
		s.release()
		l.Close()
		all.Wait()
	})
	return s
}

// serve serves one connection.
func (s *slowServer) serve(c *textproto.Conn) {
	s.asked.Add(1)
	s.open.Add(1)
	defer s.open.Add(-1)
	defer c.Close()
	_ = c.PrintfLine("* OK slow server")
	if _, err := c.ReadLine(); err != nil {
		return
	}
	_ = c.PrintfLine("+ PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")
	if _, err := c.ReadLine(); err != nil {
		return
	}
	select {
	case s.reached <- struct{}{}:
	case <-s.free:
	}
	<-s.free
	_ = c.PrintfLine("001 OK AUTHENTICATE completed")
	_, _ = c.ReadLine()
}

// release lets all logins go on.
func (s *slowServer) release() { s.once.Do(func() { close(s.free) }) }

// sections returns the configuration of the server for the users of slow.example.
func (s *slowServer) sections() string {
	return fmt.Sprintf(`
[domains."slow.example"]
servers = ["slow"]
[servers.slow]
host = "127.0.0.1"
imap = %d
`, s.Addr().(*net.TCPAddr).Port)
}

// waiting is a login that waits for its answer.
type waiting struct {
	head chan string
	err  error // valid after head is closed
}

// waitingLogin begins a login at an endpoint, and returns when it waits for the slow server.
func (s *slowServer) waitingLogin(d endpoint) *waiting {
	w := &waiting{head: make(chan string, 1)}
	go func() {
		defer close(w.head)
		var head string
		head, w.err = d.ask(login("tim@slow.example", password))
		w.head <- head
	}()
	<-s.reached
	return w
}

// want waits for the answer and checks the Auth-Status.
func (w *waiting) want(t *testing.T, status string) {
	t.Helper()
	head := <-w.head
	<-w.head
	if got := field(head, "Auth-Status"); got != status || w.err != nil && status != "" {
		t.Errorf("Auth-Status = %q, %v; want %q", got, w.err, status)
	}
}
