package auth

import (
	"fmt"
	"testing"
)

func TestTarget(t *testing.T) {
	a, f := newDBAuth(t)
	for _, tt := range []struct{ user, want string }{
		{"Alice@Users.example", "alice@users.example users.example  [box1] domain 192.0.2.1 Alice@Users.example false "},
		{"alice@users.example*admin@users.example", "alice@users.example users.example  [box1] domain 192.0.2.1 alice@users.example false "},
		{"bob@users.example", "bob@users.example users.example  [box1] domain 192.0.2.1 bob@users.example false no such user in the map"},
		{"info@db.example", "dora@db.example db.example vmail [box1] domain 192.0.2.1 dora@db.example false "},
		{"dora+x@db.example", "dora@db.example db.example vmail [box1] domain 192.0.2.1 dora@db.example false "},
		{"store@db.example", "store@db.example db.example vmail [store] passdb 192.0.2.2 store@db.example false "},
		{"host@db.example", "host@db.example db.example vmail [store] passdb 192.0.2.2 host@db.example false "},
		{"both@db.example", "both@db.example db.example vmail [store] user 192.0.2.2 BOTH true "},
		{"too@db.example", "toml@db.example db.example  [box1] domain 192.0.2.1 toml@db.example false "},
		{"out@db.example", "out@db.example db.example vmail [box1] domain 192.0.2.1 out@db.example true "},
		{"far@db.example", "far@db.example db.example vmail [box1] domain 192.0.2.1 far@db.example false "},
		{"null@db.example", `null@db.example db.example vmail [box1] domain 192.0.2.1 null@db.example false no password in passdb "vmail"`},
		{"eve@db.example", `eve@db.example db.example vmail [box1] domain 192.0.2.1 eve@db.example false no such user in passdb "vmail"`},
		{"lost@db.example", `error: internal_failure: passdb "vmail": user "lost@db.example": field host: no server in [servers] has this name or this host`},
		{"alice@elsewhere.example", "error: user_unknown: domain is not listed in [domains]"},
		{"alice", "error: user_unknown: user name without a local part or a domain"},
		{"a\nb@users.example", "error: user name holds a LF"},
	} {
		if got := targetText(t, a, tt.user); got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.user, got, tt.want)
		}
	}
	f.err = errDown
	if got, want := targetText(t, a, dora), "error: internal_failure: "+errDown.Error(); got != want {
		t.Errorf("the database is down: %s\nwant %s", got, want)
	}
}

func targetText(t *testing.T, a *Authenticator, user string) string {
	t.Helper()
	got, err := a.Target(t.Context(), user)
	if err != nil {
		return "error: " + err.Error()
	}
	var servers []string
	for _, s := range got.Servers {
		servers = append(servers, s.Name)
	}
	return fmt.Sprint(got.User, " ", got.Domain.Name, " ", got.Passdb, " ", servers, " ", got.Of, " ", got.Addr, " ", got.Login, " ", got.Rules.NoLogin != nil, " ", got.Unknown)
}

// At the mail server any name may exist.
func TestTargetAtTheServer(t *testing.T) {
	a := newAuth(t)
	got, err := a.Target(t.Context(), "anybody@mixed.example")
	if err != nil || got.Unknown != "" {
		t.Errorf("%+v, %v", got, err)
	}
}
