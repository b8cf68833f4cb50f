package dovecotconf

import (
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"

	"mailauthd/internal/dovecot"
	"mailauthd/internal/ldapdb"
	"mailauthd/internal/tomledit"
)

// Defaults of Dovecot 2.3.
const (
	defaultFilter = "(&(objectClass=posixAccount)(uid=%u))"
	defaultAttrs  = "uid=user, userPassword=password"
)

// ldap writes the section of a directory.
func (c *converter) ldap(name string, line int, v *values) {
	config := ldapdb.Config{Name: name, Scope: "subtree", Reader: dovecot.Reader{Scheme: "PLAIN"}}
	c.section(name, line)
	c.put("driver", `"ldap"`, 0)
	c.serverURIs(v, &config, line)
	c.authDN(v, &config, name)
	var bindLine int
	config.Bind, bindLine = v.boolean("bind")
	userDN, direct := v.take("bind_userdn")
	if direct && config.Bind {
		c.directBind(v, &config, userDN, bindLine)
	} else {
		if direct {
			c.warn(userDN.line, "%s is left out: Dovecot does not bind", userDN.name())
		}
		c.search(v, &config, bindLine)
	}
	db, err := ldapdb.New(config)
	if err != nil {
		c.refused(v, strings.TrimPrefix(err.Error(), fmt.Sprintf("passdb %q: ", name)), line)
		return
	}
	db.Close()
}

// refused tells why mailauthd would refuse a section, at the line that the key is from.
func (c *converter) refused(v *values, text string, line int) {
	key := text[:strings.IndexFunc(text+" ", func(r rune) bool { return r == ' ' || r == ':' })]
	if key == "uri" {
		key = "uris"
	}
	if s, ok := v.of[key]; ok {
		line = s.line
	}
	c.tell(max(line, 1), "%s", text)
}

// serverURIs writes the servers.
func (c *converter) serverURIs(v *values, config *ldapdb.Config, line int) {
	uris, ok := v.take("uris")
	hosts, both := v.take("hosts")
	switch {
	case ok:
		config.URIs = strings.FieldsFunc(uris.value, isSpace)
		if both {
			c.warn(hosts.line, "hosts is left out: Dovecot ignores it if uris is set")
		}
	case both:
		uris = hosts
		for _, host := range strings.FieldsFunc(hosts.value, isSpace) {
			config.URIs = append(config.URIs, "ldap://"+bracketed(host))
		}
	case c.is24:
		c.tell(line, `ldap_uris is missing: add uris = ["ldaps://dc1.example"]`)
		return
	default:
		config.URIs = []string{"ldap://localhost"}
	}
	quoted := make([]string, len(config.URIs))
	for i, uri := range config.URIs {
		if quoted[i] = tomledit.Quote(uri); uri == "ldapi:///" || uri == "ldapi://" {
			c.tell(uris.line, "Dovecot's LDAP library chooses the socket of %s: write its path, such as ldapi://%%2frun%%2fslapd%%2fldapi", uri)
		}
	}
	c.put("uris", "["+strings.Join(quoted, ", ")+"]", uris.line)
	startTLS, tlsLine := v.boolean("starttls")
	isPlain := func(uri string) bool { return strings.HasPrefix(uri, "ldap://") }
	switch {
	case startTLS && slices.ContainsFunc(config.URIs, isPlain):
		config.StartTLS = true
		c.put("starttls", "true", tlsLine)
	case startTLS:
		c.warn(tlsLine, "StartTLS is left out: only ldap:// can have it")
	}
	if ca, ok := v.take("ca_file"); ok {
		c.put("ca_file", tomledit.Quote(ca.value), ca.line)
	}
}

func isSpace(r rune) bool { return r == ' ' || r == '\t' || r == ',' }

// bracketed returns a host with brackets around an IPv6 address.
func bracketed(host string) string {
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		return "[" + host + "]"
	}
	return host
}

// authDN writes whom to search as.
func (c *converter) authDN(v *values, config *ldapdb.Config, name string) {
	dn, hasDN := v.take("auth_dn")
	secret, hasSecret := v.take("auth_dn_password")
	switch {
	case hasDN && hasSecret:
		config.AuthDN, config.AuthPassword = dn.value, secret.value
		c.put("auth_dn", tomledit.Quote(dn.value), dn.line)
		c.put("auth_dn_password_file", tomledit.Quote(name+".pass"), secret.line)
		c.secrets = append(c.secrets, Secret{name + ".pass", secret.value, secret.line, "the value of " + secret.name()})
	case hasDN && secret.value != "": // told already
		config.AuthDN, config.AuthPassword = dn.value, secret.value
		c.put("auth_dn", tomledit.Quote(dn.value), dn.line)
	case hasDN:
		c.tell(dn.line, "%s without a password is left out: a server takes such a bind for an anonymous one", dn.name())
	case hasSecret:
		c.warn(secret.line, "%s is left out: there is no name for it", secret.name())
	}
}

// directBind writes the name to bind as without a search.
func (c *converter) directBind(v *values, config *ldapdb.Config, userDN setting, bindLine int) {
	config.BindUserDN = newVariables(userDN.value)
	c.put("bind", "true", bindLine)
	c.put("bind_userdn", tomledit.Quote(config.BindUserDN), userDN.line)
	for _, key := range []string{"base", "scope", "filter", "pass_attrs", "default_password_scheme"} {
		if s, ok := v.take(key); ok {
			c.warn(s.line, "%s is left out: with %s nothing is searched", s.name(), userDN.name())
		}
	}
	for key, s := range v.of {
		if strings.HasPrefix(key, "field ") {
			v.take(key)
			c.warn(s.line, "a field is left out: with %s nothing is searched", userDN.name())
		}
	}
}

// search writes how an entry is found, and what is taken from it.
func (c *converter) search(v *values, config *ldapdb.Config, bindLine int) {
	base, _ := v.take("base")
	config.Base = base.value
	c.put("base", tomledit.Quote(base.value), base.line)
	if strings.Contains(base.value, "%") {
		c.tell(base.line, "a variable in %s has no key: write the DN above all users, and the variable into filter", base.name())
	}
	if scope, ok := v.take("scope"); ok {
		config.Scope = strings.ToLower(scope.value)
		c.put("scope", tomledit.Quote(config.Scope), scope.line)
	}
	filter, ok := v.take("filter")
	if !ok && !c.is24 {
		filter.value = defaultFilter
		c.warn(1, "pass_filter is missing: the section has Dovecot's default")
	}
	config.Filter = newVariables(filter.value)
	c.put("filter", tomledit.Quote(config.Filter), filter.line)
	c.put("bind", fmt.Sprint(config.Bind), bindLine)
	line := c.readFields(v, config)
	if config.Bind {
		delete(config.Fields, "password")
		delete(config.Fields, "password_noscheme")
		v.take("default_password_scheme")
	} else {
		c.scheme(v)
	}
	var list []string
	for _, field := range slices.Sorted(maps.Keys(config.Fields)) {
		list = append(list, field+" = "+tomledit.Quote(config.Fields[field]))
	}
	if list != nil {
		c.put("fields", "{ "+strings.Join(list, ", ")+" }", line)
	}
}

// readFields reads the fields of the entry, and returns the line of the first.
func (c *converter) readFields(v *values, config *ldapdb.Config) (line int) {
	config.Fields = make(map[string]string)
	for _, key := range slices.Sorted(maps.Keys(v.of)) {
		if field, ok := strings.CutPrefix(key, "field "); ok {
			s, _ := v.take(key)
			c.field(config, field, s.value, s.line)
			if line == 0 || s.line < line {
				line = s.line
			}
		}
	}
	if c.is24 {
		return line
	}
	attrs, ok := v.take("pass_attrs")
	if !ok {
		attrs.value = defaultAttrs
	}
	for pair := range strings.SplitSeq(attrs.value, ",") {
		pair = strings.TrimSpace(pair)
		attribute, field, found := strings.Cut(pair, "=")
		switch {
		case pair == "":
		case attribute == "": // "=field=template"
			field, template, _ := strings.Cut(field, "=")
			c.field(config, field, template, attrs.line)
		case !found, field == "":
			c.warn(attrs.line, "an attribute without a field is left out")
		default:
			field, template, has := strings.Cut(field, "=") // "attribute=field=template"
			if !has || template == "%$" {
				template = "%{ldap:" + attribute + "}"
			}
			c.field(config, field, template, attrs.line)
		}
	}
	return attrs.line
}

// oneAttribute is a value that is that of one attribute.
var oneAttribute = regexp.MustCompile(`^%\{ldap:([A-Za-z][A-Za-z0-9;-]*)\}$`)

// field adds a field with its value, such as %{ldap:mail}.
func (c *converter) field(config *ldapdb.Config, field, value string, line int) {
	field = strings.ToLower(strings.TrimSpace(field))
	value = strings.TrimSpace(value)
	_, used := config.Reader.Meaning(field)
	m := oneAttribute.FindStringSubmatch(value)
	switch {
	case !plainKey.MatchString(field):
		c.tell(line, "a field without a name has no key")
	case !used:
		c.warn(line, "the field %s is left out: mailauthd has no use for it", field)
	case m == nil:
		c.tell(line, "the field %s has no key unless its value is one attribute, such as %%{ldap:mail}", field)
	case config.Fields[field] != "" && config.Fields[field] != m[1]:
		c.tell(line, "the field %s is set twice: the first counts", field)
	default:
		config.Fields[field] = m[1]
	}
}
