package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/access"
	"mailauthd/internal/auth"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/password"
	"mailauthd/internal/route"
)

// buildAuth reads [auth] into c, which has its domains already.
func (l *loader) buildAuth(f *file, s *authSection, c *auth.Config) {
	key := func(name string) toml.Key { return toml.Key{"auth", name} }
	if len(s.Methods) == 0 {
		l.problems.add(f, key("methods"), `is empty, so nobody could log in: list the methods that nginx offers, such as ["plain"]`)
	}
	for i, m := range s.Methods {
		if known := choices["auth.methods"]; !oneOf(m, known...) {
			l.problems.add(f, key("methods"), "entry %d: unknown method (known: %s)", i+1, strings.Join(known, ", "))
		}
	}
	if err := checkFailureMessage(s.FailureMessage); err != "" {
		l.problems.add(f, key("failure_message"), "%s", err)
	}
	if s.HashConcurrency < 1 || s.HashConcurrency > 1024 {
		l.problems.add(f, key("hash_concurrency"), "must be from 1 to 1024")
	}
	if s.MaxArgon2Memory < 1 || s.MaxArgon2Memory > 1<<20 {
		l.problems.add(f, key("max_argon2_memory"), "must be from 1 to %d MiB", 1<<20)
	}
	if s.External.UserFrom != "" {
		l.choose(f, append(key("external"), "user_from"), s.External.UserFrom)
	}
	if s.AllowNets != nil && len(s.AllowNets) == 0 {
		l.problems.add(f, key("allow_nets"), `is empty: remove this key, or list networks such as "192.0.2.0/24"`)
	}
	l.hashes = password.Policy{AllowWeak: s.AllowWeakSchemes, MaxArgon2Memory: uint32(s.MaxArgon2Memory) << 10}
	if s.ClientIP != "" {
		l.choose(f, key("client_ip"), s.ClientIP)
	}
	c.ProxyAddr = s.ClientIP == "Proxy-Protocol-Addr"
	c.UserFrom = s.External.UserFrom
	c.Access = access.Rules{
		RequireTLS: s.RequireTLS,
		AllowNets:  l.networks(f, key("allow_nets"), s.AllowNets),
		DenyNets:   l.networks(f, key("deny_nets"), s.DenyNets),
	}
	c.Methods = s.Methods
	c.DefaultDomain = l.defaultDomain(f, key("default_domain"), s.DefaultDomain, c.Domains)
	c.FailureMessage = s.FailureMessage
	c.ResponseCodes = s.ResponseCodes
	c.HashConcurrency = s.HashConcurrency
}

// warnOfMethods warns about requests that will fail because a key that their method needs is missing.
func (l *loader) warnOfMethods(f *file, c *auth.Config) {
	offers := func(m authhttp.Method) bool { return slices.Contains(c.Methods, string(m)) }
	if offers(authhttp.None) && c.DefaultDomain == "" {
		l.warn(f, toml.Key{"auth", "methods"}, `"none" refuses mail to "postmaster" without a domain (RFC 5321 section 4.5.1): set default_domain, such as "example.com"`)
	}
	for _, s := range c.Servers {
		if offers(authhttp.External) && c.UserFrom != "" && s.Master == nil {
			l.warn(f, toml.Key{"auth", "external", "user_from"}, "%s", noPassword(s.Name))
		}
	}
}

// noPassword warns about logins after which nginx may have nothing to log in to a server with.
func noPassword(server string) string {
	return fmt.Sprintf("nginx has no password for server %q unless the user's entry holds one in cleartext: add [%s] with user and password_file",
		server, toml.Key{"servers", server, "master"})
}

const maxFailureMessage = 200 // bytes; nginx has 1024 for the whole response head

func checkFailureMessage(s string) string {
	if err := authhttp.CheckText(s); err != nil {
		return err.Error()
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "must be printable ASCII, because clients are shown it unchanged"
	}
	if len(s) > maxFailureMessage {
		return fmt.Sprintf("must be at most %d bytes long", maxFailureMessage)
	}
	return ""
}

const maxRecipientDelimiter = 8 // characters

// recipientDelimiter checks a set of delimiters. They must be characters that addresses use for nothing else.
func (l *loader) recipientDelimiter(f *file, key toml.Key, set string) string {
	unfit := func(c rune) bool {
		return c <= ' ' || c > '~' || 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.ContainsRune("@.*", c)
	}
	if len(set) > maxRecipientDelimiter || strings.ContainsFunc(set, unfit) {
		l.problems.add(f, key, `want at most %d characters such as "+" or "+-": printable ASCII, but no letter, digit, space, "@", "." or "*"`, maxRecipientDelimiter)
	}
	return set
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
		l.problems.add(f, key, `is not listed in [domains]: add the domain there, or set "" for none`)
	}
	return domain
}
