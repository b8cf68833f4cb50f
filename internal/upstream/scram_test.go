package upstream

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"testing"
)

// TestSCRAMExamples checks the dialogues of RFC 5802 section 5 and RFC 7677 section 3.
func TestSCRAMExamples(t *testing.T) {
	for _, tt := range []struct {
		hash                                                      func() hash.Hash
		nonce, clientFirst, serverFirst, clientFinal, serverFinal string
	}{
		{sha1.New, "fyko+d2lbbFgONRv9qkxdawL",
			"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
		{sha256.New, "rOprNGfwEbeRWgbNEkqO",
			"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
	} {
		x := newSCRAM(tt.hash)(t.Context(), Server{}, "user", "pencil").(*scram)
		x.nonce = tt.nonce
		for _, turn := range []struct{ challenge, want string }{{"", tt.clientFirst}, {tt.serverFirst, tt.clientFinal}, {tt.serverFinal, ""}} {
			got, err := x.respond([]byte(turn.challenge))
			if err != nil || string(got) != turn.want {
				t.Errorf("to %q: %q, %v; want %q", turn.challenge, got, err, turn.want)
			}
		}
		if err := x.checkOutcome(accepted); err != nil {
			t.Error(err)
		}
		if _, err := x.respond(nil); err == nil {
			t.Error("an answer to a fourth challenge")
		}
	}
}

func TestSCRAMIterations(t *testing.T) {
	for _, h := range []func() hash.Hash{sha1.New, sha256.New} {
		for _, n := range []int{1, 2, 4096, 5000} {
			x := &scram{ctx: t.Context(), hash: h, password: password}
			got, err := x.iterate([]byte("salt"), n)
			want, _ := pbkdf2.Key(h, password, []byte("salt"), n, h().Size())
			if err != nil || !hmac.Equal(got, want) {
				t.Errorf("%d iterations: %x, %v; want %x", n, got, err, want)
			}
		}
	}
}

func TestSCRAMUserName(t *testing.T) {
	x := &scram{user: "a=b,c=2C@example.com", nonce: "r"}
	if got, want := x.clientFirst(), "n=a=3Db=2Cc=3D2C@example.com,r=r"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestServerFirst(t *testing.T) {
	for message, ok := range map[string]bool{
		"r=oursx,s=c2FsdA==,i=4096":                       true,
		"r=oursx,s=c2FsdA==,i=1000000,x=later":            true,
		"r=oursx,s=c2FsdA==,i=4095":                       false,
		"r=oursx,s=c2FsdA==,i=1000001":                    false,
		"r=oursx,s=c2FsdA==,i=-1":                         false,
		"r=oursx,s=c2FsdA==,i=1e9":                        false,
		"r=oursx,s=c2FsdA==,i=" + strings.Repeat("9", 99): false,
		"r=oursx,s=c2FsdA==,i=":                           false,
		"r=oursx,s=c2FsdA==":                              false,
		"r=oursx,s=,i=4096":                               false,
		"r=oursx,s=c2FsdA,i=4096":                         false,
		"r=oursx,i=4096,s=c2FsdA==":                       false,
		"r=ours,s=c2FsdA==,i=4096":                        false,
		"r=xours,s=c2FsdA==,i=4096":                       false,
		"r=,s=c2FsdA==,i=4096":                            false,
		"m=must,r=oursx,s=c2FsdA==,i=4096":                false,
		"e=no-resources":                                  false,
		"":                                                false,
		",,":                                              false,
	} {
		if _, err := parseServerFirst(message, "ours"); (err == nil) != ok {
			t.Errorf("%q: %v", message, err)
		}
	}
}

// scramServer is a server that knows a password. Its last fields are what it does wrong.
type scramServer struct {
	hash  func() hash.Hash
	right string
	lead  string // of a challenge: "+ " or "334 "
	yes   string // the answer to a right proof
	no    string // and to a wrong one

	iterations int
	first      string // instead of its first message; NONCE is the client's
	final      string // instead of its last one; "-" is none; after "e=…" comes no
}

// step plays the server from the initial response on.
func (f scramServer) step(command string) step {
	return func(s *session) error {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return err
		}
		clientFirst, err := base64.StdEncoding.DecodeString(strings.TrimSpace(strings.TrimPrefix(line, command+" ")))
		if err != nil || !strings.HasPrefix(string(clientFirst), "n,,n="+user+",r=") {
			return fmt.Errorf("client said %q", line)
		}
		bare := string(clientFirst[len("n,,"):])
		first := bare[strings.Index(bare, "r="):] + "theirs,s=" + base64.StdEncoding.EncodeToString([]byte("salt")) + fmt.Sprint(",i=", max(f.iterations, 4096))
		if f.first != "" {
			first = strings.ReplaceAll(f.first, "NONCE", bare[strings.Index(bare, "r=")+len("r="):])
		}
		if !strings.HasPrefix(first, "r=") { // an answer
			return say(first)(s)
		}
		if err := f.challenge(s, first); err != nil {
			return err
		}
		line, err = s.r.ReadString('\n')
		if err != nil {
			return nil // the client has left
		}
		return f.verifyProof(s, bare+","+first, line)
	}
}

func (f scramServer) challenge(s *session, text string) error {
	return say(f.lead + base64.StdEncoding.EncodeToString([]byte(text)) + "\r\n")(s)
}

// verifyProof verifies the proof as in RFC 5802 section 3.
func (f scramServer) verifyProof(s *session, before, line string) error {
	clientFinal, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
	without, encoded, _ := strings.Cut(string(clientFinal), ",p=")
	message := before + "," + without
	mac := func(key []byte, text string) []byte {
		m := hmac.New(f.hash, key)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	salted, _ := pbkdf2.Key(f.hash, f.right, []byte("salt"), 4096, f.hash().Size())
	digest := func(b []byte) []byte { h := f.hash(); h.Write(b); return h.Sum(nil) }
	stored := digest(mac(salted, "Client Key"))
	key, _ := base64.StdEncoding.DecodeString(encoded)
	for i, b := range mac(stored, message) {
		if i < len(key) {
			key[i] ^= b
		}
	}
	final, last := "v="+base64.StdEncoding.EncodeToString(mac(mac(salted, "Server Key"), message)), f.yes
	if !hmac.Equal(digest(key), stored) {
		final, last = "", f.no
	}
	if f.final != "" {
		final = strings.TrimPrefix(f.final, "-")
	}
	if final != "" {
		if err := f.challenge(s, final); err != nil {
			return err
		}
		if line, err := s.r.ReadString('\n'); err != nil || line != "\r\n" {
			return nil // the client has left
		}
	}
	return say(last)(s)
}

// TestSCRAM checks good and bad servers in each protocol.
func TestSCRAM(t *testing.T) {
	for _, protocol := range []struct{ name, greeting, command, lead, yes, no string }{
		{"imap", "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] ready\r\n", "001 AUTHENTICATE %s", "+ ", "001 OK yes\r\n", "001 NO [AUTHENTICATIONFAILED] no\r\n"},
		{"smtp", "220 ready\r\n", "AUTH %s", "334 ", "235 yes\r\n", "535 5.7.8 no\r\n"},
	} {
		for _, tt := range []struct {
			name string
			does scramServer
			want outcome
		}{
			{"right", scramServer{right: password}, good},
			{"wrong", scramServer{right: "x"}, reject},
			{"wrong, by e=", scramServer{right: "x", final: "e=invalid-proof"}, reject},
			{"no such user", scramServer{first: protocol.no}, reject},
			{"no resources", scramServer{right: "x", final: "e=no-resources"}, tempfail},
			{"no resources after a right password", scramServer{right: password, final: "e=no-resources"}, tempfail},
			{"an error and then a yes", scramServer{right: password, final: "e=other-error"}, tempfail},
			{"no signature", scramServer{right: password, final: "-"}, tempfail},
			{"wrong signature", scramServer{right: password, final: "v=AAAA"}, tempfail},
			{"empty signature", scramServer{right: password, final: "v="}, tempfail},
			{"neither signature nor error", scramServer{right: password, final: "x=1"}, tempfail},
			{"yes at once", scramServer{first: protocol.yes}, tempfail},
			{"another nonce", scramServer{right: password, first: "r=theirs,s=c2FsdA==,i=4096"}, tempfail},
		} {
			for name, h := range map[string]func() hash.Hash{"SCRAM-SHA-1": sha1.New, "SCRAM-SHA-256": sha256.New} {
				t.Run(strings.Join([]string{protocol.name, name, tt.name}, " "), func(t *testing.T) {
					f := tt.does
					f.hash, f.lead, f.yes, f.no = h, protocol.lead, protocol.yes, protocol.no
					steps := []step{say(protocol.greeting)}
					if protocol.name == "smtp" {
						steps = append(steps, hear("EHLO*"), say("250-x\r\n250 AUTH SCRAM-SHA-1 SCRAM-SHA-256\r\n"))
					}
					steps = append(steps, f.step(fmt.Sprintf(protocol.command, name)))
					s := serverOn(protocol.name, longTimeout)
					s.Mechanisms = []string{name}
					_, trace, err := loginTo(t, t.Context(), s, steps...)
					if got := outcomeOf(err); got != tt.want || notInTime(err) {
						t.Errorf("%s (%v), want %s", got, err, tt.want)
					}
					if said := strings.Join(trace, "\n"); tt.want == good && (strings.Contains(said, base64.StdEncoding.EncodeToString([]byte("c=biws"))[:8]) || strings.Contains(said, "dj")) {
						t.Errorf("proof or signature shows in\n%s", said)
					}
				})
			}
		}
	}
}

// TestSCRAMErrorEchoes checks that an error of the server that contains the client's proof is hidden.
func TestSCRAMErrorEchoes(t *testing.T) {
	const proof = "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
	c := newConn(Server{Protocol: "imap"}, nil)
	c.hide(proof)
	for _, says := range []saslReply{{line: "001 OK yes", verdict: accepted}, {line: "001 NO no", verdict: refused}} {
		_, err := c.finish("SCRAM-SHA-1", &scram{failure: proof}, says, true)
		if err == nil || strings.Contains(err.Error(), proof) {
			t.Errorf("%s: %v", says.line, err)
		}
	}
}

// TestSCRAMInTime checks that the iterations end with the login.
func TestSCRAMInTime(t *testing.T) {
	s := serverOn("imap", shortTimeout)
	s.Mechanisms = []string{"SCRAM-SHA-256"}
	f := scramServer{hash: sha256.New, lead: "+ ", iterations: MaxIterations}
	_, _, err := loginTo(t, t.Context(), s, say("* OK [CAPABILITY SASL-IR AUTH=SCRAM-SHA-256] ready\r\n"), f.step("001 AUTHENTICATE SCRAM-SHA-256"))
	if outcomeOf(err) != tempfail || !strings.Contains(err.Error(), context.DeadlineExceeded.Error()) {
		t.Errorf("error %v, want a timeout", err)
	}
}
