package redisdb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// patient is long enough for a loaded machine.
const patient = time.Minute

var echo = NewScript(`return {redis.call('HGET', KEYS[2], 'id'), 0, 0, ARGV[1]}`)

func echoCall(text string) Call {
	return Call{Script: echo, Keys: []string{"test:{1}:key"}, Args: []any{text}}
}

// recorder records what a client tells its handler.
type recorder struct {
	mu        sync.Mutex
	announced []string
	missed    int
	changes   []bool
	broughtIn []bool // whether Redis had lost its data
}

func (r *recorder) handler() Handler {
	return Handler{
		Announced: func(topic, value string) { r.note(func() { r.announced = append(r.announced, topic+" "+value) }) },
		Missed:    func() { r.note(func() { r.missed++ }) },
		Changed:   func(c Change) { r.note(func() { r.changes = append(r.changes, c.Up) }) },
	}
}

func (r *recorder) note(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// String returns everything, so that a test can wait for it.
func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("announced %q, missed %d, changes %v, brought in %v", r.announced, r.missed, r.changes, r.broughtIn)
}

type machine struct {
	*Client
	*recorder
}

func newMachine(t *testing.T, c Config) machine {
	t.Helper()
	c.Prefix = "test:"
	if c.Timeout == 0 {
		c.Timeout = patient
	}
	if c.Secret == nil {
		c.Secret = []byte("a secret of sixteen bytes or more")
	}
	r := new(recorder)
	m := machine{New(c, r.handler()), r}
	m.OnBack(func(_ context.Context, lost bool) error {
		r.note(func() { r.broughtIn = append(r.broughtIn, lost) })
		return nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	kept := make(chan struct{})
	go func() { defer close(kept); m.Keep(ctx) }()
	t.Cleanup(func() { cancel(); <-kept; m.Close() })
	return m
}

func poll(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patient); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

func (m machine) waitUp(t *testing.T, want bool) {
	t.Helper()
	poll(t, "redis does not come up or go down", func() bool { up, _, _ := m.Up(); return up == want })
}

func TestNewConnectsToNothing(t *testing.T) {
	redis := miniredis.RunT(t)
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{Addresses: []string{redis.Addr()}}, Handler{})
		defer c.Close()
		synctest.Wait()
		if n := c.db.PoolStats().TotalConns; n != 0 {
			t.Errorf("%d connections, want none", n)
		}
	})
}

func TestRun(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	m := newMachine(t, Config{Addresses: []string{redis.Addr()}})
	m.waitUp(t, true)
	got, err := m.Run(t.Context(), echoCall("hello"))
	if err != nil || len(got) != 1 || got[0] != "hello" {
		t.Fatalf("%v, %v", got, err)
	}
	if n := m.RoundTrips(); n != 1 {
		t.Errorf("%d round trips, want 1", n)
	}
}

// Redis is set aside at the first error, and used again when it answers. Each change is told once.
func TestSetAside(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	m := newMachine(t, Config{Addresses: []string{redis.Addr()}})
	m.waitUp(t, true)
	redis.SetError("OOM command not allowed when used memory > 'maxmemory'.")
	if _, err := m.Run(t.Context(), echoCall("")); err == nil || errors.Is(err, ErrSetAside) {
		t.Errorf("%v, want the error of Redis", err)
	}
	if _, err := m.Run(t.Context(), echoCall("")); !errors.Is(err, ErrSetAside) {
		t.Errorf("%v, want %v", err, ErrSetAside)
	}
	_, _, err := m.Up()
	if err == nil || !strings.Contains(err.Error(), "maxmemory") {
		t.Errorf("the reason is %v", err)
	}
	redis.SetError("")
	m.waitUp(t, true)
	if _, err := m.Run(t.Context(), echoCall("")); err != nil {
		t.Error(err)
	}
	if m.changes[0] != true || len(m.changes) != 3 {
		t.Errorf("changes %v, want up, down, up", m.changes)
	}
}

// A Redis that is set aside again and again is tried more and more rarely, so that it does not delay each login or fill the
// log.
func TestSetAsideAgain(t *testing.T) {
	t.Parallel()
	m := newMachine(t, Config{Addresses: []string{miniredis.RunT(t).Addr()}})
	m.waitUp(t, true)
	begin := time.Now()
	for range 3 {
		m.setAside(errors.New("too late"))
		m.waitUp(t, true)
	}
	if took := time.Since(begin); took < 7*MinRetry {
		t.Errorf("used again after %v, want %v, %v and %v", took, MinRetry, 2*MinRetry, 4*MinRetry)
	}
}

// All calls for one login take no longer than the timeout together, also if Redis hangs.
func TestTimeout(t *testing.T) {
	t.Parallel()
	hanging := startProxy(t, miniredis.RunT(t).Addr())
	m := newMachine(t, Config{Addresses: []string{hanging.addr()}, Timeout: 100 * time.Millisecond})
	m.waitUp(t, true)
	hanging.hang()
	ctx := m.Bound(t.Context())
	if _, err := m.Run(ctx, echoCall("")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v, want the end of the timeout", err)
	}
	if spent := time.Duration(spentIn(ctx).Load()); spent < 100*time.Millisecond {
		t.Errorf("after %v", spent)
	}
	m.up.Store(true) // even if Redis were back
	if _, err := m.Run(ctx, echoCall("")); !errors.Is(err, ErrBusy) {
		t.Errorf("%v, want %v", err, ErrBusy)
	}
}

// A client that has gone away does not set Redis aside.
func TestCanceled(t *testing.T) {
	t.Parallel()
	m := newMachine(t, Config{Addresses: []string{miniredis.RunT(t).Addr()}})
	m.waitUp(t, true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Run(ctx, echoCall("")); err == nil {
		t.Error("no error")
	}
	if up, _, _ := m.Up(); !up {
		t.Error("redis is set aside")
	}
}

// A flushed script cache costs one more round trip, and no error.
func TestScriptFlush(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	m := newMachine(t, Config{Addresses: []string{redis.Addr()}})
	m.waitUp(t, true)
	for range 3 {
		if _, err := m.Run(t.Context(), echoCall("")); err != nil {
			t.Fatal(err)
		}
		if err := m.db.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// A machine with another secret would count apart.
func TestOtherSecret(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	newMachine(t, Config{Addresses: []string{redis.Addr()}}).waitUp(t, true)
	other := newMachine(t, Config{Addresses: []string{redis.Addr()}, Secret: []byte("another secret of some length")})
	poll(t, "no error", func() bool { _, _, err := other.Up(); return err != nil })
	if up, _, err := other.Up(); up || !strings.Contains(err.Error(), "secret_file") {
		t.Errorf("%t, %v", up, err)
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	redis.RequireAuth("hunter2hunter2")
	for password, want := range map[string]string{"": "password_file", "wrong": "refuses", "hunter2hunter2": ""} {
		m := newMachine(t, Config{Addresses: []string{redis.Addr()}, Password: password})
		poll(t, "no result", func() bool { up, _, err := m.Up(); return up || err != nil })
		up, _, err := m.Up()
		if up != (want == "") || !up && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%t, %v; want %q", up, err, want)
		}
	}
}

// Servers word the same errors differently.
func TestExplain(t *testing.T) {
	for text, want := range map[string]string{
		"READONLY You can't write against a read only replica.":                                                                                                        "this is a replica",
		"ERR Error running script (call to f_bb93): @user_script:8: @user_script: 8: -READONLY You can't write against a read only replica.":                           "this is a replica",
		"ERR ACL failure in script: User mailauthd has no permissions to run the 'del' command script: c0a9, on @user_script:61.":                                      "mailauthd(8) lists",
		"ERR Error running script (call to f_cf68): @user_script:8: @user_script: 8: -NOPERM this user has no permissions to run the 'mget' command or its subcommand": "mailauthd(8) lists",
		"ERR Error running script (call to f_cf68): @user_script:8: @user_script: 8: The user executing the script can't run this command or subcommand":               "mailauthd(8) lists",
		"ERR something else: -x": "ERR something else",
	} {
		if got := explain(errors.New(text)).Error(); !strings.HasPrefix(got, want) && !strings.Contains(strings.TrimSuffix(got, text), want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSeal(t *testing.T) {
	s := newSecrets([]byte("secret"))
	sealed := s.seal("flush bob@x.org")
	if strings.Contains(sealed, "bob") || sealed == s.seal("flush bob@x.org") {
		t.Errorf("%q tells its text", sealed)
	}
	if text, err := s.open(sealed); text != "flush bob@x.org" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := newSecrets([]byte("other")).open(sealed); err == nil {
		t.Error("another secret opens it")
	}
	for _, bad := range []string{"", "x", "AAAA", sealed[1:]} {
		if _, err := s.open(bad); err == nil {
			t.Errorf("%q was opened", bad)
		}
	}
}

func TestHash(t *testing.T) {
	a := New(Config{Secret: []byte("a")}, Handler{})
	b := New(Config{Secret: []byte("b")}, Handler{})
	again := New(Config{Secret: []byte("a")}, Handler{})
	if a.Hash('u', "bob") != again.Hash('u', "bob") || a.Hash('u', "bob") == b.Hash('u', "bob") || a.Hash('u', "bob") == a.Hash('n', "bob") {
		t.Error("hashes do not depend on what they should")
	}
	var logins sync.WaitGroup
	for range 8 {
		logins.Go(func() {
			for range 100 {
				if got, want := a.Hash('u', "bob"), uint64(0x4d4174c4dfca4fe2); got != want { // or machines of two versions count apart
					t.Errorf("%#x, want %#x", got, want)
				}
			}
		})
	}
	logins.Wait()
}

func BenchmarkHash(b *testing.B) {
	c := New(Config{Secret: []byte("a")}, Handler{})
	b.ReportAllocs()
	for b.Loop() {
		c.Hash('u', "bob@domain1.com")
	}
}

// proxy is a TCP relay that can stop relaying without closing anything.
type proxy struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	hangs    bool
}

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.relay(t, c)
		}
	}()
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hangs = true
}

func (p *proxy) relay(t *testing.T, c net.Conn) {
	s, err := net.Dial("tcp", p.target)
	if err != nil {
		c.Close()
		return
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	go p.pump(c, s)
	p.pump(s, c)
}

func (p *proxy) pump(from, to net.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		hangs := p.hangs
		p.mu.Unlock()
		if err != nil {
			to.Close()
			return
		}
		if !hangs {
			_, _ = to.Write(buf[:n])
		}
	}
}
