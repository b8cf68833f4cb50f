package e2e

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
	"testing"

	"mailauthd/internal/testport"
)

// externalWay is a way to log in by a client certificate. The user name may be empty.
type externalWay struct {
	name     string
	protocol string
	session  func(tb testing.TB, s site, protocol, user string, c certificate, message string) session
	all      bool // wrong certificates; the second client of a protocol tries two of them
}

var externalWays = []externalWay{
	{"imap curl", "imap", externalCurl, true},
	{"imap python", "imap", externalPython, false},
	{"pop3 curl", "pop3", externalCurl, true},
	{"smtp curl", "smtp", externalCurl, true},
	{"smtp python", "smtp", externalPython, false},
}

func externalCurl(tb testing.TB, s site, protocol, user string, c certificate, message string) session {
	tb.Helper()
	config := []string{curlOption("url", s.url(protocol)), curlOption("login-options", "AUTH=EXTERNAL")}
	if user != "" {
		config = append(config, curlOption("user", user+":"))
	}
	if c.file != "" {
		config = append(config, curlOption("cert", c.file))
	}
	if protocol == "smtp" {
		config = append(config, curlMail(tb, message, "someone@example.org")...)
	}
	return runCurl(tb, s, config)
}

func externalPython(tb testing.TB, s site, protocol, user string, c certificate, message string) session {
	tb.Helper()
	return runPython(tb, s, protocol, user, "", message, c.file)
}

var carol = account{"carol@domain02.com", mark + "-carol"}

// emailAddress is a subject with nothing else (RFC 2985 section 5.2.1).
func emailAddress(address string) pkix.Name {
	oid := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
	return pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{{Type: oid, Value: address}}}
}

// externalSite is a deployment with three users. The map lists alice's certificate by its fingerprint and carol's
// by its subject; bob's has the name of the user. nginx logs in alice and carol by upstream_password, and bob by
// the master login. In the second site nginx also passes on certificates that it could not verify.
type externalSite struct {
	*deployment
	lenient           site
	alice, bob, carol certificate
	aliceByName       certificate
	forgedBob         certificate // from another authority
	forgedCarol       certificate
}

func deployExternal(t *testing.T) *externalSite {
	t.Helper()
	dir, others := tempDir(t), tempDir(t)
	s, other := newSite(t, dir), newAuthority(t, others, "authority of others")
	subject := pkix.Name{CommonName: "carol", Organization: []string{"Example"}}
	e := &externalSite{
		alice:       s.ca.issue(t, dir, "alice", pkix.Name{CommonName: "laptop"}),
		aliceByName: s.ca.issue(t, dir, "alice-by-name", emailAddress(alice.user)),
		bob:         s.ca.issue(t, dir, "bob", emailAddress(bob.user)),
		carol:       s.ca.issue(t, dir, "carol", subject),
		forgedBob:   other.issue(t, others, "bob", emailAddress(bob.user)),
		forgedCarol: other.issue(t, others, "carol", subject),
	}
	e.deployment = deployBehind(t, webServers[0], s, []account{alice, bob, carol}, fmt.Sprintf(`
[auth]
methods = ["plain", "external"]
external.user_from = "emailAddress"

[servers.dovecot1.master]
user = %q
password_file = %q

[users.%q]
fingerprint = %q
upstream_password = %q

[users.%q]
subject = "CN=carol,O=Example"
upstream_password = %q
`, dovecotMaster.user, writeFile(t, dir, "master", dovecotMaster.password+"\n"),
		alice.user, e.alice.fingerprint, alice.password, carol.user, carol.password)+
		domainTOML("domain1.com", "upstream")+domainTOML("domain02.com", "users"))
	startFront(t, e.site, allMethods(t))
	e.lenient = e.site
	e.lenient.imap, e.lenient.pop3, e.lenient.smtp, e.lenient.mx = testport.Free(t), testport.Free(t), testport.Free(t), testport.Free(t)
	startFront(t, e.lenient, replace(allMethods(t), `(ssl_verify_client +)optional;`, "${1}optional_no_ca;"))
	return e
}

// TestExternal logs in by client certificates.
func TestExternal(t *testing.T) {
	t.Parallel()
	e := deployExternal(t)
	for _, w := range externalWays {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			t.Run("right", func(t *testing.T) { testCertificates(t, e, w) })
			t.Run("wrong", func(t *testing.T) { testWrongCertificates(t, e, w) })
		})
	}
}

func testCertificates(t *testing.T, e *externalSite, w externalWay) {
	for _, tt := range []struct {
		name  string
		cert  certificate
		asked string
		user  string
	}{
		{"fingerprint", e.alice, alice.user, alice.user},
		{"subject", e.carol, carol.user, carol.user},
		{"name", e.bob, bob.user, bob.user},
		{"name/not-asked", e.bob, "", bob.user},
		{"name/not-asked/upstream-password", e.aliceByName, "", alice.user},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			message := "This message was sent in " + t.Name()
			s := w.session(t, e.site, w.protocol, tt.asked, tt.cert, message)
			checkMail(t, e.deployment, w.protocol, tt.user, message, s)
		})
	}
}

func testWrongCertificates(t *testing.T, e *externalSite, w externalWay) {
	tries := []struct {
		name  string
		site  site
		cert  certificate
		asked string
	}{
		{"listed-for-another", e.site, e.alice, carol.user},
		{"name-of-another/users", e.site, e.bob, alice.user},
		{"name-of-another/upstream", e.site, e.alice, bob.user},
		{"no-name", e.site, e.alice, ""},
		{"no-certificate", e.site, certificate{}, alice.user},
		{"nothing", e.site, certificate{}, ""},
		{"forged/name", e.lenient, e.forgedBob, bob.user},
		{"forged/name/not-asked", e.lenient, e.forgedBob, ""},
		{"forged/subject", e.lenient, e.forgedCarol, carol.user},
	}
	if !w.all {
		tries = tries[:2]
	}
	for _, tt := range tries {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w.session(t, tt.site, w.protocol, tt.asked, tt.cert, unsent).checkRefused(t, invalidLogin[w.protocol])
		})
	}
	t.Run("forged/nginx", func(t *testing.T) {
		t.Parallel()
		s := w.session(t, e.site, w.protocol, bob.user, e.forgedBob, unsent)
		if s.status == 0 || !strings.Contains(s.trace, "SSL certificate error") {
			t.Errorf("exit status %d, want another and nginx's refusal; the client's trace:\n%s", s.status, s.trace)
		}
	})
}
