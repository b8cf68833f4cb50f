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

// The dialogue of RFC 2195 section 2: what the client's answer must be is known.
const (
	user      = "tim"
	password  = "tanstaaftanstaaf"
	challenge = "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"
	answer    = "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"
)

// outcome is what a login comes to.
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

// script is a login up to one stage of it: what the server says there ends the
// script. The stages are the server's turns: "greeting", "ehlo" (SMTP only),
// "auth" and "answer".
func script(protocol, stage string, last ...step) []step {
	var steps []step
	for _, turn := range dialogue[protocol] {
		if turn.hears != "" {
			steps = append(steps, hear(turn.hears))
		}
		if turn.stage == stage {
			return append(steps, last...)
		}
		steps = append(steps, say(turn.says))
	}
	panic("no stage " + stage)
}

type turn struct{ hears, stage, says string }

var dialogue = map[string][]turn{
	"pop3": {
		{"", "greeting", "+OK POP3 server on mail.example.com ready <1896.697170952@mail.example.com>\r\n"},
		{"AUTH CRAM-MD5", "auth", "+ " + challenge + "\r\n"},
		{answer, "answer", "+OK logged in\r\n"},
	},
	"imap": {
		{"", "greeting", "* OK Axigen-10.3 IMAP4rev1 service is ready\r\n"},
		{"001 AUTHENTICATE CRAM-MD5", "auth", "+ " + challenge + "\r\n"},
		{answer, "answer", "001 OK AUTHENTICATE completed\r\n"},
	},
	"smtp": {
		{"", "greeting", "220 mail.example.com Axigen ESMTP ready\r\n"},
		{"EHLO [127.0.0.1]", "ehlo", "250-mail.example.com Axigen ESMTP hello\r\n250-PIPELINING\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n250 HELP\r\n"},
		{"AUTH CRAM-MD5", "auth", "334 " + challenge + "\r\n"},
		{answer, "answer", "235 2.7.0 Authentication successful\r\n"},
	},
}

// login logs in to the server, and sees to what holds for every login: it ends in
// time, one connection, closed, no goroutine left, no secret told.
func login(t *testing.T, ctx context.Context, timeout time.Duration, protocol string, steps ...step) (string, error) {
	t.Helper()
	before := runtime.NumGoroutine()
	m := newMailServer(t, steps...)
	var trace strings.Builder
	s := Server{Protocol: protocol, Addr: m.addr, ConnectTimeout: timeout, Timeout: timeout,
		Trace: func(line string) { fmt.Fprintln(&trace, line) }}
	start := time.Now()
	reply, err := s.Login(ctx, user, password)
	if took := time.Since(start); took > timeout+patience/2 {
		t.Errorf("took %v with a timeout of %v", took, timeout)
	}
	m.finish(t)
	noSecret(t, reply, err, trace.String())
	waitForGoroutines(t, before+1) // the server still listens
	if err != nil && reply != "" {
		t.Errorf("reply %q along with error %v", reply, err)
	}
	return reply, err
}

func noSecret(t *testing.T, reply string, err error, trace string) {
	t.Helper()
	for _, secret := range []string{password, answer} {
		if strings.Contains(reply, secret) || strings.Contains(trace, secret) || err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("secret shows in reply %q, error %v or trace\n%s", reply, err, trace)
		}
	}
}

func waitForGoroutines(t *testing.T, want int) {
	t.Helper()
	for end := time.Now().Add(patience); runtime.NumGoroutine() > want; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, want %d", runtime.NumGoroutine(), want)
		}
	}
}

// TestLogin: a whole dialogue, goodbye and all, as it should go; in one piece, byte
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
				reply, err := login(t, t.Context(), patience, protocol, steps...)
				if err != nil || !strings.EqualFold(reply, want) {
					t.Errorf("reply %q, error %v, want %q", reply, err, want)
				}
			})
		}
	}
}

var lowerStatus = strings.NewReplacer("+OK", "+ok", " OK ", " ok ", "AUTH PLAIN", "auth plain", "CRAM-MD5", "cram-md5")

// TestLoginWrongPassword: the server judges the digest itself, over challenges of its own.
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
					judge(ticket, tt.right, says.yes, says.no))
				_, err := login(t, t.Context(), patience, protocol, steps...)
				if got := outcomeOf(err); got != tt.want {
					t.Errorf("%s (%v), want %s", got, err, tt.want)
				}
			})
		}
	}
}

// judge verifies the answer to a challenge, as a mail server does.
func judge(ticket, right, yes, no string) step {
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

// TestLoginNowhere: nobody there, or nothing that could be asked.
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
		{"connection refused", Server{Protocol: "imap", Addr: refusing, ConnectTimeout: patience, Timeout: patience}, "connect: "},
		{"no time", Server{Protocol: "imap", Addr: refusing}, "connect: "},
		{"no address", Server{Protocol: "imap", ConnectTimeout: patience, Timeout: patience}, "connect: "},
		{"no such protocol", Server{Protocol: "nntp", Addr: refusing, ConnectTimeout: patience, Timeout: patience}, `no dialogue for protocol "nntp"`},
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

// notInTime tells whether a login ended by its deadline rather than by an answer.
func notInTime(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
