package upstream

import (
	"errors"
	"strings"
	"testing"
)

// transcript returns the script of lines "S: …" and "C: …". A ⏎ is a line end within one write.
func transcript(text string) []step {
	var steps []step
	for line := range strings.Lines(strings.TrimLeft(text, "\n")) {
		who, what, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if who == "S" {
			steps = append(steps, say(strings.ReplaceAll(what, "⏎", "\r\n")+"\r\n"))
		} else {
			steps = append(steps, hear(what))
		}
	}
	return steps
}

// roundTrips returns how often a dialogue waited for the server, besides the greeting.
func roundTrips(trace []string) int {
	n := 0
	for i, line := range trace[1:] {
		if strings.HasPrefix(line, "S: ") && strings.HasPrefix(trace[i], "C: ") {
			n++
		}
	}
	return n
}

// Parts of the dialogues below in base64: the message of PLAIN, the user name, the password.
const (
	plain64    = "AHRpbQB0YW5zdGFhZnRhbnN0YWFm"
	user64     = "dGlt"
	password64 = "dGFuc3RhYWZ0YW5zdGFhZg=="
)

var exchanges = []struct {
	name, protocol string
	mechanisms     []string
	trips          int
	text           string
}{
	{"as auth.php", "imap", nil, 2, `
S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] the greeting is not looked at
C: 001 AUTHENTICATE CRAM-MD5
S: + ` + challenge + `
C: ` + answer + `
S: 001 OK done
C: 002 LOGOUT`},
	{"PLAIN with SASL-IR", "imap", []string{"PLAIN"}, 1, `
S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
C: 001 AUTHENTICATE PLAIN ` + plain64 + `
S: 001 OK done
C: 002 LOGOUT`},
	{"PLAIN without", "imap", []string{"PLAIN"}, 2, `
S: * OK ready
C: 001 AUTHENTICATE PLAIN
S: +
C: ` + plain64 + `
S: 001 OK done
C: 002 LOGOUT`},
	{"PLAIN with SASL-IR and an early word", "imap", []string{"PLAIN"}, 2, `
S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready⏎* OK by the way
C: 001 AUTHENTICATE PLAIN
S: +
C: ` + plain64 + `
S: 001 OK done
C: 002 LOGOUT`},
	{"LOGIN", "imap", []string{"LOGIN"}, 3, `
S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=LOGIN] ready
C: 001 AUTHENTICATE LOGIN
S: + VXNlcm5hbWU6
C: ` + user64 + `
S: + UGFzc3dvcmQ6
C: ` + password64 + `
S: 001 OK done
C: 002 LOGOUT`},
	{"the LOGIN command", "imap", []string{"IMAP-LOGIN"}, 1, `
S: * OK [CAPABILITY IMAP4rev1] ready
C: 001 LOGIN "tim" "tanstaaftanstaaf"
S: 001 OK done
C: 002 LOGOUT`},
	{"the LOGIN command of a server that has to be asked", "imap", []string{"IMAP-LOGIN"}, 2, `
S: * OK ready
C: 001 CAPABILITY
S: * CAPABILITY IMAP4rev1
S: 001 OK done
C: 002 LOGIN "tim" "tanstaaftanstaaf"
S: 002 OK done
C: 003 LOGOUT`},
	{"tried in turn", "imap", []string{"SCRAM-SHA-256", "CRAM-MD5"}, 3, `
S: * OK ready
C: 001 AUTHENTICATE SCRAM-SHA-256
S: 001 NO unsupported
C: 002 AUTHENTICATE CRAM-MD5
S: + ` + challenge + `
C: ` + answer + `
S: 002 OK done
C: 003 LOGOUT`},
	{"chosen by the greeting", "imap", []string{"SCRAM-SHA-256", "CRAM-MD5"}, 2, `
S: * OK [CAPABILITY IMAP4rev1 AUTH=CRAM-MD5 AUTH=PLAIN] ready
C: 001 AUTHENTICATE CRAM-MD5
S: + ` + challenge + `
C: ` + answer + `
S: 001 OK done
C: 002 LOGOUT`},
	{"auto", "imap", []string{"auto"}, 3, `
S: * OK ready
C: 001 CAPABILITY
S: * CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=CRAM-MD5 AUTH=GSSAPI
S: 001 OK done
C: 002 AUTHENTICATE CRAM-MD5
S: + ` + challenge + `
C: ` + answer + `
S: 002 OK done
C: 003 LOGOUT`},
	{"PLAIN", "pop3", []string{"PLAIN"}, 2, `
S: +OK ready
C: AUTH PLAIN
S: + 
C: ` + plain64 + `
S: +OK done
C: QUIT`},
	{"auto", "pop3", []string{"auto"}, 2, `
S: +OK ready
C: CAPA
S: +OK
S: USER
S: SASL LOGIN PLAIN
S: .
C: AUTH PLAIN ` + plain64 + `
S: +OK done
C: QUIT`},
	{"auto without CAPA", "pop3", []string{"auto"}, 3, `
S: +OK ready
C: CAPA
S: -ERR what?
C: USER tim
S: +OK
C: PASS tanstaaftanstaaf
S: +OK done
C: QUIT`},
	{"USER", "pop3", []string{"USER"}, 2, `
S: +OK ready
C: USER tim
S: +OK
C: PASS tanstaaftanstaaf
S: +OK done
C: QUIT`},
	{"APOP", "pop3", []string{"APOP"}, 1, `
S: +OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>
C: APOP tim ` + apopDigest + `
S: +OK done
C: QUIT`},
	{"APOP not offered", "pop3", []string{"APOP", "USER"}, 2, `
S: +OK POP3 server ready <dbc.mtview.ca.us>
C: USER tim
S: +OK
C: PASS tanstaaftanstaaf
S: +OK done
C: QUIT`},
	{"PLAIN", "smtp", []string{"PLAIN"}, 2, `
S: 220 ready
C: EHLO [127.0.0.1]
S: 250-x
S: 250 AUTH PLAIN LOGIN
C: AUTH PLAIN ` + plain64 + `
S: 235 done
C: QUIT`},
	{"PLAIN of a server that hides it", "smtp", []string{"PLAIN"}, 3, `
S: 220 ready
C: EHLO [127.0.0.1]
S: 250 x
C: AUTH PLAIN
S: 334
C: ` + plain64 + `
S: 235 done
C: QUIT`},
	{"LOGIN, the first that is offered", "smtp", []string{"SCRAM-SHA-1", "LOGIN", "PLAIN"}, 4, `
S: 220 ready
C: EHLO [127.0.0.1]
S: 250-x
S: 250 AUTH PLAIN LOGIN
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: ` + user64 + `
S: 334 UGFzc3dvcmQ6
C: ` + password64 + `
S: 235 done
C: QUIT`},
}

// apopDigest is the MD5 of time stamp and password.
const apopDigest = "37517402d6b6d7ada3d4f84c36854c32"

// TestMechanisms checks the dialogue of each mechanism byte for byte, and its round trips.
func TestMechanisms(t *testing.T) {
	for _, tt := range exchanges {
		t.Run(tt.protocol+" "+tt.name, func(t *testing.T) {
			s := serverOn(tt.protocol, longTimeout)
			s.Mechanisms = tt.mechanisms
			_, trace, err := loginTo(t, t.Context(), s, transcript(tt.text)...)
			if err != nil {
				t.Fatal(err)
			}
			if got := roundTrips(trace); got != tt.trips {
				t.Errorf("%d round trips, want %d:\n%s", got, tt.trips, strings.Join(trace, "\n"))
			}
		})
	}
}

// TestMechanismsFail checks other replies of a server to a mechanism.
func TestMechanismsFail(t *testing.T) {
	const ir = "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=LOGIN] ready\n"
	for _, tt := range []struct {
		name, protocol, mechanism string
		text                      string
		want                      outcome
	}{
		{"refused", "imap", "PLAIN", ir + "C: 001 AUTHENTICATE PLAIN*\nS: 001 NO wrong " + plain64, reject},
		{"not begun", "imap", "PLAIN", "S: * OK ready\nC: 001 AUTHENTICATE PLAIN\nS: 001 NO unsupported", tempfail},
		{"accepted without asking", "imap", "PLAIN", "S: * OK ready\nC: 001 AUTHENTICATE PLAIN\nS: 001 OK done", tempfail},
		{"asked twice", "imap", "PLAIN", ir + "C: 001 AUTHENTICATE PLAIN*\nS: + \n", tempfail},
		{"not base64", "imap", "PLAIN", "S: * OK ready\nC: 001 AUTHENTICATE PLAIN\nS: + please!", tempfail},
		{"accepted by its name", "imap", "LOGIN", ir + "C: 001 AUTHENTICATE LOGIN\nS: + VXNlcm5hbWU6\nC: " + user64 + "\nS: 001 OK done", tempfail},
		{"no such user", "imap", "LOGIN", ir + "C: 001 AUTHENTICATE LOGIN\nS: + VXNlcm5hbWU6\nC: " + user64 + "\nS: 001 NO who?", reject},
		{"asked for three things", "imap", "LOGIN", ir + "C: 001 AUTHENTICATE LOGIN\nS: + VXNlcm5hbWU6\nC: " + user64 + "\nS: + UGFzc3dvcmQ6\nC: " + password64 + "\nS: + VXNlcm5hbWU6", tempfail},
		{"refused", "imap", "IMAP-LOGIN", "S: * OK [CAPABILITY X]\nC: 001 LOGIN*\nS: 001 NO [AUTHENTICATIONFAILED] " + password, reject},
		{"not in clear", "imap", "IMAP-LOGIN", "S: * OK [CAPABILITY X]\nC: 001 LOGIN*\nS: 001 NO [PRIVACYREQUIRED] no", tempfail},
		{"disabled", "imap", "IMAP-LOGIN", "S: * OK ready\nC: 001 CAPABILITY\nS: * CAPABILITY IMAP4rev1 LOGINDISABLED\nS: 001 OK", tempfail},
		{"broken", "imap", "IMAP-LOGIN", "S: * OK [CAPABILITY X]\nC: 001 LOGIN*\nS: 001 BAD what", tempfail},
		{"refused", "pop3", "USER", "S: +OK ready\nC: USER tim\nS: +OK\nC: PASS " + password + "\nS: -ERR no\nS: +OK yes", reject},
		{"off, or no such user", "pop3", "USER", "S: +OK ready\nC: USER tim\nS: -ERR no", tempfail},
		{"early", "pop3", "USER", "S: +OK ready\nC: USER tim\nS: +OK⏎+OK logged in", tempfail},
		{"locked", "pop3", "USER", "S: +OK ready\nC: USER tim\nS: +OK\nC: PASS*\nS: -ERR [IN-USE] locked", tempfail},
		{"refused", "pop3", "APOP", "S: +OK <1@x>\nC: APOP tim *\nS: -ERR no", reject},
		{"no stamp", "pop3", "APOP", "S: +OK ready", tempfail},
		{"an attacker's stamp", "pop3", "APOP", "S: +OK <1@x\x80>", tempfail},
		{"auto, but nothing", "smtp", "auto", "S: 220 ready\nC: EHLO*\nS: 250 x", tempfail},
		{"not offered", "smtp", "SCRAM-SHA-1", "S: 220 ready\nC: EHLO*\nS: 250-x\nS: 250 AUTH PLAIN", tempfail},
		{"refused", "smtp", "PLAIN", "S: 220 ready\nC: EHLO*\nS: 250-x\nS: 250 AUTH PLAIN\nC: AUTH PLAIN*\nS: 535 " + plain64, reject},
		{"too weak", "smtp", "PLAIN", "S: 220 ready\nC: EHLO*\nS: 250-x\nS: 250 AUTH PLAIN\nC: AUTH PLAIN*\nS: 538 encrypt", tempfail},
	} {
		t.Run(strings.Join([]string{tt.protocol, tt.mechanism, tt.name}, " "), func(t *testing.T) {
			s := serverOn(tt.protocol, longTimeout)
			s.Mechanisms = []string{tt.mechanism}
			_, trace, err := loginTo(t, t.Context(), s, transcript(tt.text)...)
			if got := outcomeOf(err); got != tt.want || notInTime(err) {
				t.Errorf("%s (%v), want %s", got, err, tt.want)
			}
			if said := strings.Join(trace, "\n") + err.Error(); strings.Contains(said, apopDigest) {
				t.Errorf("digest shows in %s", said)
			}
		})
	}
}

// TestLongInitialResponse checks that a response that does not fit the command is sent after it.
func TestLongInitialResponse(t *testing.T) {
	for protocol, tt := range map[string]struct {
		lines string
		limit int
	}{
		"pop3": {"S: +OK ready\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: .\nC: AUTH PLAIN*\nS: +OK", 255},
		"smtp": {"S: 220 ready\nC: EHLO*\nS: 250-x\nS: 250 AUTH PLAIN\nC: AUTH PLAIN*\nS: 235 yes", 512},
	} {
		for name, size := range map[string]int{"fits": (tt.limit-len("AUTH PLAIN \r\n"))/4*3 - len("\x00x\x00"), "does not": (tt.limit-len("AUTH PLAIN \r\n"))/4*3 - len("\x00x\x00") + 1} {
			t.Run(protocol+" "+name, func(t *testing.T) {
				s := serverOn(protocol, longTimeout)
				s.Mechanisms = []string{Auto}
				lines := tt.lines
				if name != "fits" {
					lines = strings.Replace(lines, "C: AUTH PLAIN*\n", "C: AUTH PLAIN\nS: "+map[string]string{"pop3": "+ ", "smtp": "334 "}[protocol]+"\nC: AHgA*\n", 1)
				}
				m := newMailServer(t, transcript(lines)...)
				s.Addr = m.addr
				if _, err := s.Login(t.Context(), "x", strings.Repeat("p", size)); err != nil {
					t.Error(err)
				}
				m.finish(t)
			})
		}
	}
}

// TestLoginCommandStrings checks that quotes are escaped, and that a string with bytes above 0x7f is
// a literal.
func TestLoginCommandStrings(t *testing.T) {
	for _, tt := range []struct{ user, password, text string }{
		{`a"b\c`, "", "C: 001 LOGIN \"a\\\"b\\\\c\" \"\"\nS: 001 OK"},
		{"u", "\xff\xfe", "C: 001 LOGIN \"u\" {2}\nS: + go\nC: \xff\xfe\nS: 001 OK"},
		{"\u00fc", "p q", "C: 001 LOGIN {2}\nS: +\nC: \u00fc \"p q\"\nS: 001 OK"},
		{"\u00fc", "\u00e4", "C: 001 LOGIN {2}\nS: + go\nC: \u00fc {2}\nS: + go\nC: \u00e4\nS: 001 OK"},
	} {
		m := newMailServer(t, transcript("S: * OK [CAPABILITY X]\n"+tt.text)...)
		s := serverOn("imap", longTimeout)
		s.Addr, s.Mechanisms = m.addr, []string{imapLogin}
		if _, err := s.Login(t.Context(), tt.user, tt.password); err != nil {
			t.Errorf("%q %q: %v", tt.user, tt.password, err)
		}
		m.finish(t)
	}
}

// TestLineEnds checks that a user name or password cannot contain a second command.
func TestLineEnds(t *testing.T) {
	for _, bad := range []string{"x\r", "x\ny", "\x00"} {
		for _, tt := range [][2]string{{bad, "x"}, {"x", bad}} {
			nc := &recording{rest: "+OK <1@x>\r\n"}
			c := newConn(Server{Protocol: "pop3"}, nc)
			c.awaitsCommand = true
			if _, err := c.Login(t.Context(), tt[0], tt[1]); err == nil || errors.Is(err, ErrRejected) || nc.written.Len() > 0 {
				t.Errorf("%q: %v, and %q was written", tt, err, nc.written.String())
			}
		}
	}
}

// TestRefusedOnce: a password that one mechanism was refused with is not tried by the next, which could lock the
// account.
func TestRefusedOnce(t *testing.T) {
	s := serverOn("imap", longTimeout)
	s.Mechanisms, s.AllowCleartext = []string{"CRAM-MD5", "PLAIN"}, true
	_, _, err := loginTo(t, t.Context(), s, script("imap", "answer", say("001 NO no\r\n"), hear("002 LOGOUT"))...)
	if outcomeOf(err) != reject {
		t.Errorf("%v, want a refusal", err)
	}
}
