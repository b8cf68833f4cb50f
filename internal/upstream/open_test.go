package upstream

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// opened returns a connection to a server that greets, offers PLAIN with an initial response, and
// then plays its script.
func opened(t *testing.T, route string, steps ...step) (*Conn, *mailServer) {
	t.Helper()
	m := newMailServer(t, append(script(route, "auth")[:len(script(route, "auth"))-1], steps...)...)
	s := serverOn(route, longTimeout)
	s.Addr, s.Mechanisms = m.addr, []string{"PLAIN"}
	c, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c, m
}

// TestOpen checks that a login on a kept connection takes only the authentication, and that an
// unused one is closed with a goodbye.
func TestOpen(t *testing.T) {
	for route, command := range map[string]string{"pop3 starttls": "AUTH PLAIN", "imap starttls": "004 AUTHENTICATE PLAIN", "smtp implicit": "AUTH PLAIN"} {
		yes := map[string]string{"pop3": "+OK\r\n", "imap": "004 OK\r\n", "smtp": "235 yes\r\n"}[serverOn(route, 0).Protocol]
		c, m := opened(t, route, hear(command+" "+plain64), say(yes), hear("*"))
		var trace []string
		c.trace = func(line string) { trace = append(trace, line) }
		if !c.Usable() {
			t.Errorf("%s: not usable", route)
		}
		if _, err := c.Login(t.Context(), user, password); err != nil || len(trace) != 2 {
			t.Errorf("%s: %v, after\n%s", route, err, strings.Join(trace, "\n"))
		}
		if _, err := c.Login(t.Context(), user, password); outcomeOf(err) != tempfail || c.Usable() {
			t.Errorf("%s: a second login: %v", route, err)
		}
		c.Close()
		m.finish(t)

		c, m = opened(t, route, hear("*"))
		c.Close()
		if _, err := c.Login(t.Context(), user, password); outcomeOf(err) != tempfail || c.Usable() {
			t.Errorf("%s: a login after Close: %v", route, err)
		}
		m.finish(t)
	}
}

// TestKeptTooLong checks that what a server has sent while the connection was idle is not taken for
// an answer to the password.
func TestKeptTooLong(t *testing.T) {
	for route, late := range map[string]string{
		"pop3 starttls": "-ERR Disconnected for inactivity.\r\n", "imap starttls": "* BYE Disconnected for inactivity.\r\n",
		"smtp starttls": "421 4.4.2 timeout\r\n", "pop3 implicit": "+OK hello again\r\n", "imap implicit": "002 NO no\r\n", "smtp implicit": "535 no\r\n",
	} {
		for name, steps := range map[string][]step{"said": {say(late)}, "closed": {hangUp}, "said and closed": {say(late), hangUp}, "reset": {reset}} {
			t.Run(route+" "+name, func(t *testing.T) {
				c, m := opened(t, route, steps...)
				defer c.Close()
				for end := time.Now().Add(longTimeout); c.Usable(); {
					if time.Now().After(end) {
						t.Fatal("still usable")
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), shortTimeout)
				defer cancel()
				if _, err := c.Login(ctx, user, password); outcomeOf(err) != tempfail {
					t.Errorf("%v, want tempfail", err)
				}
				c.Close()
				m.finish(t)
			})
		}
	}
}

// TestOpenEnds checks that the end of the context of Open does not end a later login.
func TestOpenEnds(t *testing.T) {
	m := newMailServer(t, transcript("S: +OK ready\nC: AUTH CRAM-MD5\nS: + "+challenge+"\nC: "+answer+"\nS: +OK yes\nC: QUIT")...)
	s := serverOn("pop3", longTimeout)
	s.Addr = m.addr
	ctx, cancel := context.WithCancel(t.Context())
	c, err := s.Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := c.Login(t.Context(), user, password); err != nil {
		t.Error(err)
	}
	c.Close()
	m.finish(t)
	if _, err := s.Open(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want one of the context", err)
	}
}

func TestProbe(t *testing.T) {
	for _, tt := range []struct {
		route, clear, encrypted string // mechanisms offered
		steps                   string
	}{
		{"pop3 starttls", "", "PLAIN CRAM-MD5 USER", "connect greeting capabilities starttls tls capabilities"},
		{"imap starttls", "", "PLAIN CRAM-MD5 IMAP-LOGIN", "connect greeting capabilities starttls tls capabilities"},
		{"smtp starttls", "", "PLAIN LOGIN CRAM-MD5", "connect greeting capabilities starttls tls capabilities"},
		{"pop3 implicit", "", "PLAIN CRAM-MD5", "connect tls greeting capabilities"},
		{"imap implicit", "", "PLAIN CRAM-MD5 IMAP-LOGIN", "connect tls greeting capabilities"},
		{"smtp", "PLAIN LOGIN CRAM-MD5", "", "connect greeting capabilities"},
	} {
		t.Run(tt.route, func(t *testing.T) {
			before := script(tt.route, "auth")
			m := newMailServer(t, append(before[:len(before)-1], hear("*"), nothing)...)
			s := serverOn(tt.route, longTimeout)
			s.Addr = m.addr
			var ends time.Time
			s.Certificate = func(notAfter time.Time) { ends = notAfter }
			r, err := s.Probe(t.Context())
			m.finish(t)
			if !ends.Equal(r.NotAfter) {
				t.Errorf("certificate until %v, want %v", ends, r.NotAfter)
			}
			if err != nil || !slices.Equal(r.Mechanisms, []string{"CRAM-MD5"}) {
				t.Errorf("would use %q, %v", r.Mechanisms, err)
			}
			if got := strings.Join(r.Clear.Mechanisms, " "); got != tt.clear {
				t.Errorf("in clear %q, want %q", got, tt.clear)
			}
			if got := strings.Join(r.Encrypted.Mechanisms, " "); got != tt.encrypted {
				t.Errorf("by TLS %q, want %q", got, tt.encrypted)
			}
			var steps []string
			for _, s := range r.Steps {
				steps = append(steps, s.Name)
			}
			if got := strings.Join(steps, " "); got != tt.steps {
				t.Errorf("steps %q, want %q", got, tt.steps)
			}
			cert := known().cert.Leaf
			if byTLS := tt.route != "smtp"; byTLS != (r.TLS == "TLS 1.3") || byTLS != r.NotAfter.Equal(cert.NotAfter) ||
				byTLS != (r.Fingerprint == sha256.Sum256(cert.Raw)) {
				t.Errorf("%s until %v, %v", r.TLS, r.NotAfter, r.Fingerprint)
			}
		})
	}
}

// TestProbeFails checks that a failed probe reports what was seen before.
func TestProbeFails(t *testing.T) {
	m := newMailServer(t, await, refusedHandshake(expired().cert))
	s := serverOn("imap implicit", longTimeout)
	s.Addr = m.addr
	var ends time.Time
	s.Certificate = func(notAfter time.Time) { ends = notAfter }
	r, err := s.Probe(t.Context())
	m.finish(t)
	if !ends.Equal(r.NotAfter) {
		t.Errorf("certificate until %v, want %v", ends, r.NotAfter)
	}
	if err == nil || r.TLS != "" || !r.NotAfter.Equal(expired().cert.Leaf.NotAfter) || len(r.Steps) != 2 {
		t.Errorf("expired certificate: %+v, %v", r, err)
	}
	m = newMailServer(t, transcript("S: 220 ready\nC: EHLO*\nS: 250-x\nS: 250 AUTH PLAIN GSSAPI\nC: QUIT")...)
	s = serverOn("smtp", longTimeout)
	s.Addr = m.addr
	r, err = s.Probe(t.Context())
	m.finish(t)
	if err == nil || !slices.Equal(r.Clear.Mechanisms, []string{"PLAIN", "GSSAPI"}) || r.Mechanisms != nil {
		t.Errorf("no mechanism in common: %+v, %v", r, err)
	}
	if _, err := (Server{Protocol: "nntp"}).Probe(t.Context()); err == nil {
		t.Error("a probe by NNTP")
	}
}
