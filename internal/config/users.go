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

// userBuilder builds some of the users of a file. Several work at the same time, so each has a loader of its own, which
// collects problems, warnings and the servers that are used.
type userBuilder struct {
	loader
	config  *Config
	servers map[string]*route.Server

	list         []users.User
	written      map[*users.User]string // see fileUsers
	secret       bool
	withPassword int
	cannotUse    map[authhttp.Method]int
}

func newUserBuilder(l *loader, c *Config, servers map[string]*route.Server) *userBuilder {
	return &userBuilder{
		loader:    loader{path: l.path, old: l.old, hashes: l.hashes, used: make(map[string]bool)},
		config:    c,
		servers:   servers,
		written:   make(map[*users.User]string),
		cannotUse: make(map[authhttp.Method]int),
	}
}

// addAll adds the users of a piece of a file, or all users if the file has been decoded as a whole.
func (b *userBuilder) addAll(f *file, piece []byte) error {
	names, tables := f.sections["users"], f.content.Users
	if piece != nil {
		var content struct {
			Users map[string]*userSection `toml:"users"`
		}
		meta, err := toml.Decode(string(piece), &content)
		if err != nil {
			return err
		}
		names, tables = sections(meta.Keys())["users"], content.Users
		b.problems = f.unknownKeys(&meta)
	}
	b.list = make([]users.User, 0, len(names))
	for _, written := range names {
		b.add(f, toml.Key{"users", written}, tables[written])
	}
	return nil
}

// add adds a user.
func (b *userBuilder) add(f *file, key toml.Key, s *userSection) {
	name, domain, ok := b.name(f, key, key[1])
	if !ok {
		return
	}
	name = strings.Clone(name)
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
	b.secret = b.secret || len(u.Passwords) > 0 || u.Extra.UpstreamPassword != ""
	if reflect.ValueOf(*u.Extra).IsZero() {
		u.Extra = nil
	}
	if !b.share(&u) {
		detach(&u)
	}
	b.list = append(b.list, u)
	if added := &b.list[len(b.list)-1]; key[1] != name {
		b.written[added] = strings.Clone(key[1])
	}
}

// countMethods counts the users none of whose passwords can answer the challenges of a method that is offered.
func (b *userBuilder) countMethods(u *users.User) {
	if len(u.Passwords) == 0 {
		return
	}
	b.withPassword++
	if b.offers(authhttp.CRAMMD5) && !anyAnswers(u, password.Hash.VerifyCRAMMD5) {
		b.cannotUse[authhttp.CRAMMD5]++
	}
	if b.offers(authhttp.APOP) && !anyAnswers(u, password.Hash.VerifyAPOP) {
		b.cannotUse[authhttp.APOP]++
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

// wrongAlias stands for an alias that is not right, so that the entries after it keep their numbers. It is no name.
const wrongAlias = ""

func (b *userBuilder) aliases(f *file, key toml.Key, list []string, u *users.User) {
	for _, written := range list {
		alias, _, ok := b.name(f, append(key, "aliases"), written)
		if !ok {
			alias = wrongAlias
		}
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
	h, err := l.hashes.Parse(strings.Clone(value), user)
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

// share takes passwords and settings from the old configuration if the user is the same there, and reports whether it is.
func (b *userBuilder) share(u *users.User) bool {
	if b.old == nil {
		return false
	}
	before := b.old.Users.Lookup(u.Name)
	if before == nil || !reflect.DeepEqual(before, u) {
		return false
	}
	*u = *before
	return true
}

// detach copies the strings of a user, except for name and hashes, that are in the decoder's text, which would stay in memory as long as one of them.
func detach(u *users.User) {
	copyAll := func(list []string) {
		for i := range list {
			list[i] = strings.Clone(list[i])
		}
	}
	for i := range u.Passwords {
		p := &u.Passwords[i]
		p.Label = strings.Clone(p.Label)
		copyAll(p.Protocols)
	}
	if s := u.Extra; s != nil {
		s.Login, s.UpstreamPassword, s.Access.Reason = strings.Clone(s.Login), strings.Clone(s.UpstreamPassword), strings.Clone(s.Access.Reason)
		for _, list := range [][]string{s.Aliases, s.Servers, s.Fingerprints, s.Subjects, s.Access.Protocols} {
			copyAll(list)
		}
	}
}
