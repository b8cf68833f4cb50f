package upstream

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The dialogue of RFC 2195 section 2, in which the right answer of the client is known.
const (
	user      = "tim"
	password  = "tanstaaftanstaaf"
	challenge = "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"
	answer    = "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"
)

// outcome is the result of a login.
type outcome string

const (
	good     outcome = "ok"
	reject   outcome = "reject"
	tempfail outcome = "tempfail"
)

func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return good
	case errors.Is(err, ErrRejected):
		return reject
	}
	return tempfail
}

// login logs in by a route, and checks what must be true of every login.
func login(t *testing.T, ctx context.Context, timeout time.Duration, route string, steps ...step) (string, error) {
	t.Helper()
	reply, _, err := loginTo(t, ctx, serverOn(route, timeout), steps...)
	return reply, err
}

// loginTo logs in at a server that plays a script, and checks that no goroutine is left.
func loginTo(t *testing.T, ctx context.Context, s Server, steps ...step) (reply string, trace []string, err error) {
	t.Helper()
	before := runtime.NumGoroutine()
	m := newMailServer(t, steps...)
	reply, trace, err = loginAt(t, ctx, s, m)
	waitForGoroutines(t, before+1) // the server still listens
	return reply, trace, err
}

// loginAt logs in at a server. It checks the time, that there was one connection, which is closed,
// and that no secret is shown.
func loginAt(t *testing.T, ctx context.Context, s Server, m *mailServer) (reply string, trace []string, err error) {
	t.Helper()
	s.Addr = m.addr
	s.Trace = func(line string) { trace = append(trace, line) }
	start := time.Now()
	reply, err = s.Login(ctx, user, password)
	if took := time.Since(start); took > s.Timeout+longTimeout/2 {
		t.Errorf("took %v with a timeout of %v", took, s.Timeout)
	}
	m.finish(t)
	noSecret(t, reply, err, strings.Join(trace, "\n"))
	if err != nil && reply != "" {
		t.Errorf("reply %q along with error %v", reply, err)
	}
	return reply, trace, err
}

func noSecret(t *testing.T, reply string, err error, trace string) {
	t.Helper()
	for _, secret := range []string{password, answer, strings.TrimRight(password64, "="), plain64} {
		if strings.Contains(reply, secret) || strings.Contains(trace, secret) || err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("secret shows in reply %q, error %v or trace\n%s", reply, err, trace)
		}
	}
}

func waitForGoroutines(t *testing.T, want int) {
	t.Helper()
	for end := time.Now().Add(longTimeout); runtime.NumGoroutine() > want; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, want %d", runtime.NumGoroutine(), want)
		}
	}
}

// TestLogin checks whole dialogues, goodbye included. The server sends each line in one piece, byte
// by byte, and with bare line feeds.
func TestLogin(t *testing.T) {
	for protocol, goodbye := range map[string]string{"pop3": "QUIT", "imap": "002 LOGOUT", "smtp": "QUIT"} {
		turns := dialogue[protocol]
		want := strings.TrimSuffix(turns[len(turns)-1].says, "\r\n")
		for name, send := range map[string]func(string) step{
			"lines":      say,
			"bytes":      drip,
			"bare LF":    func(s string) step { return say(strings.ReplaceAll(s, "\r\n", "\n")) },
			"lower case": func(s string) step { return say(lowerStatus.Replace(s)) },
		} {
			t.Run(protocol+" "+name, func(t *testing.T) {
				var steps []step
				for _, turn := range turns {
					if turn.hears != "" {
						steps = append(steps, hear(turn.hears))
					}
					steps = append(steps, send(turn.says))
				}
				steps = append(steps, hear(goodbye))
				reply, err := login(t, t.Context(), longTimeout, protocol, steps...)
				if err != nil || !strings.EqualFold(reply, want) {
					t.Errorf("reply %q, error %v, want %q", reply, err, want)
				}
			})
		}
	}
}

var lowerStatus = strings.NewReplacer("+OK", "+ok", " OK ", " ok ", "AUTH PLAIN", "auth plain", "CRAM-MD5", "cram-md5")

// TestLoginWrongPassword checks a server that verifies the digest, with random challenges.
func TestLoginWrongPassword(t *testing.T) {
	said := map[string]struct{ yes, no string }{
		"pop3": {"+OK logged in\r\n", "-ERR [AUTH] invalid user or password\r\n"},
		"imap": {"001 OK done\r\n", "001 NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"},
		"smtp": {"235 2.7.0 yes\r\n", "535 5.7.8 Error: authentication failed\r\n"},
	}
	for protocol, says := range said {
		for _, tt := range []struct {
			name, right string
			want        outcome
		}{
			{"right", password, good},
			{"one byte more", password + "x", reject},
			{"other case", strings.ToUpper(password), reject},
		} {
			t.Run(protocol+" "+tt.name, func(t *testing.T) {
				ticket := fmt.Sprintf("<%s.%d@mail.example.com>", protocol, len(tt.name))
				lead, _, _ := strings.Cut(dialogue[protocol][len(dialogue[protocol])-2].says, " ")
				steps := script(protocol, "auth",
					say(lead+" "+base64.StdEncoding.EncodeToString([]byte(ticket))+"\r\n"),
					verifyDigest(ticket, tt.right, says.yes, says.no))
				_, err := login(t, t.Context(), longTimeout, protocol, steps...)
				if got := outcomeOf(err); got != tt.want {
					t.Errorf("%s (%v), want %s", got, err, tt.want)
				}
			})
		}
	}
}

// verifyDigest verifies the answer to a challenge, as a mail server does.
func verifyDigest(ticket, right, yes, no string) step {
	return func(s *session) error {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return err
		}
		mac := hmac.New(md5.New, []byte(right))
		mac.Write([]byte(ticket))
		want := fmt.Sprintf("%s %x", user, mac.Sum(nil))
		if got, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(line, "\r\n")); err == nil && string(got) == want {
			return say(yes)(s)
		}
		return say(no)(s)
	}
}

func TestCRAMMD5(t *testing.T) {
	ticket, err := base64.StdEncoding.DecodeString(challenge)
	if err != nil {
		t.Fatal(err)
	}
	got := CRAMMD5(user, password, ticket)
	if want := "tim b913a602c7eda7a495b4e6e7334d3890"; got != want {
		t.Errorf("RFC 2195's example gives %q, want %q", got, want)
	}
	if got := base64.StdEncoding.EncodeToString([]byte(got)); got != answer {
		t.Errorf("in base64 %q, want %q", got, answer)
	}
}

// TestLoginNowhere checks logins that fail before a dialogue.
func TestLoginNowhere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := netip.MustParseAddrPort(l.Addr().String())
	l.Close()
	for _, tt := range []struct {
		name string
		s    Server
		want string
	}{
		{"connection refused", Server{Protocol: "imap", Addr: refusing, ConnectTimeout: longTimeout, Timeout: longTimeout}, "connect: "},
		{"no time", Server{Protocol: "imap", Addr: refusing}, "connect: "},
		{"no address", Server{Protocol: "imap", ConnectTimeout: longTimeout, Timeout: longTimeout}, "connect: "},
		{"no such protocol", Server{Protocol: "nntp", Addr: refusing, ConnectTimeout: longTimeout, Timeout: longTimeout}, `unknown protocol "nntp"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			reply, err := tt.s.Login(t.Context(), user, password)
			if outcomeOf(err) != tempfail || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %v, want %s…", err, tt.want)
			}
			noSecret(t, reply, err, "")
			waitForGoroutines(t, before)
		})
	}
}

// notInTime reports whether a login ended with its deadline, without an answer.
func notInTime(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
