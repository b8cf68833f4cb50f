package auth

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/mailaddr"
)

var replyCode = regexp.MustCompile(`^(|\d{3} \d\.\d\.\d)$`)

// FuzzAnswer asks with arbitrary headers. Whatever they are, the answer can be sent,
// and nobody gets in but the one user of the map by the one password.
func FuzzAnswer(f *testing.F) {
	const user = "alice@users.example"
	f.Add("plain", "imap", user, nginxEscape(right), "", "", false)
	f.Add("plain", "smtp", "ALICE", nginxEscape(right), "", "", true)
	f.Add("plain", "pop3", user, nginxEscape(wrong), "", "", true)
	f.Add("plain", "imap", user, right, "", "", false)
	f.Add("cram-md5", "imap", user, "00112233445566778899aabbccddeeff", "<1.2@host>", "", true)
	f.Add("none", "smtp", user, nginxEscape(right), "", "RCPT TO:<a@b> ORCPT=x", true)
	f.Add("plain", "imap", "alice@lost-upstream.example", "%", "", "", false)
	f.Add("plain", "imap", "%00\r\n%zz\xff@\xff", "%0", "", "", false)
	f.Add("plain", "imap", " alice@bücher.example", "+", "", "", false)
	f.Add("", "", "", "", "", "", false)
	a := newAuth(f)
	a.DefaultDomain = "users.example"
	a.Directory = userMap(f, user)
	codes := *a
	codes.ResponseCodes = true
	f.Fuzz(func(t *testing.T, method, protocol, name, pass, salt, rcpt string, withCodes bool) {
		h := http.Header{
			"Auth-Method": {method}, "Auth-Protocol": {protocol}, "Auth-User": {name}, "Auth-Pass": {pass},
			"Auth-Salt": {salt}, "Auth-Smtp-To": {rcpt}, "Client-Ip": {"203.0.113.5"},
		}
		by := a
		if withCodes {
			by = &codes
		}
		response, event := by.Answer(t.Context(), h)
		if err := response.Validate(); err != nil {
			t.Errorf("response cannot be sent: %v", err)
		}
		if response.Status() == "" || event.Status != response.Status() || event.Outcome != response.Outcome.String() {
			t.Errorf("response %+v, event %+v", response, event)
		}
		if !replyCode.MatchString(response.Code) {
			t.Errorf("reply code %q", response.Code)
		}
		isOK := response.Outcome == authhttp.OK
		if isOK != (response.Status() == "OK") {
			t.Errorf("outcome %v says %q", response.Outcome, response.Status())
		}
		if isOK && !mayPass(user, method, name, pass) {
			t.Errorf("%q is let in", name)
		}
		if sent := authhttp.Unescape(pass); strings.Contains(sent, marker) && strings.Contains(event.Error, marker) {
			t.Errorf("a password is in the log: %q", event.Error)
		}
	})
}

// mayPass is the rule in its simplest words.
func mayPass(user, method, name, pass string) bool {
	name = authhttp.Unescape(name)
	if !strings.Contains(name, "@") {
		name += "@users.example"
	}
	name, err := mailaddr.User(name)
	return err == nil && name == user && method == "plain" && authhttp.Unescape(pass) == right
}
