package config

import (
	"strings"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/route"
	"mailauthd/internal/shadow"
	"mailauthd/internal/sqldb"
	"mailauthd/internal/upstream"
)

// choices has the words that a key accepts, by its path with NAME for the name of a table.
var choices = map[string][]string{
	"auth.client_ip":                 {"Client-IP", "Proxy-Protocol-Addr"},
	"auth.external.user_from":        {"emailAddress", "CN"},
	"auth.methods":                   {string(authhttp.Plain), string(authhttp.CRAMMD5), string(authhttp.APOP), string(authhttp.External), string(authhttp.None)},
	"log.format":                     authlog.Formats,
	"shadow.answer":                  {shadow.Theirs, shadow.Ours},
	"servers.NAME.verify.protocol":   {"same", "imap", "pop3", "smtp"},
	"servers.NAME.verify.mechanisms": append(upstream.Mechanisms(), upstream.Auto),
	"servers.NAME.verify.tls":        {upstream.NoTLS, upstream.StartTLS, upstream.ImplicitTLS},
	"passdb.NAME.driver":             append(sqldb.Drivers(), ldapDriver),
	"passdb.NAME.scope":              {"base", "onelevel", "subtree"},
	"domains.NAME.verify":            {route.VerifyUpstream, route.VerifyUsers}, // or a passdb
	"domains.NAME.policy":            {route.PolicyOrder, route.PolicyHash},
	"domains.NAME.protocols":         {"imap", "pop3", "smtp"},
	"users.NAME.protocols":           {"imap", "pop3", "smtp"},
}

// pathOf returns the path of a key with NAME for the name of a table, such as servers.NAME.host.
func pathOf(key toml.Key) string {
	if len(key) > 1 && wholeFile.isNamed(key[0]) {
		key = append(toml.Key{key[0], "NAME"}, key[2:]...)
	}
	return strings.Join(key, ".")
}

// choose checks that a value is one of the words that its key accepts.
func (l *loader) choose(f *file, key toml.Key, value string) {
	if words := choices[pathOf(key)]; !oneOf(value, words...) {
		l.problems.add(f, key, "want one of %s", quoteAll(words))
	}
}

// quoteAll writes words as they are written in TOML.
func quoteAll(words []string) string { return `"` + strings.Join(words, `", "`) + `"` }
