package ldapdb

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"mailauthd/internal/route"
)

// TestServerRestarts has binds and searches go on while the server is stopped and started.
func TestServerRestarts(t *testing.T) {
	s := ownSlapd(t)
	d := newDB(t, s.bindConfig())
	login := func() error {
		got, err := bind(t, d, "alice@example.com", "alice-secret")
		if err == nil && got != Accepted {
			t.Errorf("a right password: %v", got)
		}
		return err
	}
	if err := login(); err != nil {
		t.Fatal(err)
	}
	s.stop()
	for range route.MaxFails + 1 {
		if login() == nil {
			t.Fatal("no error without a server")
		}
	}
	if n := d.Stats().SetAside; n != 1 {
		t.Errorf("%d servers are set aside", n)
	}
	if err := login(); err == nil || !strings.Contains(err.Error(), "is set aside because it did not answer") {
		t.Error(err)
	}
	s.start(t)
	eventually(t, "a login works again", func() bool { return login() == nil })
	s.stop() // with idle connections, which the first login after that finds closed
	s.start(t)
	if err := login(); err != nil {
		t.Error(err)
	}
}

// TestHangingServer stops the server's process. Every request ends with its deadline, and soon none waits for it.
func TestHangingServer(t *testing.T) {
	s := ownSlapd(t)
	c := s.bindConfig()
	c.Timeout = 300 * time.Millisecond
	d := newDB(t, c)
	e, err := d.Lookup(context.Background(), "alice@example.com")
	if err != nil {
		t.Fatal(err)
	}
	s.hang(t)
	began := time.Now()
	for range 2 {
		if got, err := d.Bind(context.Background(), e, "alice-secret"); got != Undecided || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, %v", got, err)
		}
		if _, err := d.Find(context.Background(), "alice@example.com"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
	if took := time.Since(began); took > 4*c.Timeout+2*time.Second {
		t.Errorf("took %v", took)
	}
	eventually(t, "the server is set aside", func() bool {
		d.Bind(context.Background(), e, "alice-secret")
		return d.Stats().SetAside == 1
	})
	s.signal(syscall.SIGCONT)
	eventually(t, "a login works again", func() bool {
		got, _ := d.Bind(context.Background(), e, "alice-secret")
		return got == Accepted
	})
}

// TestNextServer has servers that fail at each step, and a good one after them.
func TestNextServer(t *testing.T) {
	hang := func(request) bool { select {} }
	tests := []struct {
		name   string
		answer func(request) bool
	}{
		{"reset at once", func(r request) bool { r.Conn.(*net.TCPConn).SetLinger(0); return false }},
		{"reset at the request", func(r request) bool {
			if r.isRoot() {
				r.normal()
				return true
			}
			r.Conn.(*net.TCPConn).SetLinger(0)
			return false
		}},
		{"hangs at once", hang},
		{"hangs at the request", func(r request) bool {
			if r.isRoot() {
				r.normal()
				return true
			}
			return hang(r)
		}},
		{"garbage", func(r request) bool { r.Write([]byte("HTTP/1.0 400 Bad Request\r\n\r\n")); return true }},
		{"garbage in BER", func(r request) bool { r.Write([]byte{0x30, 0x03, 0x02, 0x01, 0x01, 0x30, 0x00}); return false }},
		{"half an answer", func(r request) bool { r.Write([]byte{0x30, 0x0c, 0x02, 0x01}); return false }},
		{"endless answer", func(r request) bool {
			r.Write([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff})
			for {
				if _, err := r.Write(make([]byte, 65536)); err != nil {
					return false
				}
			}
		}},
		{"busy", func(r request) bool { r.result(ldap.LDAPResultBusy, ""); return true }},
		{"unavailable", func(r request) bool { r.result(ldap.LDAPResultUnavailable, ""); return true }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bad := script(t, test.answer)
			good := script(t, func(r request) bool { r.normal(); return true })
			c := bad.config(good.uri)
			c.Timeout = 2 * time.Second
			d := newDB(t, c)
			for password, want := range map[string]Result{"right": Accepted, "wrong": WrongPassword} {
				if got, err := bind(t, d, "alice@example.com", password); got != want || err != nil {
					t.Errorf("%s: %v, %v", password, got, err)
				}
			}
			alone := newDB(t, Config{
				URIs: []string{bad.uri}, Base: base, Scope: "subtree", Filter: "(mail=%{user})", Bind: true,
				MaxConnections: 1, Timeout: 200 * time.Millisecond,
			})
			if u, err := alone.Find(context.Background(), "alice@example.com"); u != nil || err == nil {
				t.Errorf("the bad server alone: %v, %v", u, err)
			}
		})
	}
}

// TestRefusedConnection sets a server aside that nobody listens at, and uses the next one.
func TestRefusedConnection(t *testing.T) {
	good := script(t, func(r request) bool { r.normal(); return true })
	c := good.config()
	c.URIs = []string{unused(t), good.uri}
	c.MaxConnections = 1
	var mu sync.Mutex
	var changes []route.Change
	d := newDB(t, c)
	d.Watch(func(c route.Change) { mu.Lock(); defer mu.Unlock(); changes = append(changes, c) })
	for range route.MaxFails {
		if u, err := d.Find(context.Background(), "alice@example.com"); u == nil || err != nil {
			t.Fatal(u, err)
		}
		d.Close() // so that the next one connects
	}
	if n := d.Stats().SetAside; n != 1 || len(changes) != 1 || changes[0].Server != c.URIs[0] {
		t.Errorf("%d set aside, %+v", n, changes)
	}
}

// TestErrorsOfAllServers has a server refuse the bind as auth_dn, and no other answer. The error must name both: the last
// one alone would not show what is wrong.
func TestErrorsOfAllServers(t *testing.T) {
	refuses := script(t, func(r request) bool { r.result(ldap.LDAPResultInvalidCredentials, ""); return true })
	c := refuses.config()
	c.AuthDN, c.AuthPassword = "cn=mailauthd", "wrong"
	c.URIs = []string{refuses.uri, unused(t)}
	_, err := newDB(t, c).Find(context.Background(), "alice@example.com")
	for _, want := range []string{refuses.uri + ": bind as auth_dn: result code 49", c.URIs[1] + ": dial"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

// TestRetry has a server close an idle connection without a word. The request is repeated once, on a new one.
func TestRetry(t *testing.T) {
	var fail sync.Map
	s := script(t, func(r request) bool {
		if _, ok := fail.Load(r.tag()); ok && !r.isRoot() {
			return false
		}
		r.normal()
		return true
	})
	d := newDB(t, s.config())
	if got, err := bind(t, d, "alice@example.com", "right"); got != Accepted || err != nil {
		t.Fatal(got, err)
	}
	fail.Store(ber.Tag(ldap.ApplicationSearchRequest), true)
	before := s.requests.Load()
	if u, err := d.Find(context.Background(), "alice@example.com"); u != nil || err == nil {
		t.Error(u, err)
	}
	if n := s.requests.Load() - before; n != 3 { // the request, the root on the new connection, the request
		t.Errorf("%d requests, want 3", n)
	}
	if n := d.Stats().SetAside; n != 0 {
		t.Error("a request that is not answered sets nothing aside: a client might cause it")
	}
}

// TestSentTwice has three servers that close the connection at the request. It is sent twice, not three times.
func TestSentTwice(t *testing.T) {
	var sent atomic.Int32
	answer := func(r request) bool {
		if !r.isRoot() {
			sent.Add(1)
			return false
		}
		r.normal()
		return true
	}
	d := newDB(t, script(t, answer).config(script(t, answer).uri, script(t, answer).uri))
	if u, err := d.Find(context.Background(), "alice@example.com"); u != nil || err == nil || sent.Load() != 2 {
		t.Errorf("%v, %v, sent %d times", u, err, sent.Load())
	}
}

// TestEndlessAnswer has a server that sends more than any entry has.
func TestEndlessAnswer(t *testing.T) {
	s := script(t, func(r request) bool {
		if r.isRoot() {
			r.normal()
			return true
		}
		r.Write([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x04, 0x84, 0x7f, 0xff, 0xff, 0xf0})
		for {
			if _, err := r.Write(make([]byte, 65536)); err != nil {
				return false
			}
		}
	})
	_, err := newDB(t, s.config()).Find(context.Background(), "alice@example.com")
	if !errors.Is(err, errTooLong) {
		t.Error(err)
	}
}

// TestBusy has more requests than connections. Those that get none end with their deadline, and say so.
func TestBusy(t *testing.T) {
	release := make(chan struct{})
	s := script(t, func(r request) bool {
		if !r.isRoot() {
			<-release
		}
		r.normal()
		return true
	})
	c := s.config()
	c.MaxConnections = 2
	d := newDB(t, c)
	var done sync.WaitGroup
	for range 2 {
		done.Go(func() {
			if u, err := d.Find(context.Background(), "alice@example.com"); u == nil || err != nil {
				t.Error(u, err)
			}
		})
	}
	eventually(t, "both connections wait", func() bool { return s.requests.Load() == 4 })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := d.Find(ctx, "bob@example.com"); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "max_connections = 2") {
		t.Error(err)
	}
	close(release)
	done.Wait()
	if n := s.accepted.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

// TestGone has a client go away while the server works. The connection is kept.
func TestGone(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	release := make(chan struct{})
	s := script(t, func(r request) bool {
		if !r.isRoot() {
			<-release
		}
		r.normal()
		return true
	})
	d := newDB(t, s.config())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		d.Find(ctx, "alice@example.com")
		close(done)
	}()
	eventually(t, "the request has arrived", func() bool { return s.requests.Load() == 2 })
	cancel()
	close(release)
	<-done
	if n := d.Stats().Searches.Connections; n != 1 {
		t.Errorf("%d connections", n)
	}
	if _, err := d.Find(context.Background(), "alice@example.com"); err != nil || s.accepted.Load() != 1 {
		t.Errorf("%v, %d connections", err, s.accepted.Load())
	}
	d.Close()
	eventually(t, "no goroutine is left but the one that accepts", func() bool { return runtime.NumGoroutine() <= goroutines+1 })
}
