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

// failures are ways to end a dialogue without an answer.
var failures = map[string][]step{
	"closed":      {hangUp},
	"reset":       {reset},
	"half a line": {say("x"), hangUp},
	"silent":      nil, // until the client's deadline
}

// loginUntil logs in at a server that ends the dialogue after some steps.
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

// ofTheLogin are user names and credentials in the client's lines.
var ofTheLogin = []string{user, user64, plain64, password, password64, answer, apopDigest}

func holdsLogin(line string) bool {
	for _, part := range ofTheLogin {
		if strings.Contains(line, part) {
			return true
		}
	}
	return false
}

// TestUnreachableUntilTheLoginBegins checks a server that ends the dialogue of each mechanism after
// each line of the client. It is unreachable until it has read the login's first command. It never is
// after that, because the client may have caused the failure, also with earlier logins.
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
				s := serverOn(x.protocol, longTimeout)
				s.Mechanisms = x.mechanisms
				err := loginUntil(t, s, steps, transcript(strings.Join(lines[:i+1], "\n"))...)
				if Unreachable(err) == sent {
					t.Errorf("%s %s, %s after %q: unreachable %t, want %t (%v)", x.protocol, x.name, name, line, Unreachable(err), !sent, err)
				}
			}
		}
	}
}

// TestUnreachableByTLS does the same with TLS, at the command and the answer of CRAM-MD5.
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
				_, err := login(t, t.Context(), longTimeout, route, script(route, stage, steps...)...)
				if outcomeOf(err) != tempfail || Unreachable(err) != want {
					t.Errorf("%s %s %s: unreachable %t, want %t (%v)", route, stage, name, Unreachable(err), want, err)
				}
			}
		}
	}
}

// TestSCRAMIsNotUnreachable checks SCRAM, whose first message contains the user name.
func TestSCRAMIsNotUnreachable(t *testing.T) {
	for name, steps := range failures {
		s := serverOn("imap", longTimeout)
		s.Mechanisms = []string{"SCRAM-SHA-256"}
		err := loginUntil(t, s, steps, say("* OK [CAPABILITY SASL-IR AUTH=SCRAM-SHA-256] ready\r\n"), hear("001 AUTHENTICATE SCRAM-SHA-256 *"))
		if Unreachable(err) {
			t.Errorf("%s: %v is unreachable", name, err)
		}
	}
}

// TestSecondMechanismIsNotUnreachable checks PLAIN after USER, which has sent the user name.
func TestSecondMechanismIsNotUnreachable(t *testing.T) {
	s := serverOn("pop3", longTimeout)
	s.Mechanisms = []string{"USER", "PLAIN"}
	err := loginUntil(t, s, []step{hangUp}, transcript("S: +OK ready\nC: USER tim\nS: -ERR no\nC: AUTH PLAIN")...)
	if Unreachable(err) {
		t.Errorf("%v is unreachable", err)
	}
}

// TestWarmIsNotUnreachable checks that what was sent on a warm connection counts too, if the fresh
// one cannot be opened or the deadline has passed.
func TestWarmIsNotUnreachable(t *testing.T) {
	for name, tt := range map[string]struct {
		mechanism string
		want      bool
	}{"the user name was sent": {"PLAIN", false}, "only the mechanism was": {"CRAM-MD5", true}} {
		before := runtime.NumGoroutine()
		t.Run(name, func(t *testing.T) {
			f := newMultiServer(t, func(n int) []step {
				ready := transcript("S: * OK [CAPABILITY SASL-IR AUTH=" + tt.mechanism + "] ready\nC: 001 AUTHENTICATE " + tt.mechanism + "*")
				switch {
				case n == 2: // the warm connection
					return append(ready, hangUp)
				case n == 3:
					return []step{hangUp}
				case tt.mechanism == "PLAIN":
					return mayLeave(append(ready, say("001 OK yes\r\n")))
				}
				return mayLeave(append(ready, say("+ "+challenge+"\r\n"), hear(answer), say("001 OK yes\r\n")))
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

// TestSentErrorIsTransparent checks that a sentError wraps the error.
func TestSentErrorIsTransparent(t *testing.T) {
	cause := errors.New("cause")
	err := error(sentError{cause})
	if !errors.Is(err, cause) || err.Error() != cause.Error() || Unreachable(err) {
		t.Errorf("%v", err)
	}
}
