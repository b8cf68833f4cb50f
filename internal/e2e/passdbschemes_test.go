package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// schemeDomains are the domains of the passdbs that have a user for each scheme.
var schemeDomains = []string{"pgsql.test", "mysql.test", "hash.test"}

// schemeUser is a user whose password is hashed in one scheme.
type schemeUser struct {
	account
	scheme, hash string
}

// schemeUsers returns a user for each scheme and domain. Only the hash of DIGEST-MD5 depends on the user's name, so the
// others are made once.
func schemeUsers(tb testing.TB) (users []schemeUser) {
	tb.Helper()
	for _, scheme := range allSchemes(tb) {
		var hash string
		for _, domain := range schemeDomains {
			a := account{strings.ToLower(scheme) + "@" + domain, mark + "-" + scheme}
			if hash == "" || strings.HasPrefix(scheme, "DIGEST-MD5") {
				hash = schemeHash(tb, scheme, a)
			}
			users = append(users, schemeUser{a, scheme, hash})
		}
	}
	return users
}

// fillSchemes makes the same table and view in both SQL servers.
func (d *passdbSite) fillSchemes(tb testing.TB) {
	tb.Helper()
	var rows []string
	for _, u := range d.schemes {
		rows = append(rows, fmt.Sprintf("('%s', '%s')", u.user, u.hash))
	}
	for b, role := range map[*database]string{d.postgres: "mailauthd", d.mariadb: "mailauthd@localhost"} {
		b.exec(tb, "CREATE TABLE passwords (name varchar(100) PRIMARY KEY, password varchar(500))",
			"INSERT INTO passwords VALUES "+strings.Join(rows, ", "),
			"CREATE VIEW logins AS SELECT name, password FROM passwords", "GRANT SELECT ON logins TO "+role)
	}
}

// schemeEntries returns the LDIF of the users in LDAP, and of one whose password is proved by a bind.
func (d *passdbSite) schemeEntries() string {
	var b strings.Builder
	for _, u := range d.schemes {
		name, domain, _ := strings.Cut(u.user, "@")
		mail := []string{u.user}
		switch {
		case domain != "hash.test":
			continue
		case u.scheme == "SSHA":
			mail = append(mail, name+"@bind.test")
		}
		fmt.Fprintf(&b, "\ndn: uid=%s,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: %[1]s\ncn: %[1]s\nsn: %[1]s\nmail: %s\nuserPassword: %s\n",
			name, strings.Join(mail, "\nmail: "), u.hash)
	}
	return b.String()
}

// testPassdbSchemes logs in with a hash of each scheme from each database.
func testPassdbSchemes(t *testing.T, d *passdbSite) {
	for _, u := range d.schemes {
		loginRequest{account: u.account}.check(t, d.socket, granted)
		wrong := string([]byte{u.password[0] ^ 1}) + u.password[1:]
		loginRequest{account: account{u.user, wrong}}.check(t, d.socket, "Invalid login or password")
	}
}
