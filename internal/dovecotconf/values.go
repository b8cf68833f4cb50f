package dovecotconf

import (
	"regexp"
	"slices"
	"strings"
)

// values are the settings of one database. Their keys are those of Dovecot 2.4 without prefixes, such as "query".
type values struct {
	*findings
	of    map[string]setting
	taken map[string]bool
	is24  bool
}

func (c *converter) newValues() *values {
	return &values{c.findings, make(map[string]setting), make(map[string]bool), c.is24}
}

// set adds a setting under its new name. The last one of a name counts.
func (v *values) set(key string, s setting) { v.of[key] = s }

// take returns a setting. It need not be told any more.
func (v *values) take(key string) (s setting, ok bool) {
	v.taken[key] = true
	s, ok = v.of[key]
	switch {
	case !ok || s.value == "":
		return s, false
	case v.is24 && isElsewhere(s.value):
		v.tell(s.line, "Dovecot takes the value of %s from elsewhere: write it here, or add the key by hand", s.name())
		return s, false
	}
	return s, true
}

// isElsewhere reports whether Dovecot 2.4 reads a value from a file, the environment or another setting.
func isElsewhere(value string) bool {
	return strings.HasPrefix(value, "<") || strings.HasPrefix(value, "$SET:") || strings.HasPrefix(value, "$ENV:")
}

// boolean returns a setting that is yes or no.
func (v *values) boolean(key string) (yes bool, line int) {
	s, ok := v.take(key)
	if !ok {
		return false, s.line
	}
	switch strings.ToLower(s.value) {
	case "yes", "y", "1":
		return true, s.line
	case "no", "n", "0":
	default:
		v.tell(s.line, "%s: want yes or no", s.name())
	}
	return false, s.line
}

var plainKey = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// name returns the key as written, unless it does not look like one: then it may be a part of a secret.
func (s setting) name() string {
	if !plainKey.MatchString(s.key) {
		return "this setting"
	}
	return s.key
}

// harmless are values that change nothing here.
var harmless = map[string][]string{
	"version": {"3"}, "deref": {"never"}, "sasl_bind": {"no"}, "tls_require_cert": {"demand", "hard"},
	"ssl_client_require_valid_cert": {"yes"}, "debug_level": {"0"}, "deny": {"no"}, "master": {"no"}, "skip": {"never"},
	"fields_import_all": {"no"},
}

// withoutUse are keys and the beginnings of keys of what mailauthd does not do, and of what it does in its own way.
var withoutUse = []string{
	"user_", "iterate_", "userdb_", "update_query", "debug_level", "connection_group", "blocking", "use_cache", "use_worker",
	"auth_verbose",
}

// hints say what to do about settings without a key.
var hints = map[string]string{
	"version":                       "the protocol is version 3 here",
	"deref":                         "aliases are not followed here: let base or filter find the entries themselves",
	"tls_require_cert":              "certificates are always verified here: set ca_file",
	"ssl_client_require_valid_cert": "certificates are always verified here: set ca_file",
	"tls_ca_cert_dir":               "set ca_file to a file with the certificates",
	"ssl_client_ca_dir":             "set ca_file to a file with the certificates",
	"sasl_bind":                     "there are simple binds only: set auth_dn and auth_dn_password_file",
	"username_filter":               "name the database in verify of the domains that it is for",
	"default_fields":                "return the fields by the query, or set them in [domains]",
	"override_fields":               "return the fields by the query, or set them in [domains]",
}

// rest tells what has not been taken.
func (v *values) rest() {
	var left []string
	for key := range v.of {
		if !v.taken[key] && !slices.Contains(harmless[key], strings.ToLower(v.of[key].value)) {
			left = append(left, key)
		}
	}
	slices.Sort(left)
	for _, key := range left {
		s := v.of[key]
		switch isPrefix := func(p string) bool { return strings.HasPrefix(key, p) }; {
		case slices.ContainsFunc(withoutUse, isPrefix):
			v.warn(s.line, "%s is left out: mailauthd has no use for it", s.name())
		case hints[key] != "":
			v.tell(s.line, "%s has no key: %s", s.name(), hints[key])
		default:
			v.tell(s.line, "%s has no key", s.name())
		}
	}
}
