package e2e

import (
	"fmt"
	"testing"
	"time"
)

// noneWays has the ways in which another mail server delivers a message, without a login.
var noneWays = []struct {
	name    string
	session func(tb testing.TB, s site, recipient, message string) session
}{
	{"curl", func(tb testing.TB, s site, recipient, message string) session {
		return deliverByCurl(tb, s, message, recipient)
	}},
	{"python", func(tb testing.TB, s site, recipient, message string) session {
		return runPython(tb, s, "mx", recipient, "", message)
	}},
}

func deliverByCurl(tb testing.TB, s site, message string, recipients ...string) session {
	tb.Helper()
	config := append(curlMail(tb, message, recipients...), "ssl-reqd",
		curlOption("url", fmt.Sprintf("smtp://%s/client.example.org", loopback(s.mx))))
	return runCurl(tb, s, config)
}

// noneTOML has a domain of each kind. Mail for domain02.com reaches the server only by its mx.
const noneTOML = `
[auth]
methods = ["plain", "none"]
default_domain = "domain02.com"

[servers.mx]
host = "127.0.0.1"
smtp = %d

[servers.mailboxes]
host = "192.0.2.1"

[domains."domain1.com"]
servers = ["mx"]

[domains."domain02.com"]
servers = ["mailboxes"]
mx = ["mx"]
verify = "users"

[domains."domain03.com"]
servers = ["mx"]
verify = "users"
catch_all = true

[users."alice@domain02.com"]
password = %q
aliases = ["info@domain02.com"]
`

var localRecipients = []string{
	"anyone@domain1.com", alice.user, "Alice@Domain02.COM", "info@domain02.com", "anyone@domain03.com",
	"postmaster@domain02.com", "postmaster",
}

// What a client is told.
const (
	relayDenied = "550 5.7.1 Relay access denied"
	userUnknown = "550 5.1.1 User unknown"
)

var refusedRecipients = map[string]string{
	"someone@example.org":             relayDenied,
	"alice@evildomain02.com":          relayDenied,
	"alice@sub.domain02.com":          relayDenied,
	"someone%example.org@domain1.com": relayDenied,
	"nobody@domain02.com":             userUnknown,
}

// TestNone delivers mail from outside, through nginx to Postfix.
func TestNone(t *testing.T) {
	t.Parallel()
	s, mx := newSite(t, tempDir(t)), startPostfix(t, "")
	startMailauthd(t, s, fmt.Sprintf(noneTOML, mx.smtp, "{PLAIN}"+alice.password))
	startNginxHTTP(t, s, contrib(t, "nginx/auth-fastcgi.conf"))
	waitReady(t, startFront(t, s, allMethods(t)), loopback(s.mx))
	for _, w := range noneWays {
		for _, recipient := range localRecipients {
			t.Run(w.name+"/accepted/"+recipient, func(t *testing.T) {
				t.Parallel()
				message := "This message was sent in " + t.Name()
				d := w.session(t, s, recipient, message)
				if d.status != 0 || !poll(5*time.Second, mx.done, func() bool { return mx.has(t, message) }) {
					t.Errorf("exit status %d; the message did not arrive; the client's trace:\n%s", d.status, d.trace)
				}
			})
		}
		for recipient, want := range refusedRecipients {
			t.Run(w.name+"/refused/"+recipient, func(t *testing.T) {
				t.Parallel()
				w.session(t, s, recipient, unsent).checkUndelivered(t, want)
			})
		}
	}
	// nginx asks about the first recipient only, as mail-mx.conf says.
	t.Run("second-recipient", func(t *testing.T) {
		t.Parallel()
		deliverByCurl(t, s, unsent, alice.user, "someone@example.org").
			checkUndelivered(t, "554 5.7.1 <someone@example.org>: Relay access denied")
	})
}

func (s session) checkUndelivered(t *testing.T, line string) {
	t.Helper()
	if s.status == 0 || !s.said(line) {
		t.Errorf("exit status %d, want another and %q; the client's trace:\n%s", s.status, line, s.trace)
	}
}
