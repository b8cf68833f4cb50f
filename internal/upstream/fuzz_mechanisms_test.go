package upstream

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func FuzzServerFirst(f *testing.F) {
	for _, s := range []string{"r=oursx,s=c2FsdA==,i=4096", "r=oursx,s=c2FsdA==,i=4096,x=y", "m=x,r=oursx", "e=other-error", "r=ours,s=,i=0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, message string) {
		first, err := parseServerFirst(message, "ours")
		if err != nil {
			return
		}
		if len(first.nonce) <= len("ours") || !strings.HasPrefix(message, "r="+first.nonce+",s=") || !strings.HasPrefix(first.nonce, "ours") {
			t.Errorf("nonce %q of %q", first.nonce, message)
		}
		if first.iterations < MinIterations || first.iterations > MaxIterations || len(first.salt) == 0 {
			t.Errorf("%d iterations, salt %x of %q", first.iterations, first.salt, message)
		}
	})
}

func FuzzServerFinal(f *testing.F) {
	signature := []byte("the only one that is right")
	right := "v=" + base64.StdEncoding.EncodeToString(signature)
	for _, s := range []string{right, right + ",x=y", "v=", "v=AAAA", "e=invalid-proof", "e=", "", "e=no-resources,v="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, message string) {
		x := &scram{signature: signature}
		err := x.serverFinal(message)
		encoded, _, _ := strings.Cut(strings.TrimPrefix(message, "v="), ",")
		got, bad := base64.StdEncoding.DecodeString(encoded)
		is := strings.HasPrefix(message, "v=") && bad == nil && hmac.Equal(got, signature)
		if x.verified != is || (x.checkOutcome(accepted) == nil) != is {
			t.Errorf("%q: verified %t, believed: %v", message, x.verified, x.checkOutcome(accepted))
		}
		if (err == nil) != (is || x.failure != "") {
			t.Errorf("%q: %v, failure %q", message, err, x.failure)
		}
	})
}

func FuzzCapabilities(f *testing.F) {
	for _, s := range []string{
		"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LOGINDISABLED STARTTLS] hi", "* OK hi", "* OK [CAPABILITY", "* OK [ALERT] [CAPABILITY x]",
		" IMAP4rev1 AUTH= AUTH=PLAIN auth=plain\n STARTTLS", "SASL PLAIN LOGIN\nUSER\nSTLS", "sasl\n\nuser x", "250-x\n250-AUTH PLAIN=LOGIN\n250 STARTTLS", "250", "250 AUTH=",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		var replies []string
		for _, line := range lines {
			if isReplyLine(line) {
				replies = append(replies, line)
			}
		}
		for name, o := range map[string]capabilities{
			"greeting": parseIMAPGreeting("* OK" + text), "CAPABILITY": parseIMAPCapability(lines),
			"CAPA": parseCAPA(lines, timeStamp(text)), "EHLO": parseEHLO(replies),
		} {
			checkCapabilities(t, name, text, o)
		}
	})
}

// checkCapabilities checks that all capabilities are in text, and that there are no duplicates.
func checkCapabilities(t *testing.T, name, text string, o capabilities) {
	upper := strings.ToUpper(text)
	if o.startTLS && !strings.Contains(upper, "STARTTLS") && !strings.Contains(upper, "STLS") {
		t.Errorf("%s %q: TLS is not offered", name, text)
	}
	for i, m := range o.mechanisms {
		if m != imapLogin && m != pop3APOP && !strings.Contains(upper, m) || m == "" || slices.Contains(o.mechanisms[:i], m) {
			t.Errorf("%s %q: mechanisms %q", name, text, o.mechanisms)
		}
	}
	if o.offers(imapLogin) && strings.Contains(" "+strings.Join(strings.Fields(upper), " ")+" ", " LOGINDISABLED ") && name == "CAPABILITY" {
		t.Errorf("%s %q: LOGIN is disabled", name, text)
	}
}

// FuzzAuto logs in at any server by the strongest mechanism that it offers.
func FuzzAuto(f *testing.F) {
	protocols := []string{"imap", "pop3", "smtp"}
	for _, x := range exchanges {
		var says strings.Builder
		for line := range strings.Lines(x.text) {
			if line, ok := strings.CutPrefix(strings.TrimSpace(line), "S: "); ok {
				says.WriteString(line + "\r\n")
			}
		}
		f.Add(byte(slices.Index(protocols, x.protocol)), says.String())
	}
	yes := map[string]*regexp.Regexp{"imap": regexp.MustCompile(`(?mi)^00[1-9] OK`), "pop3": regexp.MustCompile(`(?mi)^\+OK`), "smtp": regexp.MustCompile(`(?m)^235`)}
	no := map[string]*regexp.Regexp{"imap": regexp.MustCompile(`(?mi)^00[1-9] NO`), "pop3": regexp.MustCompile(`(?mi)^-ERR`), "smtp": regexp.MustCompile(`(?m)^535`)}
	f.Fuzz(func(t *testing.T, which byte, server string) {
		protocol := protocols[int(which)%len(protocols)]
		s := Server{Protocol: protocol, Mechanisms: []string{Auto}, AllowCleartext: true}
		nc := &recording{rest: server}
		reply, err := loginOver(t.Context(), nc, s)
		if err == nil && (!yes[protocol].MatchString(reply) || nc.written.Len() == 0) {
			t.Errorf("let in with %q", reply)
		}
		if errors.Is(err, ErrRejected) && (!no[protocol].MatchString(server) || !strings.Contains(err.Error(), "server said")) {
			t.Errorf("rejected: %v", err)
		}
		if err != nil && (strings.Contains(err.Error(), password) || strings.Contains(err.Error(), plain64)) {
			t.Errorf("secret shows in %v", err)
		}
		if nc.lines > MaxLines {
			t.Errorf("%d lines read", nc.lines)
		}
	})
}
