package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// recording is a connection to a server whose lines are all known. A read returns one line, as if
// the server had waited for the client in between.
type recording struct {
	rest    string
	lines   int // read so far
	written strings.Builder
}

func (r *recording) Read(p []byte) (int, error) {
	if r.rest == "" {
		return 0, io.EOF
	}
	n := strings.IndexByte(r.rest, '\n') + 1
	if n == 0 {
		n = len(r.rest)
	}
	n = copy(p, r.rest[:n])
	r.lines += strings.Count(r.rest[:n], "\n")
	r.rest = r.rest[n:]
	return n, nil
}

func (r *recording) Write(p []byte) (int, error)    { return r.written.Write(p) }
func (*recording) Close() error                     { return nil }
func (*recording) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv6loopback, Port: 4711} }
func (*recording) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv6loopback, Port: 25} }
func (*recording) SetDeadline(time.Time) error      { return nil }
func (*recording) SetReadDeadline(time.Time) error  { return nil }
func (*recording) SetWriteDeadline(time.Time) error { return nil }

// grammar is what a server must have said for a verdict: a challenge, and then yes or no.
type grammar struct{ challenge, yes, no *regexp.Regexp }

// said reports whether the server's lines have a challenge and then a completion.
func (g grammar) said(server string, completion *regexp.Regexp) bool {
	challenged := false
	for line := range strings.Lines(server) {
		switch {
		case !strings.HasSuffix(line, "\n") || len(line) > MaxLine:
			return false
		case challenged && completion.MatchString(line):
			return true
		case g.challenge.MatchString(line):
			challenged = true
		}
	}
	return false
}

func FuzzPOP3(f *testing.F) {
	fuzz(f, "pop3", pop3Replies, grammar{
		challenge: regexp.MustCompile(`^\+ [0-9A-Za-z+/=\r ]+\n`),
		yes:       regexp.MustCompile(`^(?i:\+OK)( |\r?\n)`),
		no:        regexp.MustCompile(`^(?i:-ERR)( |\r?\n)`),
	})
}

func FuzzIMAP(f *testing.F) {
	fuzz(f, "imap", imapReplies, grammar{
		challenge: regexp.MustCompile(`^\+ [0-9A-Za-z+/=\r ]+\n`),
		yes:       regexp.MustCompile(`^001 (?i:OK)( |\r?\n)`),
		no:        regexp.MustCompile(`^001 (?i:NO)( |\r?\n)`),
	})
}

func FuzzSMTP(f *testing.F) {
	fuzz(f, "smtp", smtpReplies, grammar{
		challenge: regexp.MustCompile(`^334[ -][0-9A-Za-z+/=\r ]+\n`),
		yes:       regexp.MustCompile(`^235( |\r?\n)`),
		no:        regexp.MustCompile(`^535( |\r?\n)`),
	})
}

var temporary = regexp.MustCompile(`(?i)said "(-ERR|001 NO) *\[(SYS/TEMP|SYS/PERM|IN-USE|LOGIN-DELAY|UNAVAILABLE|INUSE|PRIVACYREQUIRED|LIMIT|SERVERBUG|CORRUPTION|CLIENTBUG|CANNOT)\]`)

// loginOver does a whole login over an open connection.
func loginOver(ctx context.Context, nc net.Conn, s Server) (string, error) {
	s.Timeout = longTimeout
	c := newConn(s, nc)
	if err := c.prepare(false); err != nil {
		return "", err
	}
	c.awaitsCommand = true
	var err error
	if c.mechanisms, err = s.choose(c.caps); err != nil {
		return "", err
	}
	defer c.Close()
	return c.Login(ctx, user, password)
}

func fuzz(f *testing.F, protocol string, replies []reply, g grammar) {
	for _, r := range replies {
		if len(r.says) <= 1000 { // longer ones slow the fuzzer down
			f.Add(recorded(protocol, r))
		}
	}
	f.Fuzz(func(t *testing.T, server string) {
		nc := &recording{rest: server}
		traced := 0
		reply, err := loginOver(t.Context(), nc, Server{Protocol: protocol, Trace: func(line string) {
			if strings.HasPrefix(line, "S: ") {
				traced++
			}
			if len(line) > len("S: ")+MaxLine {
				t.Errorf("line of %d bytes", len(line))
			}
		}})
		if err == nil && (reply == "" || !g.said(server, g.yes)) {
			t.Errorf("let in with %q", reply)
		}
		if errors.Is(err, ErrRejected) && (!g.said(server, g.no) || temporary.MatchString(err.Error())) {
			t.Errorf("rejected: %v", err)
		}
		if nc.lines > MaxLines || traced > MaxLines {
			t.Errorf("%d lines read, %d traced", nc.lines, traced)
		}
		checkWritten(t, protocol, nc.written.String(), err)
	})
}

// checkWritten checks that the client has sent few lines, none with the password.
func checkWritten(t *testing.T, protocol, written string, err error) {
	if strings.Contains(written, password) {
		t.Errorf("client wrote %q", written)
	}
	lines := strings.SplitAfter(written, "\r\n")
	if len(lines) > len(dialogue[protocol])+1 { // the last one is empty
		t.Errorf("client wrote %q", written)
	}
	for _, line := range lines {
		if answer := strings.TrimSuffix(line, "\r\n"); strings.HasPrefix(answer, "dGltI") && err != nil && strings.Contains(err.Error(), answer) {
			t.Errorf("error shows the answer: %v", err)
		}
	}
}

// recorded returns all that the server says in a login up to the reply r.
func recorded(protocol string, r reply) string {
	var b strings.Builder
	for _, turn := range dialogue[protocol] {
		if turn.stage == r.stage {
			b.WriteString(r.says)
			break
		}
		b.WriteString(turn.says)
	}
	return b.String()
}

// TestEHLOAddress checks that EHLO has the client's address (RFC 5321 section 4.1.3).
func TestEHLOAddress(t *testing.T) {
	nc := &recording{rest: recorded("smtp", reply{stage: "answer", says: "235 yes\r\n"})}
	if _, err := loginOver(t.Context(), nc, Server{Protocol: "smtp"}); err != nil {
		t.Error(err)
	}
	want := "EHLO [IPv6:::1]\r\nAUTH CRAM-MD5\r\n" + answer + "\r\nQUIT\r\n"
	if got := nc.written.String(); got != want {
		t.Errorf("client wrote %q, want %q", got, want)
	}
}
