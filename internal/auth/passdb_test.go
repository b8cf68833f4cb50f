package auth

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"mailauthd/internal/access"
	"mailauthd/internal/authlog"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

const (
	dora  = "dora@db.example"
	nora  = "nora@db.example" // is not in the database
	store = "192.0.2.2:143"
)

// errDown is the outage of a fakeDB.
var errDown = errors.New(`passdb "vmail": query failed: the database is down`)

// fakeDB is a database of users. All fields but asked are set before it is asked.
type fakeDB struct {
	users  map[string]users.User // by name or alias
	decoy  *users.User
	err    error                 // of each query
	during func(context.Context) // is called in each query

	mu    sync.Mutex
	asked []string
}

func (f *fakeDB) Find(ctx context.Context, name string) (*users.User, error) {
	f.mu.Lock()
	f.asked = append(f.asked, name)
	f.mu.Unlock()
	if f.during != nil {
		f.during(ctx)
	}
	if f.err != nil {
		return nil, f.err
	}
	if u, ok := f.users[name]; ok {
		return &u, nil
	}
	return nil, nil
}

func (f *fakeDB) Decoy(string) *users.User { return f.decoy }
func (f *fakeDB) HasMasters() bool         { return false }

// wantAsked wants these names to have been asked for since the last call.
func (f *fakeDB) wantAsked(t *testing.T, want ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.asked, want) {
		t.Errorf("the database was asked for %q, want %q", f.asked, want)
	}
	f.asked = nil
}

func passwords(t testing.TB, hashes ...string) (list []users.Password) {
	for _, h := range hashes {
		list = append(list, users.Password{Hash: hashOf(t, h)})
	}
	return list
}

func nets(s string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(s)} }

// newDBAuth has the users of db.example in a database, and some of them in the map as well.
func newDBAuth(t testing.TB) (*Authenticator, *fakeDB) {
	t.Helper()
	a := newAuth(t)
	home, other := newServer("box1", "192.0.2.1"), newServer("store", "192.0.2.2")
	a.Servers = []*route.Server{home, other}
	a.add(other)
	setDomains(a,
		&route.Domain{Name: "users.example", Verify: route.VerifyUsers, Servers: []*route.Server{home}},
		&route.Domain{Name: "db.example", Verify: "vmail", Servers: []*route.Server{home}, RecipientDelimiter: "+"})
	var err error
	a.Directory, err = users.New([]users.User{
		{Name: alice, Passwords: passwords(t, "{PLAIN}"+right)},
		{Name: "admin@users.example", Passwords: passwords(t, "{PLAIN}admin-"+marker), Extra: &users.Settings{Master: true}},
		{Name: "toml@db.example", Passwords: passwords(t, "{PLAIN}toml-"+marker), Extra: &users.Settings{Aliases: []string{"too@db.example"}}},
		{Name: "both@db.example", Extra: &users.Settings{Login: "BOTH", Servers: []string{"store"}, Access: access.Rules{AllowNets: nets("203.0.113.0/24")}}},
		{Name: "out@db.example", Extra: &users.Settings{Access: access.Rules{NoLogin: new(true)}}},
		{Name: "cert@db.example", Extra: &users.Settings{Fingerprints: []string{"ab"}, UpstreamPassword: "up-" + marker}},
	})
	if err != nil {
		t.Fatal(err)
	}
	one := passwords(t, "{PLAIN}"+right)
	f := &fakeDB{users: map[string]users.User{
		dora:                   {Name: dora, Passwords: one},
		"info@db.example":      {Name: dora, Passwords: one},
		"dora+shop@db.example": {Name: "dora+shop@db.example", Passwords: passwords(t, "{PLAIN}shop-"+marker)},
		"many@db.example":      {Name: "many@db.example", Passwords: passwords(t, "{PLAIN}first-"+marker, "{PLAIN}"+right)},
		"toml@db.example":      {Name: "toml@db.example", Passwords: one},
		"tom@db.example":       {Name: "toml@db.example", Passwords: one},
		"both@db.example":      {Name: "both@db.example", Passwords: one, Extra: &users.Settings{Login: "db", Servers: []string{"box1"}, Access: access.Rules{NoLogin: new(true)}}},
		"out@db.example":       {Name: "out@db.example", Passwords: one},
		"exit@db.example":      {Name: "out@db.example", Passwords: one},
		"cert@db.example":      {Name: "cert@db.example", Passwords: one},
		"dest@db.example":      {Name: "dest@db.example", Passwords: one, Extra: &users.Settings{Login: "DEST", UpstreamPassword: "up-" + marker}},
		"store@db.example":     {Name: "store@db.example", Passwords: one, Extra: &users.Settings{Servers: []string{"store"}}},
		"host@db.example":      {Name: "host@db.example", Passwords: one, Extra: &users.Settings{Servers: []string{"192.0.2.2"}}},
		"lost@db.example":      {Name: "lost@db.example", Passwords: one, Extra: &users.Settings{Servers: []string{"gone.example"}}},
		"null@db.example":      {Name: "null@db.example"},
		"far@db.example":       {Name: "far@db.example", Passwords: one, Extra: &users.Settings{Access: access.Rules{AllowNets: nets("198.51.100.0/24")}}},
	}}
	decoy := f.users[dora]
	f.decoy = &decoy
	a.usePassdb(f.passdb())
	return a, f
}

// passdb is the database with hashes.
func (f *fakeDB) passdb() *Passdb {
	return &Passdb{
		Name: "vmail", Directory: f, MaxConnections: 4, Timeout: 10 * time.Second, Close: func() {},
		IsOutage: func(err error) bool { return errors.Is(err, errDown) },
	}
}

// usePassdb replaces the passdb of the same name.
func (a *Authenticator) usePassdb(p *Passdb) *Passdb {
	a.addPassdb(p)
	a.passdbs[p.Name].breaker = route.NewBreaker(p.Name, "passdb", nil)
	return p
}

func TestPassdb(t *testing.T) {
	const outOfMap = "password does not match"
	for _, tt := range []struct {
		name, user, pass string
		want             told
		asked            []string
	}{
		{"right", dora, right, ok(box, "", ""), []string{dora}},
		{"spelt otherwise", "Dora@DB.example", right, ok(box, "", ""), []string{dora}},
		{"wrong", dora, wrong, no(authlog.PasswordMismatch, outOfMap), []string{dora}},
		{"unknown", nora, right, no(authlog.UserUnknown, "no such user"), []string{nora}},
		{"no password", "null@db.example", right, no(authlog.UserUnknown, "no such user"), []string{"null@db.example"}},
		{"alias", "info@db.example", right, ok(box, dora, ""), []string{"info@db.example"}},
		{"the last of several passwords", "many@db.example", right, ok(box, "", ""), []string{"many@db.example"}},
		{"none of several passwords", "many@db.example", wrong, no(authlog.PasswordMismatch, outOfMap), []string{"many@db.example"}},
		{"login and password for nginx", "dest@db.example", right, ok(box, "DEST", "up-"+marker), []string{"dest@db.example"}},
		{"network", "far@db.example", right, no(authlog.Policy, ""), []string{"far@db.example"}},

		{"a password in the map", "toml@db.example", "toml-" + marker, ok(box, "", ""), nil},
		{"a password in the map, by its alias", "too@db.example", "toml-" + marker, ok(box, "toml@db.example", ""), nil},
		{"the database's for a password in the map", "toml@db.example", right, no(authlog.PasswordMismatch, outOfMap), nil},
		{"an alias for a password in the map", "tom@db.example", "toml-" + marker, ok(box, "toml@db.example", ""), []string{"tom@db.example"}},
		{"an alias, and the database's for a password in the map", "tom@db.example", right, no(authlog.PasswordMismatch, outOfMap), []string{"tom@db.example"}},
		{"settings in the map", "both@db.example", right, no(authlog.UserDisabled, ""), []string{"both@db.example"}},
		{"rules in the map", "out@db.example", right, no(authlog.UserDisabled, ""), []string{"out@db.example"}},
		{"rules in the map, by an alias", "exit@db.example", right, no(authlog.UserDisabled, ""), []string{"exit@db.example"}},
		{"users of the map", alice, right, ok(box, "", ""), nil},

		{"host by a server's name", "store@db.example", right, ok(store, "", ""), []string{"store@db.example"}},
		{"host by a server's host", "host@db.example", right, ok(store, "", ""), []string{"host@db.example"}},
		{"unknown host", "lost@db.example", right, later(authlog.InternalFailure, `passdb "vmail": user "lost@db.example": field host: `), []string{"lost@db.example"}},
		{"unknown host, wrong password", "lost@db.example", wrong, later(authlog.InternalFailure, `passdb "vmail": user "lost@db.example": field host: `), []string{"lost@db.example"}},

		{"extension", "dora+x@db.example", right, ok(box, dora, ""), []string{"dora+x@db.example", dora}},
		{"extension of an alias", "info+x@db.example", right, ok(box, dora, ""), []string{"info+x@db.example", "info@db.example"}},
		{"extension of nobody", "nora+x@db.example", right, no(authlog.UserUnknown, "no such user"), []string{"nora+x@db.example", nora}},
		{"an entry with its extension", "dora+shop@db.example", "shop-" + marker, ok(box, "", ""), []string{"dora+shop@db.example", dora}},
		{"extension of a password in the map", "toml+x@db.example", "toml-" + marker, ok(box, "toml@db.example", ""), nil},

		{"master user", "dora@db.example*admin@users.example", "admin-" + marker, ok(box, dora, right), []string{dora}},
		{"master user, no password for nginx", "null@db.example*admin@users.example", "admin-" + marker, no(authlog.Policy, "nginx needs a password"), []string{"null@db.example"}},
		{"master user for nobody", "nora@db.example*admin@users.example", "admin-" + marker, no(authlog.UserUnknown, "no such user"), []string{nora}},
		{"a user of the database is no master", "dora@db.example*store@db.example", right, no(authlog.UserUnknown, "no such user"), []string{dora}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, f := newDBAuth(t)
			if tt.want.detail == "" && tt.want.status != "OK" {
				_, e := answer(t, a, ask{user: tt.user, pass: tt.pass}.header())
				tt.want.detail = e.Error // the texts of the rules are those of package access
				f.asked = nil
			}
			wantTold(t, a, ask{user: tt.user, pass: tt.pass}.header(), tt.want)
			f.wantAsked(t, tt.asked...)
		})
	}
}

// What the map sets for a user goes before what the database says.
func TestPassdbWithTheMap(t *testing.T) {
	a, f := newDBAuth(t)
	u := f.users["both@db.example"]
	u.Extra = new(u.Settings())
	u.Extra.Access = access.Rules{AllowNets: nets("198.51.100.0/24")}
	f.users["both@db.example"] = u
	wantTold(t, a, ask{user: "both@db.example", pass: right}.header(), ok(store, "BOTH", ""))
	wantTold(t, a, ask{user: "host@db.example", pass: right}.header(), ok(store, "", ""))
	for user, want := range map[string]string{"both@db.example": "box1", "host@db.example": "192.0.2.2"} {
		if again := f.users[user]; !slices.Equal(again.Settings().Servers, []string{want}) {
			t.Errorf("the database's own entry was changed: %+v", again)
		}
	}
}

// The server's own master user is for users of the database too.
func TestMasterOfAPassdbUser(t *testing.T) {
	a, f := newDBAuth(t)
	a.Domains.Find("db.example").Servers[0].Master = &route.Master{User: "proxy", Password: "master-" + marker, Separator: "*"}
	wantTold(t, a, ask{user: "null@db.example*admin@users.example", pass: "admin-" + marker}.header(), ok(box, "null@db.example*proxy", "master-"+marker))
	wantTold(t, a, ask{user: "dora@db.example*admin@users.example", pass: right}.header(), no(authlog.PasswordMismatch, "password does not match"))
	f.wantAsked(t, "null@db.example", dora)
}

// A digest is proved by passwords in cleartext. Other users of the database get the same answer as unknown ones.
func TestDigestOfAPassdbUser(t *testing.T) {
	for _, method := range []string{"cram-md5", "apop"} {
		try := func(user, pass string, want told) {
			t.Run(method+" "+user, func(t *testing.T) {
				a, f := newDBAuth(t)
				f.users["hash@db.example"] = users.User{Name: "hash@db.example", Passwords: passwords(t, "{SHA256}XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg=")}
				in := ask{method: method, user: user, pass: cram(pass), salt: salt}
				if method == "apop" {
					in.protocol, in.pass = "pop3", apop(pass)
					if want.server != "" {
						want.server = "192.0.2.1:110"
					}
				}
				wantTold(t, a, in.header(), want)
			})
		}
		try(dora, right, ok(box, "", right))
		try("info@db.example", right, ok(box, dora, right))
		try("dest@db.example", right, ok(box, "DEST", "up-"+marker))
		try("many@db.example", right, ok(box, "", right))
		try(dora, wrong, no(authlog.PasswordMismatch, "password does not match"))
		try(nora, right, no(authlog.UserUnknown, "no such user"))
		try("null@db.example", right, no(authlog.UserUnknown, "no such user"))
		try("hash@db.example", "password", no(authlog.SchemeNotAvailable, "method "+method+" cannot be checked"))
	}
}

// A certificate that names a user of the database, or is listed in the map, lets the user in.
func TestCertificateOfAPassdbUser(t *testing.T) {
	try := func(user, subject, print string, want told) {
		t.Run(user+" "+subject, func(t *testing.T) {
			a, _ := newDBAuth(t)
			a.UserFrom = "emailAddress"
			h := ask{method: "external", user: user}.header()
			h.Del("Auth-Pass")
			h.Set("Auth-Ssl-Verify", "SUCCESS")
			h.Set("Auth-Ssl-Subject", subject)
			h.Set("Auth-Ssl-Fingerprint", print)
			wantTold(t, a, h, want)
		})
	}
	named := func(name string) string { return "emailAddress=" + name }
	try(dora, named("Dora@db.example"), "", ok(box, "", right))
	try("", named(dora), "", ok(box, dora, right))
	try("info@db.example", named(dora), "", ok(box, dora, right))
	try("info@db.example", named("info@db.example"), "", ok(box, dora, right))
	try("cert@db.example", "CN=x", "AB", ok(box, "", "up-"+marker))
	try("many@db.example", named(dora), "", no(authlog.PasswordMismatch, "certificate is neither"))
	try("", named(nora), "", no(authlog.UserUnknown, "no such user"))
	try(nora, named(nora), "", no(authlog.UserUnknown, "no such user"))
	try("far@db.example", named("far@db.example"), "", no(authlog.Policy, "client is not in allow_nets"))
}

// A user that does not exist costs as many hashes as a wrong password, and gets the same answer.
func TestUnknownPassdbUserCostsTheSame(t *testing.T) {
	a, f := newDBAuth(t)
	f.decoy = &users.User{Name: "decoy@db.example", Passwords: passwords(t, "{PLAIN}"+right, "{PLAIN}x")}
	hashes := 0
	a.CountHash = func() { hashes++ }
	same, _ := answer(t, a, ask{user: "many@db.example", pass: wrong}.header())
	for _, pass := range []string{right, wrong} {
		for user, want := range map[string]int{"many@db.example": 2, nora: 2, "null@db.example": 2} {
			if user != nora && pass == right {
				continue
			}
			hashes = 0
			r, e := answer(t, a, ask{user: user, pass: pass}.header())
			if hashes != want || r != same {
				t.Errorf("%s: %d hashes, want %d, and %+v (%s)", user, hashes, want, r, e.Error)
			}
		}
	}
}

// The log says where the user was looked for.
func TestLogNamesTheSource(t *testing.T) {
	const master = "*admin@users.example"
	for user, want := range map[string]string{
		dora:                         `password does not match the entry in passdb "vmail"`,
		nora:                         `no such user in passdb "vmail"`,
		"toml@db.example":            "password does not match the entry in the map",
		"tom@db.example":             "password does not match the entry in the map",
		"bob@users.example":          "no such user in the map",
		nora + master:                `no such user in passdb "vmail"`,
		dora + master:                "password does not match the entry in the map",
		dora + "*boss@users.example": "no such user in the map",
	} {
		a, _ := newDBAuth(t)
		pass := wrong
		if user == nora+master {
			pass = "admin-" + marker
		}
		if _, e := answer(t, a, ask{user: user, pass: pass}.header()); e.Error != want {
			t.Errorf("%s: the log says %q, want %q", user, e.Error, want)
		}
	}
}
