package authhttp

import (
	"regexp"
	"strings"
	"testing"
)

// requestErrors matches all errors of ReadRequest. None of them holds a value.
var requestErrors = regexp.MustCompile(`^(no (Auth-Method|Auth-Protocol) header|unknown (Auth-Method|Auth-Protocol)|` +
	`(user name|password) (longer than (512|1024) bytes|holds a (NUL|CR|LF))|header (Auth-User|Auth-Pass) more than once)$`)

func FuzzReadRequest(f *testing.F) {
	f.Add("plain", "imap", "bob@domain1.com", "p%20w", "", "1", false)
	f.Add("cram-md5", "pop3", "a+b%40c", "b913a602c7eda7a495b4e6e7334d3890", "<1.2@h>", "2", false)
	f.Add("none", "smtp", "stale%00", "stale", "", "10", false)
	f.Add("", "", "%", "%2", "\x00", "-1", true)
	f.Add("plain", "imap", strings.Repeat("%41", 513), strings.Repeat("%", 1025), "", "99999999999999999999", false)
	f.Fuzz(func(t *testing.T, method, protocol, user, password, salt, attempt string, twice bool) {
		h := headers("Auth-Method", method, "Auth-Protocol", protocol, "Auth-User", user, "Auth-Pass", password,
			"Auth-Salt", salt, "Auth-Login-Attempt", attempt)
		if twice {
			h.Add("Auth-User", user)
		}
		r, err := ReadRequest(h)
		if err != nil {
			if !requestErrors.MatchString(err.Error()) {
				t.Errorf("error %q may hold a value", err)
			}
			return
		}
		if twice {
			t.Error("a repeated header was accepted")
		}
		checkRead(t, r, user, password)
	})
}

// checkRead tests what callers may rely on in a request that was accepted.
func checkRead(t *testing.T, r Request, user, password string) {
	if r.Method == None {
		user, password = "", ""
	}
	if r.User != Unescape(user) || r.Password != Unescape(password) {
		t.Errorf("user %q, password %q: not the unescaped %q, %q", r.User, r.Password, user, password)
	}
	if len(r.User) > MaxUser || len(r.Password) > MaxPassword {
		t.Errorf("user of %d bytes, password of %d", len(r.User), len(r.Password))
	}
	if strings.ContainsAny(r.User+r.Password, "\x00\r\n") {
		t.Errorf("user %q, password %q: a control character was accepted", r.User, r.Password)
	}
	if !strings.Contains(" plain apop cram-md5 external none xoauth2 oauthbearer ", " "+string(r.Method)+" ") ||
		!strings.Contains(" imap pop3 smtp ", " "+string(r.Protocol)+" ") {
		t.Errorf("method %q, protocol %q", r.Method, r.Protocol)
	}
}
