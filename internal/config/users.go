package config

import (
	"strings"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/password"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

func (l *loader) buildAuth(f *file, s *authSection, domains *route.Table) Auth {
	key := func(name string) toml.Key { return toml.Key{"auth", name} }
	if len(s.Methods) == 0 {
		l.problems.add(f, key("methods"), "is empty: nobody could log in")
	}
	for i, m := range s.Methods {
		switch authhttp.Method(m) {
		case authhttp.Plain, authhttp.APOP, authhttp.CRAMMD5, authhttp.External, authhttp.None:
		default:
			l.problems.add(f, key("methods"), "entry %d: unknown method (known: plain, cram-md5, apop, external, none)", i+1)
		}
	}
	if err := checkFailureMessage(s.FailureMessage); err != "" {
		l.problems.add(f, key("failure_message"), "%s", err)
	}
	if s.HashConcurrency < 1 || s.HashConcurrency > 1024 {
		l.problems.add(f, key("hash_concurrency"), "must be from 1 to 1024")
	}
	return Auth{
		Methods:         s.Methods,
		DefaultDomain:   l.defaultDomain(f, key("default_domain"), s.DefaultDomain, domains),
		FailureMessage:  s.FailureMessage,
		ResponseCodes:   s.ResponseCodes,
		HashConcurrency: s.HashConcurrency,
	}
}

const maxFailureMessage = 200 // bytes; nginx has 1024 for the whole head

func checkFailureMessage(s string) string {
	if err := authhttp.CheckText(s); err != nil {
		return err.Error()
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "must be printable ASCII: POP3, IMAP and SMTP clients get it as it is"
	}
	if len(s) > maxFailureMessage {
		return "must not be longer than 200 bytes"
	}
	return ""
}

func (l *loader) defaultDomain(f *file, key toml.Key, s string, domains *route.Table) string {
	if s == "" {
		return ""
	}
	domain, err := mailaddr.Domain(s)
	if err != nil {
		l.problems.add(f, key, "%v", err)
		return ""
	}
	if domains.Find(domain) == nil {
		l.problems.add(f, key, "is not listed in [domains]")
	}
	return domain
}

func (l *loader) buildUsers(defaultDomain string, domains *route.Table) *users.Map {
	var list []users.User
	first := make(map[string]string) // by the one spelling, as written
	for _, f := range l.files {
		for _, written := range f.names("users") {
			key := toml.Key{"users", written}
			u, ok := l.buildUser(f, key, f.content.Users[written], defaultDomain, domains)
			if !ok {
				continue
			}
			if twin, ok := first[u.Name]; ok {
				l.problems.add(f, key, "the same user as %s", toml.Key{"users", twin})
				continue
			}
			first[u.Name] = written
			list = append(list, u)
		}
	}
	m, err := users.New(list)
	if err != nil {
		l.problems.add(l.files[0], toml.Key{"users"}, "%v", err)
	}
	return m
}

func (l *loader) buildUser(f *file, key toml.Key, s *userSection, defaultDomain string, domains *route.Table) (users.User, bool) {
	name := key[1]
	if defaultDomain != "" && !strings.Contains(name, "@") {
		name += "@" + defaultDomain
	}
	name, err := mailaddr.User(name)
	if err != nil {
		l.problems.add(f, key, "%v", err)
		return users.User{}, false
	}
	local, domain := mailaddr.Split(name)
	switch d := domains.Find(domain); {
	case local == "" || domain == "":
		l.problems.add(f, key, `want a user name with its domain, such as "alice@example.com"`)
	case len(name) > authhttp.MaxUser || strings.ContainsAny(name, "\x00\r\n"):
		l.problems.add(f, key, "no client can log in under this name: longer than %d bytes, or with CR, LF or NUL", authhttp.MaxUser)
	case d == nil:
		l.problems.add(f, key, "its domain is not listed in [domains], so this user could never log in")
	case s.Password == nil:
		l.problems.add(f, append(key, "password"), "is missing")
	default:
		hash, err := password.Policy{}.Parse(*s.Password, name)
		if err != nil {
			l.problems.add(f, append(key, "password"), "%v", err)
		}
		return users.User{Name: name, Password: hash}, err == nil
	}
	return users.User{}, false
}
