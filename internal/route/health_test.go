package route

import (
	"testing"
	"testing/synctest"
	"time"
)

// fail sets a server aside.
func fail(t *testing.T, h *Health, s *Server) {
	t.Helper()
	for range MaxFails {
		ticket, ok := h.Of(s, "imap").Allow()
		if !ok {
			t.Fatalf("server %s is set aside already", s.Name)
		}
		ticket.Failed(errRefused)
	}
}

// tried returns the servers that a login tries if none answers. It reports nothing about them.
func tried(h *Health, servers []*Server) string {
	var list []*Server
	for s := range h.Try(servers, "imap") {
		list = append(list, s)
	}
	return namesOf(list)
}

func TestTry(t *testing.T) {
	for _, tt := range []struct{ out, tried, first string }{
		{"", "abc", "a"},
		{"a", "bc", "b"},
		{"b", "ac", "a"},
		{"ab", "c", "c"},
		{"abc", "", ""},
	} {
		servers := stores("abc")
		h := NewHealth(servers, nil, nil)
		for _, s := range servers {
			for _, name := range tt.out {
				if s.Name == string(name) {
					fail(t, h, s)
				}
			}
		}
		if got := tried(h, servers); got != tt.tried {
			t.Errorf("%q out: Try yields %q, want %q", tt.out, got, tt.tried)
		}
		first := ""
		if s, ok := h.First(servers, "imap"); ok {
			first = s.Name
		}
		if first != tt.first {
			t.Errorf("%q out: First is %q, want %q", tt.out, first, tt.first)
		}
	}
}

// A login that ends at a server does not start a trial of the next.
func TestTryAsksNoMoreThanNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := stores("ab")
		h := NewHealth(servers, nil, nil)
		fail(t, h, servers[1])
		<-time.After(MaxBackoff)
		for _, ticket := range h.Try(servers, "imap") {
			ticket.Answered()
			break
		}
		if s := h.Of(servers[1], "imap").State(); s != Open {
			t.Errorf("the next server is %v", s)
		}
	})
}

// After a trial that ends without a report, or in a panic, there is another.
func TestTryDropsTickets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := stores("a")
		h := NewHealth(servers, nil, nil)
		fail(t, h, servers[0])
		<-time.After(MaxBackoff)
		func() {
			defer func() { recover() }()
			for range h.Try(servers, "imap") {
				if got := tried(h, servers); got != "" {
					t.Errorf("during a trial, Try yields %q", got)
				}
				panic("test")
			}
		}()
		for range 2 {
			if got := tried(h, servers); got != "a" {
				t.Errorf("Try yields %q, want a second trial", got)
			}
		}
		for _, ticket := range h.Try(servers, "imap") {
			ticket.Answered()
		}
		if s := h.Of(servers[0], "imap").State(); s != Closed {
			t.Errorf("state %v after an answer", s)
		}
	})
}

// A reload makes new Servers. Those that are the same keep their breakers.
func TestHealthOutlivesReloads(t *testing.T) {
	changed := func(change func(*Server)) *Server {
		s := &Server{Name: "box1", VerifyProtocol: "imap", Host: "192.0.2.1", POP3: 110, IMAP: 143, SMTP: 25, Weight: 1}
		change(s)
		return s
	}
	for _, tt := range []struct {
		name   string
		change func(*Server)
		same   bool
	}{
		{"nothing", func(*Server) {}, true},
		{"weight", func(s *Server) { s.Weight = 2 }, true},
		{"timeout", func(s *Server) { s.Timeout = time.Second }, true},
		{"check interval", func(s *Server) { s.CheckInterval = time.Second }, true},
		{"name", func(s *Server) { s.Name = "box2" }, false},
		{"host", func(s *Server) { s.Host = "192.0.2.2" }, false},
		{"a port", func(s *Server) { s.POP3 = 1110 }, false},
		{"another port", func(s *Server) { s.IMAP = 1143 }, false},
		{"the last port", func(s *Server) { s.SMTP = 1025 }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			old, s := changed(func(*Server) {}), changed(tt.change)
			before := NewHealth([]*Server{old}, nil, nil)
			fail(t, before, old)
			after := NewHealth([]*Server{s}, before, nil)
			if kept := after.Of(s, "imap").State() == Open; kept != tt.same {
				t.Errorf("a change of %s keeps the state: %v, want %v", tt.name, kept, tt.same)
			}
			if got := before.Of(old, "imap").State(); got != Open {
				t.Errorf("the old configuration has its server %v, want open", got)
			}
		})
	}
}

// Health does not grow with the number of reloads.
func TestHealthIsBounded(t *testing.T) {
	var h *Health
	for i := range 100 {
		h = NewHealth([]*Server{{Name: "box", VerifyProtocol: "imap", POP3: uint16(i)}, {Name: "kept", VerifyProtocol: "imap"}}, h, nil)
	}
	if n := len(h.breakers); n != 2 {
		t.Errorf("%d breakers for 2 servers", n)
	}
}

func TestNilHealth(t *testing.T) {
	var h *Health
	servers := stores("ab")
	for range MaxFails {
		for _, ticket := range h.Try(servers, "imap") {
			ticket.Failed(errRefused)
		}
	}
	if got := tried(h, servers); got != "ab" {
		t.Errorf("Try yields %q, want all", got)
	}
	if s, ok := h.First(servers, "imap"); !ok || s != servers[0] {
		t.Errorf("First = %v, %v", s, ok)
	}
}

func BenchmarkTry(b *testing.B) {
	servers := stores("ab")
	h := NewHealth(servers, nil, nil)
	b.ReportAllocs()
	for b.Loop() {
		for _, ticket := range h.Try(servers, "imap") {
			ticket.Answered()
			break
		}
	}
}

// Failures of one protocol do not set a server aside for the others. A server that is always
// asked on the same protocol has one breaker for all clients.
func TestHealthByProtocol(t *testing.T) {
	same, one := &Server{Name: "same", VerifyProtocol: "same"}, &Server{Name: "one", VerifyProtocol: "imap"}
	h := NewHealth([]*Server{same, one}, nil, nil)
	for range MaxFails {
		for _, s := range []*Server{same, one} {
			ticket, _ := h.Of(s, "pop3").Allow()
			ticket.Failed(errRefused)
		}
	}
	for protocol, state := range map[string]State{"imap": Closed, "pop3": Open, "smtp": Closed} {
		if got := h.Of(same, protocol).State(); got != state {
			t.Errorf("on %s the server is %v, want %v", protocol, got, state)
		}
		if got := h.Of(one, protocol).State(); got != Open {
			t.Errorf("for clients of %s the server that is asked on imap is %v, want open", protocol, got)
		}
	}
}
