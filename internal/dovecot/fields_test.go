package dovecot

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mailauthd/internal/password"
	"mailauthd/internal/users"
)

const secret = "S3CR3T"

var weak = Reader{Hashes: password.Policy{AllowWeak: true}}

func TestUserHasEveryField(t *testing.T) {
	u, err := weak.User("bob@x.org", []Row{{
		"password": "{PLAIN}x", "user": "Robert", "allow_nets": "192.0.2.7/24, 2001:db8::1,local ::1", "deny_nets": "192.0.2.9", "nologin": "", "reason": "left",
		"host": "dovecot1", "destuser": "rob", "pass": "p w", "userdb_quota": "1", "proxy": "y", "id": "7",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if u.Name != "robert@x.org" || u.Settings().Login != "rob" || u.Settings().UpstreamPassword != "p w" || !slices.Equal(u.Settings().Servers, []string{"dovecot1"}) {
		t.Errorf("%q, login %q, servers %q", u.Name, u.Settings().Login, u.Settings().Servers)
	}
	if nets := fmt.Sprint(u.Settings().Access.AllowNets); nets != "[192.0.2.0/24 2001:db8::1/128 ::1/128]" {
		t.Errorf("networks: %s", nets)
	}
	if nets := fmt.Sprint(u.Settings().Access.DenyNets); nets != "[192.0.2.9/32]" {
		t.Errorf("denied networks: %s", nets)
	}
	if u.Settings().Access.NoLogin == nil || !*u.Settings().Access.NoLogin || u.Settings().Access.Reason != "left" {
		t.Errorf("rules: %+v", u.Settings().Access)
	}
	if len(u.Passwords) != 1 || !right(t, u, "x") || right(t, u, "y") {
		t.Errorf("passwords: %v", u.Passwords)
	}
}

// right reports whether one of the passwords of a user is right.
func right(t *testing.T, u *users.User, pass string) bool {
	t.Helper()
	return slices.ContainsFunc(u.Passwords, func(p users.Password) bool {
		ok, err := p.Hash.Verify(pass)
		if err != nil {
			t.Error(err)
		}
		return ok
	})
}

func TestAbsentFields(t *testing.T) {
	u, err := Reader{}.User("bob@x.org", []Row{{}})
	if err != nil || u.Name != "bob@x.org" || len(u.Passwords) != 0 || u.Settings().Servers != nil || u.Settings().Login != "" || u.Settings().Access.NoLogin != nil || u.Settings().Access.AllowNets != nil {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		row  Row
		want string
	}{
		{Row{"user": "Bob2"}, "bob2@x.org"},
		{Row{"user": "bob2@Y.org"}, "bob2@y.org"},
		{Row{"username": "bob2", "domain": "Bücher.example"}, "bob2@xn--bcher-kva.example"},
		{Row{"username": "bob2@y.org", "domain": "z.org"}, "bob2@z.org"},
		{Row{"domain": "Y.org"}, "bob@y.org"},
	} {
		if u, err := (Reader{}).User("bob@x.org", []Row{tt.row}); err != nil || u.Name != tt.want {
			t.Errorf("%v: %v, %v; want %s", tt.row, u, err, tt.want)
		}
	}
}

func TestDefaultScheme(t *testing.T) {
	const bcrypt = "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC" // myPassword
	for _, tt := range []struct{ scheme, field, value, password string }{
		{"", "password", "{PLAIN}x", "x"},
		{"", "password", bcrypt, "myPassword"},
		{"PLAIN", "password", "x", "x"},
		{"plain", "password", "$1$x", "$1$x"},
		{"PLAIN", "password", "{SHA}qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "abc"},
		{"PLAIN", "password_noscheme", "{SHA}x", "{SHA}x"},
		{"BLF-CRYPT", "password", bcrypt, "myPassword"},
		{"SHA512-CRYPT", "password", bcrypt, "myPassword"}, // as in Dovecot, by crypt(3)
		{"CRYPT", "password", "rqXexS6ZhobKA", "myPassword"},
		{"PLAIN-MD5", "password", "900150983cd24fb0d6963f7d28e17f72", "abc"},
		{"SHA256.hex", "password", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "abc"},
	} {
		r := weak
		r.Scheme = tt.scheme
		u, err := r.User("bob@x.org", []Row{{tt.field: tt.value}})
		if err != nil {
			t.Errorf("%+v: %v", tt, err)
		} else if !right(t, u, tt.password) || right(t, u, tt.password[1:]) {
			t.Errorf("%+v: the wrong password is right", tt)
		}
		if err := r.CheckScheme(); err != nil {
			t.Error(err)
		}
	}
	if err := (Reader{Scheme: "nonesuch"}).CheckScheme(); err == nil || !strings.Contains(err.Error(), "unknown scheme (known: ARGON2ID, ") {
		t.Error(err)
	}
}

func TestSeveralRows(t *testing.T) {
	row := func(pass string) Row { return Row{"password": "{PLAIN}" + pass, "host": "a"} }
	u, err := Reader{}.User("bob@x.org", []Row{row("one"), row("two"), row("one"), {"host": "a"}})
	if err != nil || len(u.Passwords) != 2 || !right(t, u, "one") || !right(t, u, "two") {
		t.Errorf("%v, %v", u, err)
	}
	var many []Row
	for i := range users.MaxPasswords + 1 {
		many = append(many, row(fmt.Sprint(i)))
	}
	if _, err := (Reader{}).User("bob@x.org", many[1:]); err != nil {
		t.Error(err)
	}
	if _, err := (Reader{}).User("bob@x.org", many); err == nil || !strings.Contains(err.Error(), "17 passwords: want at most 16") {
		t.Error(err)
	}
	for _, last := range []Row{{"host": "b"}, {}, {"host": "a", "nologin": "y"}} {
		if u, err := (Reader{}).User("bob@x.org", []Row{row("one"), row("two"), last}); err == nil || !strings.Contains(err.Error(), "rows 1 and 3 differ") {
			t.Errorf("%v: %v, %v", last, u, err)
		}
	}
}

func TestUserErrors(t *testing.T) {
	long := strings.Repeat(secret, 200)
	for _, tt := range []struct {
		field, value, want string
	}{
		{"password", "", "empty: want NULL"},
		{"password", secret, "no scheme: set default_password_scheme"},
		{"password", "{" + secret + "}" + secret, "unknown scheme (known: ARGON2ID, "},
		{"password", "{" + secret + "}", "unknown scheme (known"},
		{"password", "{PLAIN." + secret + "}x", "scheme PLAIN: unknown encoding"},
		{"password", "{SSHA}" + secret, "scheme SSHA: "},
		{"password", "{MD5}" + secret, "scheme MD5 is weak: set allow_weak_schemes"},
		{"password", "{PLAIN}" + secret + "\r", "holds a CR"},
		{"password", "{PLAIN}" + long, "longer than 1024 bytes"},
		{"password", "$9$" + secret, "scheme CRYPT: "},
		{"password_noscheme", secret, "no scheme"},
		{"user", "@", ""},
		{"user", "", "want a user name with a domain"},
		{"user", secret + "@a..b", "empty label"},
		{"user", long, "longer than 512 bytes"},
		{"domain", "a " + secret, "not a domain name"},
		{"domain", "", "not a domain name"},
		{"allow_nets", "", "has no network: want NULL to allow all"},
		{"deny_nets", "", "has no network: want NULL to deny none"},
		{"deny_nets", "::1 " + secret, "entry 2: want an address or a network"},
		{"allow_nets", "local", "has no network"},
		{"allow_nets", "192.0.2.0/24," + secret, "entry 2: want an address or a network"},
		{"nologin", "n", "want y for yes, or NULL for no"},
		{"nologin", secret, "want y for yes"},
		{"fail", "0", "want y for yes"},
		{"host", "", "empty: want a mail server"},
		{"destuser", "", "empty: want NULL"},
		{"destuser", secret + " ", "ends with a space"},
		{"pass", secret + "\n", "holds CR, LF or NUL"},
		{"pass", long, "must be at most 512 bytes long"},
		{"nopassword", "y", "would let anybody in"},
		{"nopassword", secret, "would let anybody in"},
		{"allow_real_nets", secret, "not supported"},
		{"delay_until", secret, "not supported"},
		{"noauthenticate", secret, "not supported"},
	} {
		u, err := Reader{}.User("bob@x.org", []Row{{tt.field: tt.value}})
		if err == nil || !strings.HasPrefix(err.Error(), `user "bob@x.org": `) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s = %q: %v, %v; want %q", tt.field, tt.value, u, err, tt.want)
		} else if strings.Contains(strings.ToUpper(err.Error()), secret) {
			t.Errorf("%s: the error contains the value: %v", tt.field, err)
		} else if tt.field != "user" && !strings.Contains(err.Error(), "field "+tt.field+": ") {
			t.Errorf("%s: the error does not name the field: %v", tt.field, err)
		}
	}
}

func TestNoLoginWords(t *testing.T) {
	for _, s := range []string{"y", "Y", "yes", "Yes", "1", "t", "true", "TRUE", ""} {
		u, err := Reader{}.User("bob@x.org", []Row{{"nologin": s}})
		if err != nil || u.Settings().Access.NoLogin == nil || !*u.Settings().Access.NoLogin {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestMeaning(t *testing.T) {
	for name, want := range map[string]string{
		"password": "the password", "Allow_Nets": "the networks that the user may log in from", "nopassword": "an error unless it is NULL",
		"proxy": "ignored: Dovecot's own", "userdb_quota_rule": "ignored: Dovecot's own", "quota_kb": "ignored: unknown", "": "ignored: unknown",
	} {
		got, used := Reader{}.Meaning(name)
		if got != want || used != !strings.HasPrefix(want, "ignored") {
			t.Errorf("%s: %q, %v; want %q", name, got, used, want)
		}
	}
}
