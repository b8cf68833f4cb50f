package shadow

import (
	"net/netip"
	"testing"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
)

var (
	letIn    = authhttp.Response{Outcome: authhttp.OK, Server: netip.MustParseAddrPort("192.0.2.1:143")}
	refused  = authhttp.Response{Outcome: authhttp.Reject, Text: wrongText}
	noAnswer = authhttp.Response{}
	tempFail = authhttp.Response{Text: "Temporary authentication failure"}
)

// with returns letIn with other values.
func with(server, user, password string) authhttp.Response {
	r := letIn
	r.Server, r.User, r.Password = netip.MustParseAddrPort(server), user, password
	return r
}

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		name         string
		method       authhttp.Method
		ours, theirs authhttp.Response
		different    bool
	}{
		{"both let in", authhttp.Plain, letIn, letIn, false},
		{"both refuse", authhttp.Plain, refused, refused, false},
		{"with other texts and times", authhttp.Plain, refused, authhttp.Response{Outcome: authhttp.Reject, Text: "No", Wait: 3, Code: "535"}, false},
		{"neither can tell", authhttp.Plain, tempFail, noAnswer, false},
		{"only ours lets in", authhttp.Plain, letIn, refused, true},
		{"only theirs lets in", authhttp.Plain, refused, letIn, true},
		{"only ours cannot tell", authhttp.Plain, tempFail, refused, true},
		{"only theirs cannot tell", authhttp.Plain, refused, noAnswer, true},
		{"mapped address", authhttp.Plain, letIn, with("[::ffff:192.0.2.1]:143", "", ""), false},
		{"other server", authhttp.Plain, letIn, with("192.0.2.2:143", "", ""), true},
		{"other port", authhttp.Plain, letIn, with("192.0.2.1:144", "", ""), true},
		{"client's own name and password", authhttp.Plain, letIn, with("192.0.2.1:143", "bob", "right"), false},
		{"other name", authhttp.Plain, with("192.0.2.1:143", "rob", ""), letIn, true},
		{"same other name", authhttp.Plain, with("192.0.2.1:143", "rob", ""), with("192.0.2.1:143", "rob", ""), false},
		{"other password", authhttp.Plain, letIn, with("192.0.2.1:143", "", "wrong"), true},
		{"no password for the server", authhttp.CRAMMD5, with("192.0.2.1:143", "", "right"), letIn, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := pair{
				request: authhttp.Request{Method: tt.method, User: "bob", Password: "right"}, answered: Ours,
				response: tt.ours, event: authlog.Event{Outcome: tt.ours.Outcome.String()}, reply: Reply{Response: tt.theirs},
			}
			if _, different := p.compare(); different != tt.different {
				t.Errorf("different = %v", different)
			}
		})
	}
}

func TestDifference(t *testing.T) {
	p := pair{
		request: authhttp.Request{Method: authhttp.Plain, User: "bob\n", Password: "secret"}, answered: Theirs,
		response: refused, reply: Reply{Response: with("192.0.2.1:143", "rob\n", "secret2")},
		event: authlog.Event{Method: "plain", User: "bob\n", Salt: "salt", Protocol: "imap", ClientIP: "192.0.2.42",
			Reason: authlog.Policy, Throttle: "pair", Error: "x\n"},
	}
	got, _ := p.compare()
	want := Difference{
		Method: "plain", User: `bob\x0a`, Protocol: "imap", ClientIP: "192.0.2.42", Answered: "theirs",
		Ours:   Answer{Outcome: "reject", Status: wrongText, Reason: "policy throttle=pair", Error: `x\x0a`},
		Theirs: Answer{Outcome: "ok", Status: "OK", Server: "192.0.2.1", Port: "143", User: `rob\x0a`},
	}
	if got != want {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// Quoting is what a script does wrong that decodes %20, %23, %25 and %3F in this order in the password, quotes a space
// and an ampersand in it for a shell, and does nothing to the name.
func TestQuoting(t *testing.T) {
	for _, tt := range []struct {
		user, password string
		want           bool
	}{
		{"bob@domain1.com", "Right1", false},
		{"b.o-b_x+y=z@domain1.com", "a b&c%d#e?f", false},
		{"bäb", "pässwörd", false},
		{"b\xe4b", "p\xe4ss", false},
		{"bob", "100%25", false},
		{"bob", "^caret!", false},
		{"azAZ09\x80", "azAZ09\x80", false},
		{"bob", "a%3Fb", true},
		{"bob", "a%3fb", false},
		{"bob", "#1", true},
		{"b%b", "x", true},
		{"b b", "x", true},
		{"b&b", "x", true},
		{"o'neil@domain1.com", "x", true},
		{"bob", "it's", true},
		{"bob", "a\tb", true},
		{"bob", "a\x00b", true},
		{"bob", "~home", true},
	} {
		p := pair{request: authhttp.Request{Method: authhttp.Plain, User: tt.user, Password: tt.password}, response: letIn, reply: Reply{Response: refused}}
		if d, _ := p.compare(); d.Quoting != tt.want {
			t.Errorf("%q with %q: quoting = %v", tt.user, tt.password, d.Quoting)
		}
	}
	for _, c := range "$`\"\\;|<>()[]{}*~" {
		p := pair{request: authhttp.Request{Password: "a" + string(c)}, response: letIn, reply: Reply{Response: refused}}
		if !p.misquoted() {
			t.Errorf("%q is taken for plain", c)
		}
	}
	for _, answers := range [][2]authhttp.Response{{refused, letIn}, {tempFail, refused}, {letIn, noAnswer}} {
		p := pair{request: authhttp.Request{Password: "it's"}, response: answers[0], reply: Reply{Response: answers[1]}}
		if d, different := p.compare(); d.Quoting || !different {
			t.Errorf("quoting explains that ours is %v and theirs %v", answers[0].Outcome, answers[1].Outcome)
		}
	}
}
