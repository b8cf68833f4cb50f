package shadow

import (
	"encoding/json"
	"strings"
	"testing"

	"mailauthd/internal/authhttp"
)

// A script that repeats the password in its answer does not get it into the log.
func TestDifferenceHidesSecrets(t *testing.T) {
	request := authhttp.Request{Method: authhttp.Plain, User: "bob", Password: "S3%CRET", Salt: "<1.2@salt>"}
	for _, theirs := range []authhttp.Response{
		{Outcome: authhttp.Reject, Text: "wrong: S3%CRET"},
		{Outcome: authhttp.Reject, Text: "wrong: S3%25CRET"},
		{Outcome: authhttp.Reject, Text: "salt <1.2@salt>"},
		with("192.0.2.1:143", "S3%CRET", ""),
	} {
		p := pair{request: request, sent: "S3%25CRET", answered: Theirs, response: letIn, reply: Reply{Response: theirs}}
		d, different := p.compare()
		line, err := json.Marshal(&d)
		if !different || err != nil || strings.Contains(string(line), "CRET") || strings.Contains(string(line), "@salt") || !strings.Contains(string(line), Hidden) {
			t.Errorf("%v, %v: %s", different, err, line)
		}
	}
	for text, want := range map[string]string{"wrong": "wrong", "Invalid login or password": "Invalid login or password"} {
		if got := Loggable(text, &authhttp.Request{Password: "password"}, "password"); got != want {
			t.Errorf("%q is logged as %q", text, got)
		}
	}
}
