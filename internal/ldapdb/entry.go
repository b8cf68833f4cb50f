package ldapdb

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"mailauthd/internal/dovecot"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/users"
)

// fieldNames returns the names of the fields that are read, in order. With bind the password is not.
func (d *DB) fieldNames() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(d.config.Fields)), func(field string) bool {
		return d.config.Bind && isPassword(field)
	})
}

func isPassword(field string) bool { return strings.HasPrefix(strings.ToLower(field), "password") }

// entry makes a user of what the server has found.
func (d *DB) entry(name string, found *ldap.Entry) (*Entry, error) {
	if found.DN == "" { // a bind as this would be anonymous
		return nil, fmt.Errorf("user %q: the entry has no DN", name)
	}
	row := dovecot.Row{}
	var passwords []dovecot.Row // with the password alone
	for _, field := range d.fieldNames() {
		values := found.GetEqualFoldAttributeValues(d.config.Fields[field])
		field := strings.ToLower(field)
		if isPassword(field) {
			for _, v := range values {
				passwords = append(passwords, dovecot.Row{field: v})
			}
			continue
		}
		value, ok, err := single(field, values, name)
		if err != nil {
			return nil, fmt.Errorf("user %q: attribute %s: %w", name, d.config.Fields[field], err)
		}
		if ok {
			row[field] = value
		}
	}
	user, err := d.user(name, row, passwords)
	if err != nil {
		return nil, err
	}
	d.decoys.Add(name, user)
	return &Entry{User: user, name: name, dn: found.DN, found: true}, nil
}

// user makes a user. Each password is a row of its own.
func (d *DB) user(name string, row dovecot.Row, passwords []dovecot.Row) (*users.User, error) {
	rows := passwords
	if len(rows) == 0 {
		rows = []dovecot.Row{{}}
	}
	for _, r := range rows {
		maps.Copy(r, row)
	}
	return d.config.Reader.User(name, rows)
}

// single returns the value of a field from the values of an attribute, which have no order. It returns false if there is
// none.
func single(field string, values []string, name string) (string, bool, error) {
	switch {
	case len(values) == 0:
		return "", false, nil
	case field == "allow_nets" || field == "deny_nets":
		return strings.Join(values, ","), true, nil
	case field == "user" && slices.ContainsFunc(values, func(v string) bool { return isName(v, name) }):
		return name, true, nil
	case len(values) > 1:
		return "", false, fmt.Errorf("%d values for the field %s: want one", len(values), field)
	case (field == "nologin" || field == "fail") && values[0] == "FALSE": // an LDAP boolean (RFC 4517, section 3.3.3)
		return "", false, nil
	}
	return values[0], true, nil
}

func isName(value, name string) bool {
	canonical, err := mailaddr.User(value)
	return err == nil && canonical == name
}
