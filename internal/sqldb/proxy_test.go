package sqldb

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// cutter is a TCP proxy that resets each connection after some bytes of the server.
type cutter struct {
	net.Listener
	after atomic.Int64 // bytes; negative: never
	most  atomic.Int64 // the largest number of bytes that a connection has had
}

func newCutter(t *testing.T, port int) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := &cutter{Listener: l}
	c.after.Store(-1)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(client, port)
		}
	}()
	return c
}

func (c *cutter) port() int { return c.Addr().(*net.TCPAddr).Port }

func (c *cutter) serve(client net.Conn, port int) {
	defer client.Close()
	server, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		defer server.Close()
		io.Copy(server, client)
	}()
	sent, buf := int64(0), make([]byte, 4096)
	for {
		n, err := server.Read(buf)
		after := c.after.Load()
		if after >= 0 && sent+int64(n) >= after {
			client.Write(buf[:max(after-sent, 0)])
			client.(*net.TCPConn).SetLinger(0) // a reset
			return
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
		if sent += int64(n); sent > c.most.Load() {
			c.most.Store(sent)
		}
		if err != nil {
			return
		}
	}
}

// TestResetAtEachStep cuts the connection after every few bytes of a lookup that returns two rows.
func TestResetAtEachStep(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.bob(t)
		s.insert(t, "bob@x.org", "password", "two")
		c := newCutter(t, s.port)
		d := s.db(t, func(config *Config) { config.Connect = s.dsn(c.port()) })
		find(t, d, "bob@x.org")
		for after := range c.most.Load() {
			if after%5 != 0 {
				continue
			}
			c.after.Store(after)
			d.client.reset()
			u, err := d.Find(context.Background(), "bob@x.org")
			if err == nil && (u == nil || len(u.Passwords) != 2) {
				t.Fatalf("reset after %d bytes: %v without an error", after, u)
			}
			if err != nil {
				checkQueryError(t, err, "")
			}
			if after < c.most.Load()/2 && err == nil {
				t.Errorf("reset after %d bytes of %d: no error", after, c.most.Load())
			}
		}
		c.after.Store(-1)
		if u := find(t, d, "bob@x.org"); !right(u, "two") {
			t.Errorf("%v", u)
		}
	})
}

// TestNotADatabase tests a server that speaks another protocol, and one that says nothing.
func TestNotADatabase(t *testing.T) {
	for _, greeting := range []string{"", "HTTP/1.0 400 Bad Request\r\n\r\n", "\x00\x00\x00\x00\x00\x00\x00", "R\x7f\xff\xff\xff\x00", "\xff\xff\xff\x00\x0a"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				io.WriteString(conn, greeting)
			}
		}()
		for _, driver := range Drivers() {
			s := &server{driver: driver, port: l.Addr().(*net.TCPAddr).Port}
			d := s.db(t, func(c *Config) { c.Timeout = 300 * time.Millisecond })
			u, err := d.Find(context.Background(), "bob@x.org")
			if u != nil {
				t.Errorf("%s, %q: %v", driver, greeting, u)
			}
			checkQueryError(t, err, "")
		}
	}
}
