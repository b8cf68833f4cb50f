package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/password"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

func (l *loader) buildUsers(c *Config, servers map[string]*route.Server) *users.Map {
	n := 0
	for _, f := range l.files {
		n += len(f.sections["users"])
	}
	l.owners = make(map[string]owner, n)
	b := userBuilder{loader: l, config: c, servers: servers, list: make([]users.User, 0, n)}
	for _, f := range l.files {
		for _, written := range f.sections["users"] {
			b.add(f, toml.Key{"users", written}, f.content.Users[written])
		}
		f.content.Users = nil // frees about as much memory as the result takes
	}
	m, err := users.New(b.list)
	if err != nil && len(l.problems) == 0 {
		l.problems.add(l.files[0], toml.Key{"users"}, "%v", err)
	}
	return m
}

// userBuilder collects the users of all files.
type userBuilder struct {
	*loader
	config  *Config
	servers map[string]*route.Server
	list    []users.User
}

// owner is the user that a name or an alias belongs to.
type owner struct {
	file *file
	key  string // of the user's table, as written
}

func (o owner) String() string { return o.file.at(toml.Key{"users", o.key}) }

// add adds a user. A duplicate of an earlier name or alias is a problem.
func (b *userBuilder) add(f *file, key toml.Key, s *userSection) {
	name, domain, ok := b.name(f, key, key[1])
	if !ok {
		return
	}
	if first, ok := b.owners[name]; ok {
		b.problems.add(f, key, "is the same user as %s: remove one of them", first)
		return
	}
	b.owners[name] = owner{f, key[1]}
	u := users.User{Name: name, Passwords: b.buildPasswords(f, append(key, "password"), name, s.Password)}
	u.Extra = &users.Settings{
		Servers:          s.Servers,
		Login:            s.Login,
		UpstreamPassword: s.UpstreamPassword,
		Fingerprints:     b.fingerprints(f, append(key, "fingerprint"), s.Fingerprint),
		Subjects:         b.strings(f, append(key, "subject"), s.Subject),
		Master:           s.Master,
		Access:           b.buildAccess(f, key, &s.accessSection),
	}
	b.serverList(f, append(key, "servers"), s.Servers, b.servers)
	b.sendable(f, append(key, "login"), s.Login)
	b.sendable(f, append(key, "upstream_password"), s.UpstreamPassword)
	b.warnOfLength(f, key, &u)
	b.aliases(f, key, s.Aliases, &u)
	b.checkCredentials(f, key, &u, domain)
	b.countMethods(&u)
	f.secret = f.secret || len(u.Passwords) > 0 || u.Extra.UpstreamPassword != ""
	if reflect.ValueOf(*u.Extra).IsZero() {
		u.Extra = nil
	}
	b.list = append(b.list, u)
}

// countMethods counts the users none of whose passwords can answer the challenges of a method that is offered.
func (b *userBuilder) countMethods(u *users.User) {
	if len(u.Passwords) == 0 {
		return
	}
	b.config.WithPassword++
	if b.offers(authhttp.CRAMMD5) && !anyAnswers(u, password.Hash.VerifyCRAMMD5) {
		b.config.CannotUse[authhttp.CRAMMD5]++
	}
	if b.offers(authhttp.APOP) && !anyAnswers(u, password.Hash.VerifyAPOP) {
		b.config.CannotUse[authhttp.APOP]++
	}
}

// anyAnswers reports whether one of the user's passwords can answer a challenge.
func anyAnswers(u *users.User, verify func(h password.Hash, challenge, digest string) (bool, error)) bool {
	return slices.ContainsFunc(u.Passwords, func(p users.Password) bool {
		_, err := verify(p.Hash, "", "")
		return !errors.Is(err, password.ErrSchemeNotAvailable)
	})
}

// warnOfLength warns about passwords that may be too long to be sent to nginx. A login that needs to
// send such a password ends as a temporary failure.
func (b *userBuilder) warnOfLength(f *file, key toml.Key, u *users.User) {
	check := func(name, secret, consequence string) {
		room := min(authhttp.PasswordRoom(u.Name), authhttp.PasswordRoom(u.Extra.Login))
		if len(secret) > room {
			b.warn(f, append(key, name), "is longer than %d bytes, so it may be too long to be sent to nginx: choose a shorter one%s", room, consequence)
		}
	}
	if u.Extra.UpstreamPassword != "" { // no other password is sent
		check("upstream_password", u.Extra.UpstreamPassword, "")
		return
	}
	for i := range u.Passwords {
		if clear, ok := u.Passwords[i].Hash.Cleartext(); ok {
			check("password", clear, ", or only plain logins may work")
		}
	}
}

// name brings a name or an alias to its canonical form, and finds its domain.
func (b *userBuilder) name(f *file, key toml.Key, written string) (string, *route.Domain, bool) {
	name, err := b.config.Canonical(written)
	if err != nil {
		b.problems.add(f, key, "%v", err)
		return "", nil, false
	}
	local, domain := mailaddr.Split(name)
	if local == "" || domain == "" {
		b.problems.add(f, key, `want a user name with a domain, such as "alice@example.com"`)
		return "", nil, false
	}
	if err := authhttp.CheckUser(name); err != nil {
		b.problems.add(f, key, "no client can log in under this name: %v", err)
		return "", nil, false
	}
	d := b.config.Domains.Find(domain)
	if d == nil {
		b.problems.add(f, key, "its domain is not listed in [domains], so this user could never log in: add the domain there")
	}
	return name, d, d != nil
}

func (b *userBuilder) aliases(f *file, key toml.Key, list []string, u *users.User) {
	for i, written := range list {
		alias, _, ok := b.name(f, append(key, "aliases"), written)
		if !ok {
			continue
		}
		if first, ok := b.owners[alias]; ok {
			b.problems.add(f, append(key, "aliases"), "entry %d: the name already belongs to %s: remove one of them", i+1, first)
			continue
		}
		b.owners[alias] = owner{f, key[1]}
		u.Extra.Aliases = append(u.Extra.Aliases, alias)
	}
}

// checkCredentials checks that the user has some way to log in. It warns about methods after which
// nginx would have no password for the server.
func (b *userBuilder) checkCredentials(f *file, key toml.Key, u *users.User, d *route.Domain) {
	byCertificate := len(u.Extra.Fingerprints)+len(u.Extra.Subjects) > 0
	closed := u.Extra.Access.NoLogin != nil && *u.Extra.Access.NoLogin
	if len(u.Passwords) == 0 && !byCertificate && !closed && d.Verify == route.VerifyUsers {
		b.problems.add(f, append(key, "password"), `is missing, and in a domain with verify = "users" this user could never log in: "mailauthd pw" prints a hash`)
	}
	if u.Extra.Master && len(u.Passwords) == 0 {
		b.problems.add(f, append(key, "password"), `is missing, and a master user needs one: "mailauthd pw" prints a hash`)
	}
	for _, s := range b.config.Servers {
		if u.Extra.Master && s.Master == nil {
			b.warn(f, append(key, "master"), "%s", noPassword(s.Name))
		}
	}
	server := d.Servers
	if own := u.Extra.Servers; len(own) > 0 && b.servers[own[0]] != nil {
		server = []*route.Server{b.servers[own[0]]}
	}
	if u.Extra.UpstreamPassword != "" || len(server) == 0 || server[0].Master != nil {
		return
	}
	digest := false
	for i := range u.Passwords {
		if _, ok := u.Passwords[i].Hash.Cleartext(); ok {
			return
		}
		digest = digest || u.Passwords[i].Hash.Scheme() == "CRAM-MD5"
	}
	if byCertificate && b.offers(authhttp.External) || digest && b.offers(authhttp.CRAMMD5) {
		b.warn(f, key, "after cram-md5 or external, nginx has no password for server %q: set upstream_password here, or add [%s] with user and password_file",
			server[0].Name, toml.Key{"servers", server[0].Name, "master"})
	}
}

func (b *userBuilder) offers(m authhttp.Method) bool {
	return slices.Contains(b.config.Methods, string(m))
}

// hash parses a password's hash.
func (l *loader) hash(f *file, key toml.Key, user, value string) password.Hash {
	h, err := l.hashes.Parse(value, user)
	if err != nil {
		l.problems.add(f, key, "%v", err)
		return h
	}
	clear, _ := h.Cleartext()
	if strings.ContainsAny(clear, "\x00\r\n") {
		l.problems.add(f, key, "holds CR, LF or NUL, so no client can log in with it: choose another password")
	} else if len(clear) > authhttp.MaxPassword {
		l.problems.add(f, key, "is longer than %d bytes, so no client can log in with it: choose a shorter password", authhttp.MaxPassword)
	} else if err := authhttp.CheckValue(clear); err != nil {
		l.warn(f, key, "%v: only plain logins can use this password", err)
	}
	return h
}
