package upstream

import (
	"bufio"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
)

// failures are the ways in which a server breaks off a dialogue without an answer.
var failures = map[string][]step{
	"closed":      {hangUp},
	"reset":       {reset},
	"half a line": {say("x"), hangUp},
	"silent":      nil, // until the client's time is up
}

// loginUntil logs in at a server that breaks off after some steps.
func loginUntil(t *testing.T, s Server, breaksOff []step, before ...step) error {
	t.Helper()
	ctx, timeUp := context.WithCancelCause(t.Context())
	defer timeUp(nil)
	if breaksOff == nil {
		breaksOff = []step{func(*session) error { timeUp(context.DeadlineExceeded); return nil }}
	}
	m := newMailServer(t, append(before, breaksOff...)...)
	_, _, err := loginAt(t, ctx, s, m)
	if outcomeOf(err) != tempfail {
		t.Errorf("%v, want a tempfail", err)
	}
	return err
}

// ofTheLogin are parts of the client's lines that hold a user name or a credential.
var ofTheLogin = []string{user, user64, plain64, password, password64, answer, apopDigest}

func holdsLogin(line string) bool {
	for _, part := range ofTheLogin {
		if strings.Contains(line, part) {
			return true
		}
	}
	return false
}

// TestUnreachableUntilTheLoginBegins: a server that breaks off each mechanism's dialogue after each
// line of the client is unreachable until it has read the login's first command, and never after that:
// the client may have caused it, by what it sent or by earlier failures.
func TestUnreachableUntilTheLoginBegins(t *testing.T) {
	for _, x := range exchanges {
		lines := strings.Split(strings.TrimSpace(x.text), "\n")
		sent := false
		for i, line := range lines[:len(lines)-1] { // the last line is the goodbye
			if !strings.HasPrefix(line, "C: ") {
				continue
			}
			sent = sent || holdsLogin(line) || strings.Contains(line, "AUTH")
			for name, steps := range failures {
				s := serverOn(x.protocol, patience)
				s.Mechanisms = x.mechanisms
				err := loginUntil(t, s, steps, transcript(strings.Join(lines[:i+1], "\n"))...)
				if Unreachable(err) == sent {
					t.Errorf("%s %s, %s after %q: unreachable %t, want %t (%v)", x.protocol, x.name, name, line, Unreachable(err), !sent, err)
				}
			}
		}
	}
}

// TestUnreachableByTLS does the same by TLS, at the command and at the answer of CRAM-MD5.
func TestUnreachableByTLS(t *testing.T) {
	inClear := func(text string) step {
		return func(s *session) error {
			s.r = bufio.NewReader(s.raw)
			_, err := io.WriteString(s.raw, text)
			return err
		}
	}
	for _, route := range []string{"imap implicit", "smtp starttls", "pop3 implicit"} {
		for stage, want := range map[string]bool{"auth": false, "answer": false} {
			for name, steps := range map[string][]step{"closed": {hangUp}, "reset": {reset}, "no record": {inClear("what?\r\n")}, "a false record": {inClear("\x15\x03\x03\x00\x02\x02\x28")}} {
				_, err := login(t, t.Context(), patience, route, script(route, stage, steps...)...)
				if outcomeOf(err) != tempfail || Unreachable(err) != want {
					t.Errorf("%s %s %s: unreachable %t, want %t (%v)", route, stage, name, Unreachable(err), want, err)
				}
			}
		}
	}
}

// TestSCRAMIsNotUnreachable: SCRAM's first message holds the user name.
func TestSCRAMIsNotUnreachable(t *testing.T) {
	for name, steps := range failures {
		s := serverOn("imap", patience)
		s.Mechanisms = []string{"SCRAM-SHA-256"}
		err := loginUntil(t, s, steps, say("* OK [CAPABILITY SASL-IR AUTH=SCRAM-SHA-256] ready\r\n"), hear("001 AUTHENTICATE SCRAM-SHA-256 *"))
		if Unreachable(err) {
			t.Errorf("%s: %v is unreachable", name, err)
		}
	}
}

// TestSecondMechanismIsNotUnreachable: USER has sent the user name before PLAIN is tried.
func TestSecondMechanismIsNotUnreachable(t *testing.T) {
	s := serverOn("pop3", patience)
	s.Mechanisms = []string{"USER", "PLAIN"}
	err := loginUntil(t, s, []step{hangUp}, transcript("S: +OK ready\nC: USER tim\nS: -ERR no\nC: AUTH PLAIN")...)
	if Unreachable(err) {
		t.Errorf("%v is unreachable", err)
	}
}

// TestWarmIsNotUnreachable: what was sent by a warm connection counts also if the fresh one that
// replaces it cannot be opened, or there is no time for it.
func TestWarmIsNotUnreachable(t *testing.T) {
	for name, tt := range map[string]struct {
		mechanism string
		want      bool
	}{"the user name was sent": {"PLAIN", false}, "only the mechanism was": {"CRAM-MD5", true}} {
		before := runtime.NumGoroutine()
		t.Run(name, func(t *testing.T) {
			f := newFarm(t, func(n int) []step {
				ready := transcript("S: * OK [CAPABILITY SASL-IR AUTH=" + tt.mechanism + "] ready\nC: 001 AUTHENTICATE " + tt.mechanism + "*")
				switch {
				case n == 2: // the warm connection
					return append(ready, hangUp)
				case n == 3:
					return []step{hangUp}
				case tt.mechanism == "PLAIN":
					return orGone(append(ready, say("001 OK yes\r\n")))
				}
				return orGone(append(ready, say("+ "+challenge+"\r\n"), hear(answer), say("001 OK yes\r\n")))
			})
			p := NewPool(10, 1, 0)
			defer p.Close()
			s := f.server("imap")
			s.Mechanisms = []string{tt.mechanism}
			if _, err := p.Login(t.Context(), s, user, password); err != nil {
				t.Error(err)
			}
			until(t, "one is kept", func() bool { return p.kept() == 1 })
			if _, err := p.Login(t.Context(), s, user, password); outcomeOf(err) != tempfail || Unreachable(err) != tt.want {
				t.Errorf("%v, unreachable %t, want %t", err, Unreachable(err), tt.want)
			}
		})
		waitForGoroutines(t, before)
	}
}

// TestSentErrorIsTransparent: what was sent before changes nothing else of an error.
func TestSentErrorIsTransparent(t *testing.T) {
	cause := errors.New("cause")
	err := error(sentError{cause})
	if !errors.Is(err, cause) || err.Error() != cause.Error() || Unreachable(err) {
		t.Errorf("%v", err)
	}
}
