package dovecot

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"mailauthd/internal/access"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/password"
	"mailauthd/internal/users"
)

// Row has the fields of one row of a result, by name in lower case. A field that is NULL is not in it.
type Row map[string]string

// Reader makes users of rows.
type Reader struct {
	Hashes password.Policy
	Scheme string // of hashes that do not name theirs, such as "BLF-CRYPT"; empty: they must begin with "$"
}

// field is a field that becomes a part of a user.
type field struct {
	name    string
	meaning string
	set     func(u *users.User, value string) error // nil: see [Reader.passwords]
}

// fields lists the fields in the order in which they are read.
var fields = []field{
	{"password", "the password", nil},
	{"password_noscheme", "the password, in the default scheme", nil},
	{"user", "the user name", setUser},
	{"username", "the user name", setUser},
	{"domain", "the domain of the user name", setDomain},
	{"allow_nets", "the networks that the user may log in from", setAllowNets},
	{"deny_nets", "the networks that the user may not log in from", setDenyNets},
	{"nologin", "whether all logins are refused", setNoLogin},
	{"fail", "whether all logins are refused", setNoLogin},
	{"reason", "why all logins are refused, for the log", setReason},
	{"host", "the mail server", setHost},
	{"destuser", "the user name for the mail server", setLogin},
	{"pass", "the password for the mail server", setUpstreamPassword},
	{"nopassword", "an error unless it is NULL", refuse("would let anybody in: return a password instead")},
	{"noauthenticate", "an error unless it is NULL", refuse("is not supported: return no row for a user of another database")},
	{"allow_real_nets", "an error unless it is NULL", refuse("is not supported: use allow_nets")},
	{"delay_until", "an error unless it is NULL", refuse("is not supported: use nologin")},
}

// Meaning describes what becomes of a field. Used reports whether it becomes a part of the user.
func (r Reader) Meaning(name string) (meaning string, used bool) {
	name = strings.ToLower(name)
	for _, f := range fields {
		if f.name == name {
			return f.meaning, true
		}
	}
	if users.IsIgnored(name) {
		return "ignored: Dovecot's own", false
	}
	return "ignored: unknown", false
}

// CheckScheme returns an error if the default scheme is unknown.
func (r Reader) CheckScheme() error {
	if r.Scheme == "" {
		return nil
	}
	return knownScheme(r.Scheme)
}

// User makes a user of the rows that a database returned for a name in canonical form. There must be at least one row.
// The host is returned as the only entry of the user's Servers, as written.
func (r Reader) User(name string, rows []Row) (*users.User, error) {
	u := &users.User{Name: name, Extra: new(users.Settings)}
	for _, f := range fields {
		if err := r.read(u, f, rows); err != nil {
			return nil, fmt.Errorf("user %q: field %s: %w", name, f.name, err)
		}
	}
	if len(u.Passwords) > users.MaxPasswords {
		return nil, fmt.Errorf("user %q: %d passwords: want at most %d", name, len(u.Passwords), users.MaxPasswords)
	}
	if err := checkName(u.Name); err != nil {
		return nil, fmt.Errorf("user %q: the name in the result: %w", name, err)
	}
	return u, nil
}

// read reads a field of all rows.
func (r Reader) read(u *users.User, f field, rows []Row) error {
	if f.set == nil {
		return r.passwords(u, f.name, rows)
	}
	first, ok := rows[0][f.name]
	for i, row := range rows[1:] {
		if other, too := row[f.name]; ok != too || first != other {
			return fmt.Errorf("rows 1 and %d differ: only password may", i+2)
		}
	}
	if !ok {
		return nil
	}
	return f.set(u, first)
}

// passwords reads the passwords of all rows.
func (r Reader) passwords(u *users.User, name string, rows []Row) error {
	var seen []string
	for _, row := range rows {
		text, ok := row[name]
		if !ok || slices.Contains(seen, text) {
			continue
		}
		seen = append(seen, text)
		if name == "password_noscheme" {
			if r.Scheme == "" {
				return errNoScheme
			}
			text = "{" + r.Scheme + "}" + text
		}
		hash, err := r.hash(text, u.Name)
		if err != nil {
			return err
		}
		u.Passwords = append(u.Passwords, users.Password{Hash: hash})
	}
	return nil
}

var errNoScheme = errors.New("no scheme: set default_password_scheme")

// hash parses a hash. The errors do not even contain its scheme, because a password may begin with a brace.
func (r Reader) hash(text, user string) (password.Hash, error) {
	if text == "" {
		return password.Hash{}, errors.New("empty: want NULL for a user without a password")
	}
	scheme, found := "", false
	if rest, ok := strings.CutPrefix(text, "{"); ok {
		scheme, _, found = strings.Cut(rest, "}")
	}
	switch {
	case found:
		if err := knownScheme(scheme); err != nil {
			return password.Hash{}, err
		}
	case strings.HasPrefix(text, "$") && (r.Scheme == "" || strings.HasSuffix(strings.ToUpper(r.Scheme), "CRYPT")):
		// Dovecot passes the hash to crypt(3), which looks at the hash only.
	case r.Scheme == "":
		return password.Hash{}, errNoScheme
	default:
		text = "{" + r.Scheme + "}" + text
	}
	hash, err := r.Hashes.Parse(text, user)
	if err != nil {
		return password.Hash{}, err
	}
	clear, _ := hash.Cleartext()
	return hash, authhttp.CheckPassword(clear)
}

// knownScheme returns an error if a scheme, perhaps with the suffix of an encoding, is unknown.
func knownScheme(name string) error {
	name, _, _ = strings.Cut(strings.ToUpper(name), ".")
	var known []string
	for _, s := range password.Schemes() {
		if s.Name == name {
			return nil
		}
		known = append(known, s.Name)
	}
	return fmt.Errorf("unknown scheme (known: %s)", strings.Join(known, ", "))
}

func checkName(name string) error {
	if local, domain := mailaddr.Split(name); local == "" || domain == "" {
		return errors.New(`want a user name with a domain, such as "alice@example.com"`)
	}
	return authhttp.CheckUser(name)
}

// setUser sets the name. Its domain stays if the value has none.
func setUser(u *users.User, value string) error {
	if _, domain := mailaddr.Split(u.Name); domain != "" && !strings.Contains(value, "@") {
		value += "@" + domain
	}
	name, err := mailaddr.User(value)
	u.Name = name
	return err
}

func setDomain(u *users.User, value string) error {
	local, _ := mailaddr.Split(u.Name)
	domain, err := mailaddr.Domain(value)
	u.Name = local + "@" + domain
	return err
}

func setAllowNets(u *users.User, value string) (err error) {
	if u.Extra.Access.AllowNets, err = networks(value); err == nil && u.Extra.Access.AllowNets == nil {
		err = errors.New("has no network: want NULL to allow all")
	}
	return err
}

func setDenyNets(u *users.User, value string) (err error) {
	if u.Extra.Access.DenyNets, err = networks(value); err == nil && u.Extra.Access.DenyNets == nil {
		err = errors.New("has no network: want NULL to deny none")
	}
	return err
}

// networks reads networks. "local" is Dovecot's word for a unix socket, which no client of nginx uses.
func networks(value string) (nets []netip.Prefix, err error) {
	list := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
	for i, s := range list {
		if s == "local" {
			continue
		}
		net, err := access.ParseNet(s)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		nets = append(nets, net)
	}
	return nets, nil
}

func setNoLogin(u *users.User, value string) error {
	switch strings.ToLower(value) {
	case "", "y", "yes", "1", "t", "true":
		yes := true
		u.Extra.Access.NoLogin = &yes
		return nil
	}
	return errors.New("want y for yes, or NULL for no, as by CASE WHEN active THEN NULL ELSE 'y' END: Dovecot takes any value for yes")
}

func setReason(u *users.User, value string) error {
	u.Extra.Access.Reason = value
	return nil
}

func setHost(u *users.User, value string) error {
	if value == "" {
		return errors.New("empty: want a mail server, or NULL")
	}
	u.Extra.Servers = []string{value}
	return nil
}

func setLogin(u *users.User, value string) error {
	u.Extra.Login = value
	return checkSubstitute(value)
}

func setUpstreamPassword(u *users.User, value string) error {
	u.Extra.UpstreamPassword = value
	return checkSubstitute(value)
}

func checkSubstitute(value string) error {
	if value == "" {
		return errors.New("empty: want NULL to use what the client sent")
	}
	return authhttp.CheckSubstitute(value)
}

func refuse(why string) func(*users.User, string) error {
	return func(*users.User, string) error { return errors.New(why) }
}
