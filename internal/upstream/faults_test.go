package upstream

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// garbage returns a line of random bytes.
func garbage() string {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 600)
	for i := range b {
		b[i] = byte(r.UintN(256))
	}
	return strings.ReplaceAll(string(b), "\n", "\xff") + "\r\n"
}

// faults returns what a server may say instead of the line of a turn. None of them is an answer
// to the password.
func faults(route string, turn turn) map[string]string {
	said := strings.Split(strings.TrimSuffix(turn.says, "\r\n"), "\r\n")
	lead, _, _ := strings.Cut(said[len(said)-1], " ") // a tag, or a code
	switch protocol, _, _ := strings.Cut(route, " "); {
	case turn.stage == "tls":
		return map[string]string{"an alert": "\x15\x03\x03\x00\x02\x02\x28", "SSL 2": "\x80\x2e\x01\x00\x02", "plain text": turn.stage + " not today\r\n"}
	case protocol == "imap":
		return map[string]string{"BAD": lead + " BAD what?\r\n", "BYE": "* BYE later\r\n", "UNAVAILABLE": lead + " NO [UNAVAILABLE] later\r\n",
			"of another tag": "999 OK done\r\n", "privacy required": lead + " NO [PRIVACYREQUIRED] not in clear\r\n"}
	case protocol == "pop3":
		return map[string]string{"SYS/TEMP": "-ERR [SYS/TEMP] later\r\n", "SYS/PERM": "-ERR [SYS/PERM] ask the administrator\r\n", "IN-USE": "-ERR [IN-USE] locked\r\n",
			"LOGIN-DELAY": "-ERR [LOGIN-DELAY] too fast\r\n", "a continuation": "+ " + challenge + "x\r\n"}
	}
	return map[string]string{"454": "454 4.7.0 later\r\n", "421": "421 4.3.2 closing\r\n", "501": "501 what?\r\n", "530": "530 5.7.0 STARTTLS first\r\n", "535 unfinished": "535-no\r\n"}
}

// TestFaults plays every fault at every turn of every route, and then closes the connection. None
// may count as a wrong or right password.
func TestFaults(t *testing.T) {
	for route, turns := range dialogue {
		for _, turn := range turns {
			all := faults(route, turn)
			all["garbage"] = garbage()
			for name, says := range all {
				t.Run(route+" "+turn.stage+" "+name, func(t *testing.T) {
					reply, err := login(t, t.Context(), longTimeout, route, script(route, turn.stage, say(says), hangUp)...)
					if got := outcomeOf(err); got != tempfail || notInTime(err) {
						t.Errorf("%s (%q, %v), want tempfail at once", got, reply, err)
					}
				})
			}
		}
	}
}

// TestRefusals checks that a refusal counts only after the server has seen the proof.
func TestRefusals(t *testing.T) {
	for route, turns := range dialogue {
		for _, turn := range turns {
			lead, _, _ := strings.Cut(turns[len(turns)-1].says, " ")
			no := map[string]string{"imap": lead + " NO no\r\n" + lead + " OK yes\r\n", "pop3": "-ERR no\r\n+OK yes\r\n", "smtp": "535 no\r\n235 yes\r\n"}[serverOn(route, 0).Protocol]
			want := tempfail
			if turn.stage == "answer" {
				want = reject
			}
			t.Run(route+" "+turn.stage, func(t *testing.T) {
				reply, err := login(t, t.Context(), longTimeout, route, script(route, turn.stage, say(no), hangUp)...)
				if got := outcomeOf(err); got != want || notInTime(err) {
					t.Errorf("%s (%q, %v), want %s", got, reply, err, want)
				}
			})
		}
	}
}

// TestFloods checks that a login leaves a server that does not stop sending, and reads little.
func TestFloods(t *testing.T) {
	for route, turns := range dialogue {
		for _, turn := range turns {
			last := turn.says[strings.LastIndex(strings.TrimSuffix(turn.says, "\r\n"), "\n")+1:]
			more := "* CAPABILITY IMAP4rev1\r\n"
			if strings.HasPrefix(route, "smtp") && turn.stage != "tls" {
				more = last[:3] + "-more\r\n"
			} else if strings.HasPrefix(route, "pop3") {
				more = "SASL X\r\n"
			}
			for name, steps := range map[string][]step{
				"one line":    {flood("x")},
				"lines":       {flood(more)},
				"empty lines": {flood("\r\n")},
				"its words":   {say(turn.says), flood(more)},
			} {
				if turn.stage == "tls" && name == "its words" || turn.stage == "answer" && name == "its words" {
					continue
				}
				t.Run(route+" "+turn.stage+" "+name, func(t *testing.T) {
					_, err := login(t, t.Context(), longTimeout, route, script(route, turn.stage, steps...)...)
					if got := outcomeOf(err); got != tempfail || notInTime(err) {
						t.Errorf("%s (%v), want tempfail at once", got, err)
					}
				})
			}
		}
	}
}

// endless is a connection to a server that repeats the same text for ever.
type endless struct {
	recording
	says string
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, strings.Repeat(e.says, 1+len(p)/len(e.says)))
	e.read += n
	return n, nil
}

// TestFloodIsBounded checks that at most MaxLine bytes of a line are read, and at most MaxLines
// lines.
func TestFloodIsBounded(t *testing.T) {
	for protocol, greeting := range map[string]string{"pop3": "+OK", "imap": "* OK", "smtp": "220-"} {
		for says, most := range map[string]int{
			"x":                          MaxLine,
			greeting + "\r\n":            (len(greeting)+2)*MaxLines + MaxLine,
			long(MaxLine, greeting+" "):  (MaxLines + 1) * MaxLine,
			long(MaxLine+1, greeting+""): MaxLine,
		} {
			t.Run(fmt.Sprint(protocol, " ", len(says)), func(t *testing.T) {
				nc := &endless{says: says}
				_, err := loginOver(t.Context(), nc, Server{Protocol: protocol, Mechanisms: []string{Auto}})
				if outcomeOf(err) != tempfail || nc.read > most {
					t.Errorf("%d bytes read, want %d at most (%v)", nc.read, most, err)
				}
			})
		}
	}
}

// TestStartTLSRefused checks that no part of the login is sent without TLS.
func TestStartTLSRefused(t *testing.T) {
	for _, tt := range []struct{ route, stage, says, want string }{
		{"pop3 starttls", "ask", "+OK\r\nUSER\r\nSASL PLAIN CRAM-MD5\r\n.\r\n", "not offered"},
		{"pop3 starttls", "ask", "-ERR unknown command\r\n", "not offered"},
		{"pop3 starttls", "starttls", "-ERR not now\r\n", "refused"},
		{"pop3 starttls", "starttls", "+ go on\r\n", "refused"},
		{"pop3 starttls", "starttls", "+OK begin\r\n+OK\r\nSASL PLAIN\r\n.\r\n", "sent unencrypted data"},
		{"imap starttls", "ask", "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=CRAM-MD5\r\n001 OK done\r\n", "not offered"},
		{"imap starttls", "ask", "001 OK done\r\n", "not offered"},
		{"imap starttls", "starttls", "002 NO not now\r\n", "refused"},
		{"imap starttls", "starttls", "002 BAD unknown\r\n", "refused"},
		{"imap starttls", "starttls", "001 OK begin\r\n", "refused"},
		{"imap starttls", "starttls", "002 OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", "sent unencrypted data"},
		{"imap starttls", "starttls", "002 OK begin\r\nx", "sent unencrypted data"},
		{"smtp starttls", "ask", "250-mail.example.com\r\n250 AUTH PLAIN CRAM-MD5\r\n", "not offered"},
		{"smtp starttls", "starttls", "454 TLS not available\r\n", "refused"},
		{"smtp starttls", "starttls", "501 no parameters\r\n", "refused"},
		{"smtp starttls", "starttls", "250 yes\r\n", "refused"},
		{"smtp starttls", "starttls", "220 go\r\n250 AUTH PLAIN\r\n", "sent unencrypted data"},
	} {
		t.Run(tt.route+" "+tt.says, func(t *testing.T) {
			s := serverOn(tt.route, longTimeout)
			s.Mechanisms = []string{"PLAIN", "CRAM-MD5"}
			_, _, err := loginTo(t, t.Context(), s, script(tt.route, tt.stage, say(tt.says), nothing)...)
			if outcomeOf(err) != tempfail || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one of %q", err, tt.want)
			}
		})
	}
}

// TestCertificates checks that the certificate is verified before anything is sent.
func TestCertificates(t *testing.T) {
	pinOf := func(id identity) Fingerprint { return sha256.Sum256(id.cert.Leaf.Raw) }
	old := func(s *session) error {
		nc := tls.Server(peeked{s.raw, s.r}, &tls.Config{Certificates: []tls.Certificate{known().cert}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
		if nc.Handshake() == nil {
			return errors.New("client has taken TLS 1.1")
		}
		return nil
	}
	for _, tt := range []struct {
		name string
		with TLS
		do   step
		want string
	}{
		{"expired", TLS{CAs: expired().authorities}, refusedHandshake(expired().cert), "expired"},
		{"of another address", TLS{CAs: elsewhere().authorities}, refusedHandshake(elsewhere().cert), "127.0.0.1"},
		{"of another name", TLS{CAs: elsewhere().authorities, ServerName: "mail.example.net"}, refusedHandshake(elsewhere().cert), "mail.example.net"},
		{"of an unknown authority", TLS{CAs: x509.NewCertPool()}, refusedHandshake(known().cert), "unknown authority"},
		{"of the system's authorities", TLS{}, refusedHandshake(known().cert), "unknown authority"},
		{"pinned to another", TLS{CAs: known().authorities, Fingerprint: pinOf(expired())}, refusedHandshake(known().cert), "not the one configured"},
		{"TLS 1.1", TLS{CAs: known().authorities}, old, "protocol version"},
		{"of this name", TLS{CAs: elsewhere().authorities, ServerName: "mail.example.com"}, handshake(elsewhere().cert), "closed"},
		{"pinned, expired", TLS{Fingerprint: pinOf(expired())}, handshake(expired().cert), "closed"},
		{"pinned, of another name", TLS{Fingerprint: pinOf(elsewhere()), ServerName: "x.example"}, handshake(elsewhere().cert), "closed"},
	} {
		for _, route := range []string{"pop3 starttls", "imap implicit", "smtp implicit"} {
			t.Run(tt.name+" "+route, func(t *testing.T) {
				s := serverOn(route, longTimeout)
				tt.with.Mode = s.TLS.Mode
				s.TLS = tt.with
				_, _, err := loginTo(t, t.Context(), s, script(route, "tls", tt.do, hangUp)...)
				if outcomeOf(err) != tempfail || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want one of %q", err, tt.want)
				}
			})
		}
	}
}

func TestFingerprint(t *testing.T) {
	const colons = "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:FF"
	for text, ok := range map[string]bool{
		colons: true, strings.ToLower(colons): true, strings.ReplaceAll(colons, ":", ""): true,
		"": false, colons[3:]: false, colons + ":00": false, "x" + colons[1:]: false, "secret": false,
	} {
		var f Fingerprint
		err := f.UnmarshalText([]byte(text))
		if (err == nil) != ok || ok && f.String() != colons {
			t.Errorf("%q: %v (%v)", text, f, err)
		}
		if err != nil && text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q shows in error %v", text, err)
		}
	}
}
