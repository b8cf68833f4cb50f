package e2e

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"testing"
)

// digestUser is a user name, for which all digests are wrong.
type digestUser struct {
	kind   string
	user   string
	reason string // in the log; any if it is empty
	listed bool   // the domain is
	plain  bool   // there is a password that is good for plain
}

var digestUsers = []digestUser{
	{"PLAIN", "user@plain.example", "password_mismatch", true, true},
	{"SHA512-CRYPT", "user@crypt.example", "scheme_not_available", true, true},
	{"at the server", "user@server.example", "scheme_not_available", true, true},
	{"unknown beside PLAIN", "nobody@plain.example", "", true, false},
	{"unknown beside SHA512-CRYPT", "nobody@crypt.example", "", true, false},
	{"unlisted domain", "user@unlisted.example", "user_unknown", false, false},
}

const (
	digestPassword = mark + "-digest"
	digestLimit    = 3 // pair_limit
)

// TestDigestsTellNoUsers checks that cram-md5 and apop do not reveal whether a name exists, how its password
// is stored, or whether only the mail server has it. Each wrong digest counts for the throttle.
func TestDigestsTellNoUsers(t *testing.T) {
	t.Parallel()
	server := startScripted(t, "imap", func(a account) scriptedReply {
		if a.password == digestPassword {
			return scriptedReply{line: "OK welcome"}
		}
		return scriptedReply{line: "NO [AUTHENTICATIONFAILED] no"}
	})
	s, d := startLogfmt(t, fmt.Sprintf("[throttle]\npair_limit = %d\n", digestLimit)+server.toml("scripted", "protocol = \"imap\"")+
		digestDomain("plain.example", "users")+digestDomain("crypt.example", "users")+digestDomain("server.example", "upstream")+
		userTOML("user@plain.example", "{PLAIN}"+digestPassword)+
		userTOML("user@crypt.example", sha512Crypt(t, digestPassword)))
	for i, u := range digestUsers {
		for j, r := range []loginRequest{
			{method: "cram-md5", protocol: "imap"},
			{method: "apop", protocol: "pop3"},
		} {
			t.Run(r.method+" "+u.kind, func(t *testing.T) {
				r.user = u.user
				r.client = fmt.Sprintf("192.0.2.%d", 1+10*i+2*j)
				u.checkLimit(t, s, d, r)
				if u.plain {
					r.client = fmt.Sprintf("192.0.2.%d", 2+10*i+2*j)
					u.checkTakenBack(t, s, d, r)
				}
			})
		}
	}
}

func digestDomain(domain, verify string) string {
	return fmt.Sprintf("\n[domains.%q]\nservers = [\"scripted\"]\nverify = %q\n", domain, verify)
}

// checkLimit sends wrong digests until one is over the limit of the throttle.
func (u digestUser) checkLimit(t *testing.T, s site, d *daemon, r loginRequest) {
	t.Helper()
	for i := range digestLimit {
		e := tryDigest(t, s, d, r, i)
		if u.reason != "" && e["reason"] != u.reason || e["throttle"] != "" {
			t.Errorf("try %d: reason %q, throttle %q, want %q and none", i+1, e["reason"], e["throttle"], u.reason)
		}
	}
	if e := tryDigest(t, s, d, r, digestLimit); u.listed && e["throttle"] != "pair" {
		t.Errorf("try %d: reason %q, throttle %q, want pair", digestLimit+1, e["reason"], e["throttle"])
	}
}

// checkTakenBack checks that a good login by plain takes back the earlier failures.
func (u digestUser) checkTakenBack(t *testing.T, s site, d *daemon, r loginRequest) {
	t.Helper()
	for i := range digestLimit - 1 {
		tryDigest(t, s, d, r, 100+i)
	}
	plain := loginRequest{account: account{u.user, digestPassword}, client: r.client}
	plain.check(t, s.socket, "OK")
	for i := range digestLimit {
		if e := tryDigest(t, s, d, r, 200+i); e["throttle"] != "" {
			t.Errorf("try %d after a good login: throttle %q, want none", i+1, e["throttle"])
		}
	}
	if e := tryDigest(t, s, d, r, 300); e["throttle"] != "pair" {
		t.Errorf("try %d after a good login: throttle %q, want pair", digestLimit+1, e["throttle"])
	}
}

// tryDigest sends a wrong digest, checks that the login is rejected, and returns the event.
func tryDigest(t *testing.T, s site, d *daemon, r loginRequest, n int) map[string]string {
	t.Helper()
	salt := fmt.Sprintf("<%d.1@mail.example>", n)
	digest := md5.Sum([]byte(r.client + r.method + salt))
	r.password = hex.EncodeToString(digest[:])
	r.more = pair("HTTP_AUTH_SALT", salt)
	r.check(t, s.socket, "Invalid login or password")
	return d.lastEvent(t)
}
