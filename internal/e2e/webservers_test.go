package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// way is a way in which a mail client logs in.
type way struct {
	name     string
	protocol string
	options  string // curl's login options
	session  func(tb testing.TB, s site, protocol, options string, a account, message string) session
}

var ways = []way{
	{"smtp plain", "smtp", "AUTH=PLAIN", curlSession},
	{"smtp login", "smtp", "AUTH=LOGIN", curlSession},
	{"smtp python", "smtp", "", pythonSession},
	{"imap plain", "imap", "AUTH=PLAIN", curlSession},
	{"imap auth-login", "imap", "AUTH=LOGIN", curlSession},
	{"imap login-command", "imap", "", pythonSession},
	{"pop3 plain", "pop3", "AUTH=PLAIN", curlSession},
	{"pop3 auth-login", "pop3", "AUTH=LOGIN", curlSession},
	{"pop3 user-pass", "pop3", "", pythonSession},
}

// What a client is told.
var (
	invalidLogin = map[string]string{
		"imap": "TAG NO Invalid login or password",
		"pop3": "-ERR Invalid login or password",
		"smtp": "535 5.7.0 Invalid login or password",
	}
	temporaryFailure = map[string]string{
		"imap": "TAG NO Temporary authentication failure",
		"pop3": "-ERR Temporary authentication failure",
		"smtp": "454 4.7.0 Temporary authentication failure",
	}
)

// The two users of these tests. mailauthd checks bob's password at the mail server, and alice's against a hash.
var (
	bob   = account{"bob@domain1.com", mark + "-bob"}
	alice = account{"alice@domain02.com", mark + "-alice"}
)

// unlisted has accounts that the mail server has, and mailauthd refuses.
var unlisted = map[string]account{
	"unknown-user/users": {"nobody@domain02.com", mark + "-nobody"},
	"unknown-domain":     {"bob@domain9.com", mark + "-bob"},
	"look-alike-domain":  {"bob@evildomain1.com", mark + "-bob"},
	"no-domain":          {"bob", mark + "-bob"},
}

// bobAndAlice returns their domains, and alice's entry.
func bobAndAlice(tb testing.TB) string {
	tb.Helper()
	return domainTOML("domain1.com", "upstream") +
		domainTOML("domain02.com", "users") +
		userTOML(alice.user, sha512Crypt(tb, alice.password))
}

// TestWebServers logs in through every web server, in every way. It tries all refusals in every way through the first
// web server, and in one or two through each of the others, because they pass on any answer of mailauthd.
func TestWebServers(t *testing.T) {
	t.Parallel()
	for i, m := range webServers {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			accounts := slices.AppendSeq([]account{bob, alice}, maps.Values(unlisted))
			d := deploy(t, m, accounts, bobAndAlice(t))
			each := func(name string, test func(t *testing.T, w way, all bool)) {
				t.Run(name, func(t *testing.T) {
					for j, w := range ways {
						t.Run(w.name, func(t *testing.T) {
							t.Parallel()
							test(t, w, i == 0 || j%len(webServers) == i)
						})
					}
				})
			}
			each("dovecot-running", func(t *testing.T, w way, all bool) { testLogins(t, d, w, all) })
			d.dovecot.stop(t)
			each("dovecot-stopped", func(t *testing.T, w way, _ bool) {
				w.login(t, d, bob).checkRefused(t, temporaryFailure[w.protocol])
			})
		})
	}
}

// testLogins tries both users, and either all refusals or one.
func testLogins(t *testing.T, d *deployment, w way, all bool) {
	for _, a := range []account{bob, alice} {
		t.Run("right/"+a.user, func(t *testing.T) { testMail(t, d, w, a) })
	}
	if !all {
		w.login(t, d, account{bob.user, alice.password}).checkRefused(t, invalidLogin[w.protocol])
		return
	}
	refused := map[string]account{
		"wrong-password/upstream": {bob.user, alice.password},
		"wrong-password/users":    {alice.user, bob.password},
		"unknown-user/upstream":   {"nobody@domain1.com", bob.password},
	}
	maps.Copy(refused, unlisted)
	for name, a := range refused {
		t.Run(name, func(t *testing.T) {
			w.login(t, d, a).checkRefused(t, invalidLogin[w.protocol])
		})
	}
}

func (w way) login(tb testing.TB, d *deployment, a account) session {
	tb.Helper()
	return w.session(tb, d.site, w.protocol, w.options, a, unsent)
}

// testMail reads a message, or sends one and checks that it has arrived.
func testMail(t *testing.T, d *deployment, w way, a account) {
	message := "This message was sent in " + t.Name()
	checkMail(t, d, w.protocol, a.user, message, w.session(t, d.site, w.protocol, w.options, a, message))
}

// checkMail checks that the user has read the message in the mailbox, or has sent one.
func checkMail(t *testing.T, d *deployment, protocol, user, message string, s session) {
	t.Helper()
	switch {
	case s.status != 0:
		t.Errorf("exit status %d; the client's trace:\n%s", s.status, s.trace)
	case protocol != "smtp" && (!strings.Contains(s.output, "To: "+user) || !strings.Contains(s.output, greeting)):
		t.Errorf("read %q, want the message in the mailbox of %s", s.output, user)
	case protocol == "smtp" && !poll(5*time.Second, nil, func() bool { return d.sink.has(message) }):
		t.Error("the message did not arrive")
	}
}
