package auth

import (
	"net/http"
	"strings"
	"testing"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
)

// What is no request of nginx is rejected before anything else looks at it, and logged.
func TestUnreadableRequests(t *testing.T) {
	with := func(name, value string) http.Header {
		h := ask{user: "alice@users.example", pass: right}.header()
		h.Set(name, value)
		return h
	}
	without := func(name string) http.Header {
		h := with("Auth-Status", "")
		h.Del(name)
		return h
	}
	twice := func(name string) http.Header {
		h := with("Auth-Status", "")
		h.Add(name, "x")
		return h
	}
	for _, tt := range []struct {
		name   string
		header http.Header
		detail string
	}{
		{"no headers", http.Header{}, "no Auth-Method header"},
		{"nil headers", nil, "no Auth-Method header"},
		{"no method", without("Auth-Method"), "no Auth-Method header"},
		{"no protocol", without("Auth-Protocol"), "no Auth-Protocol header"},
		{"unknown method", with("Auth-Method", "digest-md5"), "unknown Auth-Method"},
		{"method in capitals", with("Auth-Method", "PLAIN"), "unknown Auth-Method"},
		{"unknown protocol", with("Auth-Protocol", "xmpp"), "unknown Auth-Protocol"},
		{"user name of 64 KiB", with("Auth-User", strings.Repeat("u", 64<<10)), "user name longer than 512 bytes"},
		{"user name one byte too long", with("Auth-User", strings.Repeat("%75", authhttp.MaxUser+1)), "user name longer than 512 bytes"},
		{"password of 64 KiB", with("Auth-Pass", strings.Repeat(marker, 64<<10/len(marker))), "password longer than 1024 bytes"},
		{"NUL in the user name", with("Auth-User", "alice%00@users.example"), "user name holds a NUL"},
		{"CR in the user name", with("Auth-User", "alice%0D@users.example"), "user name holds a CR"},
		{"LF in the user name", with("Auth-User", "alice%0a@users.example"), "user name holds a LF"},
		{"NUL in the password", with("Auth-Pass", marker+"%00"), "password holds a NUL"},
		{"CR in the password", with("Auth-Pass", marker+"%0d"), "password holds a CR"},
		{"LF in the password", with("Auth-Pass", marker+"%0A"), "password holds a LF"},
		{"two user names", twice("Auth-User"), "header Auth-User more than once"},
		{"two passwords", twice("Auth-Pass"), "header Auth-Pass more than once"},
		{"two clients", twice("Client-Ip"), "header Client-Ip more than once"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			response, event := answer(t, newAuth(t), tt.header)
			compare(t, response, authhttp.Response{Outcome: authhttp.Reject, Text: failed})
			sent, _ := authhttp.ReadRequest(tt.header)
			want := refused("", authlog.Policy, tt.detail).event(ask{})
			want.Method, want.User, want.Protocol = string(sent.Method), sent.User, string(sent.Protocol)
			want.ClientIP, want.SSL = tt.header.Get("Client-Ip"), tt.header.Get("Auth-Ssl")
			compare(t, event, want)
			if len(event.User) > 4*authhttp.MaxUser {
				t.Errorf("%d bytes of the user name go to the log", len(event.User))
			}
		})
	}
}

// The limits themselves are no errors.
func TestLongestUserAndPassword(t *testing.T) {
	user := strings.Repeat("u", authhttp.MaxUser-len("@users.example")) + "@users.example"
	check(t, newAuth(t), ask{user: user, pass: strings.Repeat("p", authhttp.MaxPassword)},
		refused(box1, authlog.UserUnknown, "no such user in the map"))
}
