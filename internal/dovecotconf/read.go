package dovecotconf

import (
	"fmt"
	"slices"
	"strings"
)

// renamed has the keys of Dovecot 2.3 with another name in 2.4, without its prefix.
var renamed = map[string]map[string]string{
	SQL: {"driver": "sql_driver", "password_query": "query", "default_pass_scheme": "default_password_scheme"},
	LDAP: {
		"dn": "auth_dn", "dnpass": "auth_dn_password", "auth_bind": "bind", "auth_bind_userdn": "bind_userdn", "tls": "starttls",
		"tls_ca_cert_file": "ca_file", "pass_filter": "filter", "ldap_version": "version",
		"default_pass_scheme": "default_password_scheme",
	},
}

// telling are keys of which a file has at least one.
var telling = map[string][]string{
	SQL:  {"driver", "connect", "password_query"},
	LDAP: {"uris", "base", "pass_filter", "pass_attrs", "auth_bind"}, // not hosts, which Postfix's files for MySQL have too
}

// tells reports whether a file of Dovecot 2.3 has a key of a kind.
func tells(root *block, kind string) bool {
	return slices.ContainsFunc(root.settings, func(s setting) bool { return slices.Contains(telling[kind], s.key) })
}

// extFile reads a file that Dovecot 2.3 names in args.
func (c *converter) extFile(root *block) error {
	if !tells(root, c.kind) {
		for _, other := range []string{SQL, LDAP} {
			if tells(root, other) {
				return fmt.Errorf(`%s: users in %s: want "mailauthd migrate dovecot-%s"`, c.file, strings.ToUpper(other), other)
			}
		}
		return c.notDovecot()
	}
	for _, b := range root.blocks {
		c.tell(b.line, "this block has no key")
	}
	v := c.newValues()
	for _, s := range root.settings {
		key := s.key
		if name := renamed[c.kind][key]; name != "" {
			key = name
		}
		v.set(key, s)
	}
	return c.write(c.fileName(), 0, v, nil)
}

// blocks reads the passdb blocks of a kind in a configuration of Dovecot 2.4.
func (c *converter) blocks(root *block) error {
	var names []string
	byName := make(map[string][]*block)
	for _, b := range root.all("passdb") {
		if args := b.value("args"); args != "" {
			return fmt.Errorf("%s:%d: a passdb of Dovecot 2.3: want the file that args names instead", c.file, b.line)
		}
		if kind := b.value("driver"); kind != c.kind && (kind != "" || b.name != c.kind) {
			c.warn(b.line, "this passdb is left out: its users are not in %s", strings.ToUpper(c.kind))
			continue
		}
		if strings.EqualFold(b.value("deny"), "yes") || strings.EqualFold(b.value("master"), "yes") {
			c.tell(b.line, "this passdb is left out: its users are to be kept out, or may log in as others")
			continue
		}
		name := c.nameOf(b.name)
		if byName[name] == nil {
			names = append(names, name)
		}
		byName[name] = append(byName[name], b)
	}
	switch {
	case names == nil:
		return c.notDovecot()
	case len(names) > maxPassdbs:
		return fmt.Errorf("%s: more than %d databases", c.file, maxPassdbs)
	}
	for _, name := range names {
		if err := c.passdb(name, root, byName[name]); err != nil {
			return err
		}
	}
	return nil
}

// passdb reads the blocks of one name, and what stands outside of blocks.
func (c *converter) passdb(name string, root *block, blocks []*block) error {
	v := c.newValues()
	for _, s := range root.settings {
		if key, ok := c.global(s.key); ok {
			v.set(key, s)
		}
	}
	var hosts []server
	for _, b := range append([]*block{root}, blocks...) {
		hosts = append(hosts, c.servers(b, root)...)
		for _, fields := range append(b.all("fields"), b.all("passdb_fields")...) {
			c.fields(v, fields)
		}
	}
	for _, b := range blocks {
		for _, s := range b.settings {
			if s.key != "driver" && s.key != "name" {
				v.set(c.short(s.key), s)
			}
		}
		for _, inner := range b.blocks {
			if !slices.Contains([]string{"fields", "passdb_fields", "pgsql", "mysql"}, inner.kind) {
				v.set(inner.kind, setting{inner.kind, "{", inner.line})
			}
		}
	}
	return c.write(name, blocks[0].line, v, hosts)
}

// global returns the short name of a setting outside of blocks, if it concerns the databases.
func (c *converter) global(key string) (string, bool) {
	switch {
	case key == "ssl_client_ca_file", key == "ssl_client_ca_dir", key == "ssl_client_require_valid_cert":
		return c.short(key), true
	case strings.HasPrefix(key, c.kind+"_"), strings.HasPrefix(key, "passdb_"+c.kind+"_"), key == "passdb_default_password_scheme":
		return c.short(key), true
	}
	return "", false
}

// short removes the prefixes that a key may have in its block.
func (c *converter) short(key string) string {
	switch key {
	case "sql_driver", "passdb_sql_driver":
		return "sql_driver"
	case "ssl_client_ca_file":
		return "ca_file"
	}
	return strings.TrimPrefix(strings.TrimPrefix(key, "passdb_"), c.kind+"_")
}

// fields reads a block of fields, such as user = %{ldap:uid}.
func (c *converter) fields(v *values, b *block) {
	if c.kind == SQL {
		c.tell(b.line, "fields has no key: let the query return the columns by the names of the fields")
		return
	}
	for _, s := range b.settings {
		v.set("field "+s.key, s)
	}
}

// server is one block of a database server, such as "pgsql db1 { parameters { … } }".
type server struct {
	driver string
	words  []word
	line   int
}

// servers returns the servers in a block. What stands outside of blocks is for all of them.
func (c *converter) servers(b, root *block) (list []server) {
	if c.kind != SQL {
		return nil
	}
	for _, driver := range drivers {
		for _, inner := range b.all(driver) {
			s := server{driver: driver, words: []word{{"host", inner.name}}, line: inner.line}
			s.add(c, slices.DeleteFunc(slices.Clone(root.settings), func(set setting) bool {
				return !strings.HasPrefix(set.key, driver+"_") || set.key == driver+"_host"
			}))
			for _, parameters := range slices.Concat(root.all(driver+"_parameters"), inner.all("parameters"), inner.all(driver+"_parameters")) {
				s.add(c, parameters.settings)
			}
			s.add(c, inner.settings)
			list = append(list, s)
		}
	}
	return list
}

// add adds the words of a block. A later word replaces an earlier one, and a host the one that the block is named after.
func (s *server) add(c *converter, settings []setting) {
	for _, set := range settings {
		w := word{strings.TrimPrefix(set.key, s.driver+"_"), set.value}
		switch {
		case isElsewhere(w.value):
			c.tell(set.line, "Dovecot takes the value of %s from elsewhere: write it here, or add the connection string by hand", set.name())
			continue
		case w.name == "connection_limit":
			w.name = "maxconns"
		}
		if i := slices.IndexFunc(s.words, func(old word) bool { return old.name == w.name }); i >= 0 {
			s.words[i] = w
		} else {
			s.words = append(s.words, w)
		}
	}
}
