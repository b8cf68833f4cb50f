package auth

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"mailauthd/internal/access"
	"mailauthd/internal/authlog"
	"mailauthd/internal/password"
	"mailauthd/internal/route"
	"mailauthd/internal/upstream"
	"mailauthd/internal/users"
)

const salt = "<1896.697170952@postoffice.reston.mci.net>"

func hashOf(t testing.TB, s string) password.Hash {
	t.Helper()
	h, err := password.Policy{}.Parse(s, "")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// newSite has a domain with every kind of user, and a server with a master login.
func newSite(t *testing.T) *Authenticator {
	t.Helper()
	a := newAuth(t)
	clear, slow := hashOf(t, "{PLAIN}"+right), hashOf(t, "{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1")
	one := func(h password.Hash) []users.Password { return []users.Password{{Hash: h}} }
	masters := newServer("mastered", "192.0.2.9")
	masters.Master = &route.Master{User: "proxy", Password: "master-" + marker, Separator: "*"}
	bare := newServer("bare", "192.0.2.10")
	bare.Master = &route.Master{Password: "master-" + marker}
	mx := newServer("mx", "192.0.2.25")
	yes := true
	a.add(masters)
	a.add(bare)
	a.UserFrom = "emailAddress"
	setDomains(a, []*route.Domain{
		{Name: "users.example", Verify: route.VerifyUsers, Servers: []*route.Server{newServer("box1", "192.0.2.1")}},
		{Name: "up.example", Verify: route.VerifyUpstream, Servers: []*route.Server{masters}, MX: []*route.Server{mx}},
		{Name: "all.example", Verify: route.VerifyUsers, Servers: []*route.Server{masters}, CatchAll: true},
		{Name: "tls.example", Verify: route.VerifyUsers, Servers: []*route.Server{masters}, Access: access.Rules{RequireTLS: &yes}},
	}...)
	var err error
	a.Directory, err = users.New([]users.User{
		{Name: "alice@users.example", Passwords: one(clear), Extra: &users.Settings{Aliases: []string{"info@users.example"}}},
		{Name: "slow@users.example", Passwords: one(slow)},
		{Name: "dest@users.example", Passwords: one(clear), Extra: &users.Settings{Login: "DEST", UpstreamPassword: "up-" + marker}},
		{Name: "cert@users.example", Extra: &users.Settings{Fingerprints: []string{strings.Repeat("ab", 20)}, Subjects: []string{"CN=cert"}, UpstreamPassword: "up-" + marker}},
		{Name: "poor@users.example", Extra: &users.Settings{Fingerprints: []string{strings.Repeat("cd", 20)}}},
		{Name: "owned@users.example", Extra: &users.Settings{Servers: []string{"mastered"}, Fingerprints: []string{strings.Repeat("ef", 20)}}},
		{Name: "bare@users.example", Extra: &users.Settings{Servers: []string{"bare"}, Fingerprints: []string{strings.Repeat("12", 20)}}},
		{Name: "apps@users.example", Passwords: []users.Password{
			{Hash: hashOf(t, "{PLAIN}phone"), Label: "phone", Protocols: []string{"imap"}},
			{Hash: slow, Label: "desk"}}},
		{Name: "closed@users.example", Passwords: one(clear), Extra: &users.Settings{Access: access.Rules{NoLogin: &yes, Reason: "left"}}},
		{Name: "far@users.example", Passwords: one(clear), Extra: &users.Settings{Access: access.Rules{AllowNets: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}}},
		{Name: "alice@tls.example", Passwords: one(clear)},
		{Name: "admin@users.example", Passwords: one(hashOf(t, "{PLAIN}admin-"+marker)), Extra: &users.Settings{Master: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func cram(pass string) string {
	_, digest, _ := strings.Cut(upstream.CRAMMD5("x", pass, []byte(salt)), " ")
	return digest
}

func apop(pass string) string {
	sum := md5.Sum([]byte(salt + pass))
	return hex.EncodeToString(sum[:])
}

// told is what nginx and the log are told, in short.
type told struct {
	status, user, pass, server, code string
	reason                           authlog.Reason
	detail                           string // how it begins
}

func ok(server, user, pass string) told {
	return told{status: "OK", server: server, user: user, pass: pass}
}
func no(reason authlog.Reason, detail string) told {
	return told{status: failed, reason: reason, detail: detail}
}
func later(reason authlog.Reason, detail string) told {
	return told{status: trouble, reason: reason, detail: detail}
}

func wantTold(t *testing.T, a *Authenticator, h http.Header, want told) {
	t.Helper()
	r, e := answer(t, a, h)
	got := told{status: r.Status(), user: r.User, pass: r.Password, code: r.Code, reason: e.Reason, detail: e.Error}
	if r.Server.IsValid() {
		got.server = r.Server.String()
	}
	if strings.HasPrefix(got.detail, want.detail) && want.detail != "" {
		got.detail = want.detail
	}
	if got != want {
		t.Errorf("\ngot  %+v\nwant %+v", got, want)
	}
}

const (
	box      = "192.0.2.1:143"
	mastered = "192.0.2.9:143"
)

func TestDigests(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   ask
		want told
	}{
		{"cram-md5", ask{method: "cram-md5", user: "alice@users.example", pass: cram(right)}, ok(box, "", right)},
		{"cram-md5 in capitals", ask{method: "cram-md5", user: "alice@users.example", pass: strings.ToUpper(cram(right))}, ok(box, "", right)},
		{"cram-md5, wrong", ask{method: "cram-md5", user: "alice@users.example", pass: cram(wrong)}, no(authlog.PasswordMismatch, "password does not")},
		{"cram-md5, the password itself", ask{method: "cram-md5", user: "alice@users.example", pass: right}, no(authlog.PasswordMismatch, "password does not")},
		{"apop", ask{method: "apop", protocol: "pop3", user: "alice@users.example", pass: apop(right)}, ok("192.0.2.1:110", "", right)},
		{"apop, wrong", ask{method: "apop", protocol: "pop3", user: "alice@users.example", pass: apop(wrong)}, no(authlog.PasswordMismatch, "password does not")},
		{"by alias", ask{method: "cram-md5", user: "INFO@users.example", pass: cram(right)}, ok(box, "alice@users.example", right)},
		{"login and upstream_password", ask{method: "cram-md5", user: "dest@users.example", pass: cram(right)}, ok(box, "DEST", "up-"+marker)},
		{"against a hash", ask{method: "cram-md5", user: "slow@users.example", pass: cram("Hello world!")}, no(authlog.SchemeNotAvailable, "method cram-md5 cannot")},
		{"in an upstream domain", ask{method: "cram-md5", user: "bob@up.example", pass: cram(right)}, no(authlog.SchemeNotAvailable, "method cram-md5 needs a password")},
		{"app password", ask{method: "cram-md5", user: "apps@users.example", pass: cram("phone")}, ok(box, "", "phone")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.salt = salt
			wantTold(t, newSite(t), tt.in.header(), tt.want)
		})
	}
}

func TestUsersOwnKeys(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   ask
		want told
	}{
		{"alias", ask{user: "info@users.example", pass: right}, ok(box, "alice@users.example", "")},
		{"login and upstream_password", ask{user: "dest@users.example", pass: right}, ok(box, "DEST", "up-"+marker)},
		{"app password", ask{user: "apps@users.example", pass: "phone"}, ok(box, "", "")},
		{"app password of another protocol", ask{protocol: "pop3", user: "apps@users.example", pass: "phone"}, no(authlog.Policy, `password "phone" is not for this protocol`)},
		{"second password", ask{protocol: "pop3", user: "apps@users.example", pass: "Hello world!"}, ok("192.0.2.1:110", "", "")},
		{"nologin", ask{user: "closed@users.example", pass: right}, no(authlog.UserDisabled, "nologin: left")},
		{"nologin, wrong password", ask{user: "closed@users.example", pass: wrong}, no(authlog.PasswordMismatch, "password does not")},
		{"allow_nets", ask{user: "far@users.example", pass: right}, no(authlog.Policy, "client is not in allow_nets")},
		{"only a certificate", ask{user: "cert@users.example", pass: right}, no(authlog.UserUnknown, "no such user in the map")},
		{"master user", ask{user: "alice@users.example*admin@users.example", pass: "admin-" + marker}, ok(box, "alice@users.example", right)},
		{"master user, wrong password", ask{user: "alice@users.example*admin@users.example", pass: right}, no(authlog.PasswordMismatch, "password does not")},
		{"master user of nobody", ask{user: "bob@users.example*admin@users.example", pass: "admin-" + marker}, no(authlog.UserUnknown, "no such user in the map")},
		{"two masters", ask{user: "alice@users.example*bob*admin@users.example", pass: "admin-" + marker}, no(authlog.UserUnknown, "no such user in the map")},
		{"master without a name", ask{user: "alice@users.example*", pass: right}, no(authlog.UserUnknown, "no name of a master user")},
		{"none by IMAP", ask{method: "none", user: "alice@users.example", pass: right}, no(authlog.Policy, "method none is for smtp only")},
		{"no master", ask{user: "slow@users.example*alice@users.example", pass: right}, no(authlog.UserUnknown, "no such user in the map")},
		{"master at a server with a master login", ask{user: "bob@up.example*admin@users.example", pass: "admin-" + marker}, ok(mastered, "bob@up.example*proxy", "master-"+marker)},
		{"master of a closed account", ask{user: "closed@users.example*admin@users.example", pass: "admin-" + marker}, no(authlog.UserDisabled, "nologin")},
		{"master of a user without cleartext", ask{user: "slow@users.example*admin@users.example", pass: "admin-" + marker}, no(authlog.Policy, `nginx needs a password to log in to server "box1"`)},
		{"master of a user without cleartext, wrong password", ask{user: "slow@users.example*admin@users.example", pass: wrong}, no(authlog.PasswordMismatch, "password does not")},
	} {
		t.Run(tt.name, func(t *testing.T) { wantTold(t, newSite(t), tt.in.header(), tt.want) })
	}
	t.Run("require_tls of the domain", func(t *testing.T) {
		h := ask{user: "alice@tls.example", pass: right}.header()
		wantTold(t, newSite(t), h, ok(mastered, "", ""))
		h.Del("Auth-Ssl")
		wantTold(t, newSite(t), h, no(authlog.Policy, "require_tls"))
	})
}

func TestExternal(t *testing.T) {
	print := func(two string) string { return strings.Repeat(two, 20) }
	for _, tt := range []struct {
		name, user, protocol, verify, print, subject string
		want                                         told
	}{
		{"fingerprint", "cert@users.example", "imap", "SUCCESS", strings.ToUpper(print("ab")), "", ok(box, "", "up-"+marker)},
		{"subject", "cert@users.example", "imap", "SUCCESS", "", "CN=cert", ok(box, "", "up-"+marker)},
		{"not verified", "cert@users.example", "imap", "FAILED:expired", print("ab"), "CN=cert", no(authlog.Policy, "client certificate: Auth-SSL-Verify")},
		{"no certificate", "cert@users.example", "imap", "NONE", "", "", no(authlog.Policy, "client certificate: Auth-SSL-Verify")},
		{"nothing said", "cert@users.example", "imap", "", "", "", no(authlog.Policy, "client certificate: Auth-SSL-Verify")},
		{"another's certificate", "cert@users.example", "imap", "SUCCESS", print("cd"), "CN=other", no(authlog.PasswordMismatch, "certificate is neither")},
		{"no fingerprint and no subject", "alice@users.example", "imap", "SUCCESS", "", "", no(authlog.PasswordMismatch, "certificate is neither")},
		{"name in the certificate", "alice@users.example", "imap", "SUCCESS", "", "emailAddress=Alice@Users.example,CN=x", ok(box, "", right)},
		{"name only in the certificate", "", "imap", "SUCCESS", "", "emailAddress=alice@users.example,CN=x", ok(box, "alice@users.example", right)},
		{"another's name", "slow@users.example", "imap", "SUCCESS", "", "emailAddress=alice@users.example", no(authlog.PasswordMismatch, "certificate is neither")},
		{"two names", "alice@users.example", "imap", "SUCCESS", "", "emailAddress=alice@users.example,emailAddress=b@c", no(authlog.PasswordMismatch, "certificate is neither")},
		{"no name anywhere", "", "imap", "SUCCESS", "", "CN=alice@users.example", no(authlog.UserUnknown, "no user name")},
		{"name of nobody", "", "imap", "SUCCESS", "", "emailAddress=bob@users.example", no(authlog.UserUnknown, "no such user in the map")},
		{"name in an upstream domain", "bob@up.example", "imap", "SUCCESS", "", "emailAddress=bob@up.example", ok(mastered, "bob@up.example*proxy", "master-"+marker)},
		{"master login", "owned@users.example", "imap", "SUCCESS", print("ef"), "", ok(mastered, "owned@users.example*proxy", "master-"+marker)},
		{"master login without separator", "bare@users.example", "imap", "SUCCESS", print("12"), "", ok("192.0.2.10:143", "bare@users.example", "master-"+marker)},
		{"no password for nginx", "poor@users.example", "imap", "SUCCESS", print("cd"), "", later(authlog.InternalFailure, `nginx needs a password to log in to server "box1"`)},
		{"none needed for SMTP", "poor@users.example", "smtp", "SUCCESS", print("cd"), "", ok("192.0.2.1:25", "", "")},
		{"master user", "alice@users.example*admin@users.example", "imap", "SUCCESS", print("ab"), "", no(authlog.Policy, "a master user logs in by password")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := ask{method: "external", protocol: tt.protocol, user: tt.user}.header()
			h.Del("Auth-Pass")
			h.Set("Auth-Ssl-Verify", tt.verify)
			h.Set("Auth-Ssl-Fingerprint", tt.print)
			h.Set("Auth-Ssl-Subject", tt.subject)
			wantTold(t, newSite(t), h, tt.want)
		})
	}
}

// The server would cut such a name at its first separator, and take it for another user's.
func TestMasterLoginIsNotAmbiguous(t *testing.T) {
	a := newSite(t)
	a.servers["mastered"].Master.Separator = "-"
	h := ask{method: "external", user: "victim-proxy@up.example"}.header()
	h.Set("Auth-Ssl-Verify", "SUCCESS")
	h.Set("Auth-Ssl-Subject", "emailAddress=victim-proxy@up.example")
	wantTold(t, a, h, no(authlog.Policy, "no master login for a name that contains the separator"))
}

func TestNone(t *testing.T) {
	relay := func(detail string) told {
		return told{status: "Relay access denied", code: "550 5.7.1", reason: authlog.Policy, detail: detail}
	}
	unknown := told{status: "User unknown", code: "550 5.1.1", reason: authlog.UserUnknown, detail: "recipient"}
	for to, want := range map[string]told{
		"RCPT TO:<alice@users.example>":                        ok("192.0.2.1:25", "", ""),
		"rcpt to: <ALICE@Users.Example> ORCPT=rfc822;a@b":      ok("192.0.2.1:25", "", ""),
		"RCPT TO:<info@users.example>":                         ok("192.0.2.1:25", "", ""),
		"RCPT TO:<closed@users.example>":                       ok("192.0.2.1:25", "", ""),
		"RCPT TO:<postmaster@users.example>":                   ok("192.0.2.1:25", "", ""),
		"RCPT TO:<bob@users.example>":                          unknown,
		"RCPT TO:<bob@up.example>":                             ok("192.0.2.25:25", "", ""),
		"RCPT TO:<bob@all.example>":                            ok("192.0.2.9:25", "", ""),
		"RCPT TO:<@a.example,@b.example:bob@up.example>":       ok("192.0.2.25:25", "", ""),
		`RCPT TO:<"bob"@up.example>`:                           ok("192.0.2.25:25", "", ""),
		"RCPT TO:<bob@evilup.example>":                         relay(""),
		"RCPT TO:<bob@elsewhere.example>":                      relay(""),
		"RCPT TO:<@up.example:bob@elsewhere.example>":          relay(""),
		"RCPT TO:<bob@up.example>@elsewhere.example":           relay(""),
		"RCPT TO:<bob@elsewhere.example> ORCPT=bob@up.example": relay(""),
		"RCPT TO:<postmaster>":                                 relay(""),
		"RCPT TO:<>":                                           relay(""),
		"":                                                     relay(""),
	} {
		t.Run(to, func(t *testing.T) {
			h := ask{method: "none", protocol: "smtp", user: "alice@users.example", pass: right}.header()
			h.Set("Auth-Smtp-To", to)
			a := newSite(t)
			r, e := answer(t, a, h)
			if r.Status() != want.status || r.Code != want.code || e.Reason != want.reason || e.User != "" ||
				want.server != "" && r.Server.String() != want.server {
				t.Errorf("got %q %q %v, %s %s; want %+v", r.Status(), r.Code, r.Server, e.Reason, e.Error, want)
			}
		})
	}
	a := newSite(t)
	a.DefaultDomain = "up.example"
	h := ask{method: "none", protocol: "smtp"}.header()
	h.Set("Auth-Smtp-To", "RCPT TO:<Postmaster>")
	wantTold(t, a, h, ok("192.0.2.25:25", "", ""))
}
