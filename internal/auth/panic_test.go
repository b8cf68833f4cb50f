package auth

import (
	"regexp"
	"testing"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/route"
)

// A fault of ours is a temporary failure of one request. The log gets where it was,
// but not what it was about.
func TestPanicIsATemporaryFailure(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spoil  func(a *Authenticator)
		detail string
	}{
		{"no domains", func(a *Authenticator) { a.Domains = nil }, `^panic \(runtime\.\w+\) at mailauthd/internal/route\.\(\*Table\)\.Find \(route\.go:\d+\)$`},
		{"no users", func(a *Authenticator) { a.Directory = nil }, `^panic \(runtime\.\w+\) at mailauthd/internal/auth\.\(\*Authenticator\)\.lookup \(login\.go:\d+\)$`},
		{"no resolver", func(a *Authenticator) { // found out by package sync
			a.Resolver = nil
			a.Domains.Find("users.example").Servers[0].Host = "name.invalid"
		}, `^panic \(runtime\.\w+\) at mailauthd/internal/route\.\(\*Resolver\)\.Addr \(resolve\.go:\d+\)$`},
		{"a domain without servers", func(a *Authenticator) {
			a.Domains = route.NewTable([]*route.Domain{{Name: "users.example"}})
		}, `^panic \(runtime\.\w+\) at mailauthd/internal/auth\.\(\*Authenticator\)\.route \(login\.go:\d+\)$`},
		{"a panic about the password", func(a *Authenticator) {
			first := true
			a.Trace = func(string, ...any) {
				if first {
					first = false
					panic(right)
				}
			}
		}, `^panic \(string\) at mailauthd/internal/auth\.TestPanicIsATemporaryFailure.* \(panic_test\.go:\d+\)$`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAuth(t)
			tt.spoil(a)
			response, event := answer(t, a, ask{user: "alice@users.example", pass: right}.header())
			compare(t, response, authhttp.Response{Outcome: authhttp.TempFail, Text: trouble})
			if !regexp.MustCompile(tt.detail).MatchString(event.Error) {
				t.Errorf("logged %q, want %s", event.Error, tt.detail)
			}
			if event.Outcome != authlog.TempFail || event.Reason != authlog.InternalFailure || event.User != "alice@users.example" {
				t.Errorf("event %+v", event)
			}
			wantIdle(t, a)
		})
	}
}
