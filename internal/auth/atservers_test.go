package auth

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/route"
	"mailauthd/internal/upstream"
)

// challenge is RFC 2195's.
const challenge = "<1896.697170952@postoffice.reston.mci.net>"

var offered = "+ " + base64.StdEncoding.EncodeToString([]byte(challenge))

// proof is what a client says that knows the password.
func proof(user, pass string) string {
	return base64.StdEncoding.EncodeToString([]byte(upstream.CRAMMD5(user, pass, []byte(challenge))))
}

// scripted is a mail server on loopback that greets, then answers each line that it
// gets with the next one of its script, and hangs up at the end.
type scripted struct {
	net.Listener
	script []string
	got    chan string // the lines of the client
}

func startScripted(t *testing.T, script ...string) *scripted {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{Listener: l, script: script, got: make(chan string, 100)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			s.serve(c)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return s
}

func (s *scripted) serve(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewScanner(c)
	for _, line := range s.script {
		fmt.Fprintf(c, "%s\r\n", line)
		if !r.Scan() {
			return
		}
		s.got <- r.Text()
	}
}

func (s *scripted) addr() netip.AddrPort { return s.Addr().(*net.TCPAddr).AddrPort() }

// newUpstreamAuth has one domain, up.example, whose only server is at addr by all
// three protocols, and which nginx is told to reach at other ports.
func newUpstreamAuth(t testing.TB, addr netip.AddrPort) *Authenticator {
	t.Helper()
	a := newAuth(t)
	s := newServer("up", addr.Addr().String())
	s.POP3, s.IMAP, s.SMTP = addr.Port(), addr.Port(), addr.Port()
	setDomains(a, &route.Domain{Name: "up.example", Verify: route.VerifyUpstream, Servers: []*route.Server{s}})
	return a
}

func TestVerifyUpstream(t *testing.T) {
	user := "Tim@Up.example" // as the client spells it, so the server gets it
	ehlo := "250-mail.example\r\n250 AUTH PLAIN CRAM-MD5"
	smtp := strings.Replace(offered, "+", "334", 1)
	for _, tt := range []struct {
		name, protocol string
		script         []string
		outcome        authhttp.Outcome
		reply, detail  string
	}{
		{"imap", "imap", []string{"* OK hi", offered, "001 OK AUTHENTICATE completed"},
			authhttp.OK, "001 OK AUTHENTICATE completed", ""},
		{"imap, refused", "imap", []string{"* OK hi", offered, "001 NO AUTHENTICATE failed"},
			authhttp.Reject, "", `login refused: server said "001 NO AUTHENTICATE failed"`},
		{"imap, in use", "imap", []string{"* OK hi", offered, "001 NO [INUSE] later"},
			authhttp.TempFail, "", `authentication: server said "001 NO [INUSE] later"`},
		{"imap, bad", "imap", []string{"* OK hi", offered, "001 BAD what"},
			authhttp.TempFail, "", `authentication: server said "001 BAD what"`},
		{"imap, CRAM-MD5 not offered", "imap", []string{"* OK hi", "001 NO unsupported"},
			authhttp.TempFail, "", `CRAM-MD5 not offered: server said "001 NO unsupported"`},
		{"imap, hangs up", "imap", []string{"* OK hi", offered},
			authhttp.TempFail, "", "server closed the connection"},
		{"pop3", "pop3", []string{"+OK hi", offered, "+OK logged in"},
			authhttp.OK, "+OK logged in", ""},
		{"pop3, refused", "pop3", []string{"+OK hi", offered, "-ERR no"},
			authhttp.Reject, "", `login refused: server said "-ERR no"`},
		{"pop3, trouble", "pop3", []string{"+OK hi", offered, "-ERR [SYS/TEMP] later"},
			authhttp.TempFail, "", `authentication: server said "-ERR [SYS/TEMP] later"`},
		{"smtp", "smtp", []string{"220 hi", ehlo, smtp, "235 2.7.0 welcome"},
			authhttp.OK, "235 2.7.0 welcome", ""},
		{"smtp, refused", "smtp", []string{"220 hi", ehlo, smtp, "535 5.7.8 no"},
			authhttp.Reject, "", `login refused: server said "535 5.7.8 no"`},
		{"smtp, trouble", "smtp", []string{"220 hi", ehlo, smtp, "454 4.7.0 later"},
			authhttp.TempFail, "", `authentication: server said "454 4.7.0 later"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startScripted(t, tt.script...)
			server := "up " + s.addr().String()
			want := accepted(server)
			switch tt.outcome {
			case authhttp.Reject:
				want = refused(server, authlog.PasswordMismatch, `server "up": `+tt.detail)
			case authhttp.TempFail:
				want = troubled(server, `server "up": `+tt.detail)
				if tt.protocol == "smtp" {
					want = want.code("454 4.7.0")
				}
			}
			want.reply = tt.reply
			check(t, newUpstreamAuth(t, s.addr()), ask{protocol: tt.protocol, user: user, pass: right}, want)
			if tt.reply != "" {
				wantProof(t, s, proof(user, right))
			}
		})
	}
}

// wantProof wants the server to have got a line.
func wantProof(t *testing.T, s *scripted, want string) {
	t.Helper()
	for len(s.got) > 0 {
		if <-s.got == want {
			return
		}
	}
	t.Error("the server did not get the proof of the right user name and password")
}

func TestDefaultDomainGoesUpstream(t *testing.T) {
	s := startScripted(t, "* OK hi", offered, "001 OK done")
	a := newUpstreamAuth(t, s.addr())
	a.DefaultDomain = "up.example"
	want := accepted("up " + s.addr().String()).as("tim@up.example")
	want.reply = "001 OK done"
	check(t, a, ask{user: "tim", pass: right}, want)
	wantProof(t, s, proof("tim@up.example", right))
}

// The client speaks POP3, and nginx is told the POP3 port; the password is checked by IMAP.
func TestVerifyByAnotherProtocol(t *testing.T) {
	s := startScripted(t, "* OK hi", offered, "001 OK done")
	a := newUpstreamAuth(t, s.addr())
	up := a.Domains.Find("up.example").Servers[0]
	up.VerifyProtocol, up.POP3 = "imap", 110
	want := accepted(fmt.Sprintf("up %s:110", up.Host))
	want.reply = "001 OK done"
	check(t, a, ask{protocol: "pop3", user: "tim@up.example", pass: right}, want)
}

func TestUpstreamDown(t *testing.T) {
	s := startScripted(t)
	s.Close()
	server := "up " + s.addr().String()
	check(t, newUpstreamAuth(t, s.addr()), ask{user: "tim@up.example", pass: right},
		troubled(server, fmt.Sprintf(`server "up": connect: dial tcp %v: connect: connection refused`, s.addr())))
}

func TestUpstreamSilent(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel connects, nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	a := newUpstreamAuth(t, silent.Addr().(*net.TCPAddr).AddrPort())
	in := ask{user: "tim@up.example", pass: right}.header()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ctx := range []context.Context{t.Context(), canceled} {
		a.Domains.Find("up.example").Servers[0].Timeout = 50 * time.Millisecond
		response, event := a.Answer(ctx, in)
		if response.Outcome != authhttp.TempFail || event.Outcome != authlog.TempFail || event.Error == "" {
			t.Errorf("response %+v, event %+v", response, event)
		}
	}
}
