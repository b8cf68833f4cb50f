package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// fill makes the tables of README.md's examples, and puts users into them.
func (d *passdbSite) fill(tb testing.TB) {
	tb.Helper()
	tables := strings.SplitAfter(passdbExamples(tb, "sql"), ";\n")
	if len(tables) != 4 || strings.TrimSpace(tables[3]) != "" {
		tb.Fatalf("README.md has %d tables, want domain, mailbox and users", len(tables)-1)
	}
	d.mariadb.exec(tb, tables[:2]...)
	d.mariadb.exec(tb, "GRANT SELECT ON domain TO mailauthd@localhost", "GRANT SELECT ON mailbox TO mailauthd@localhost",
		"INSERT INTO domain VALUES ('postfix.example', 1), ('inactive.example', 0)")
	for _, row := range []struct {
		user, password string
		active         int
	}{
		{pat.user, sha512Crypt(tb, pat.password), 1},
		{"gone@postfix.example", sha512Crypt(tb, pat.password), 0},
		{"pat@inactive.example", sha512Crypt(tb, pat.password), 1},
		{penny.user, "{PLAIN}" + penny.password, 1},
	} {
		d.mariadb.exec(tb, fmt.Sprintf("INSERT INTO mailbox VALUES ('%s', '%s', %d)", row.user, row.password, row.active))
	}

	d.postgres.exec(tb, tables[2], "GRANT SELECT ON users TO mailauthd")
	bare := func(a account) string { return strings.TrimPrefix(sha512Crypt(tb, a.password), "{SHA512-CRYPT}") }
	for _, row := range []struct{ name, password, active, host, nets string }{
		{"vera", bare(vera), "Y", "NULL", "NULL"},
		{"viola", "{PLAIN}" + viola.password, "Y", "NULL", "NULL"},
		{"abby", bare(abby), "Y", "'axigen1'", "NULL"},
		{"nets", bare(vera), "Y", "NULL", "'192.0.2.0/24,2001:db8::/32'"},
		{"gone", bare(vera), "N", "NULL", "NULL"},
		{"scheme", "{NOSUCH}x", "Y", "NULL", "NULL"},
		{"badnets", bare(vera), "Y", "NULL", "'office'"},
		{"badhost", bare(vera), "Y", "'elsewhere.example'", "NULL"},
	} {
		d.postgres.exec(tb, fmt.Sprintf("INSERT INTO users VALUES ('%s', 'domain1.com', '%s', '%s', %s, %s)",
			row.name, row.password, row.active, row.host, row.nets))
	}
}

// entries returns the LDIF of README.md's examples, with what is above these entries, with passwords that the test knows,
// and with more users.
func entries(tb testing.TB) string {
	tb.Helper()
	ssha := func(a account) string { return doveadmPW(tb, a.password, "-s", "SSHA") }
	examples := replace(passdbExamples(tb, "ldif"), `\{SSHA\}\S+`, ssha(cora))
	examples = strings.Replace(examples, "objectClass: user\n", "objectClass: user\nuserPassword: "+ssha(dana)+"\n", 1)
	var b strings.Builder
	for _, dn := range []string{"dc=com", "dc=example,dc=com", "dc=example", "dc=corp,dc=example"} {
		name := strings.TrimPrefix(strings.Split(dn, ",")[0], "dc=")
		fmt.Fprintf(&b, "dn: %s\nobjectClass: domain\ndc: %s\n\n", dn, name)
	}
	b.WriteString("dn: cn=Users,dc=corp,dc=example\nobjectClass: organizationalRole\ncn: Users\n\n")
	for _, dn := range []string{"cn=mailauthd,dc=example,dc=com", "cn=mailauthd,cn=Users,dc=corp,dc=example"} {
		fmt.Fprintf(&b, "dn: %s\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: mailauthd\nuserPassword: %s\n\n",
			dn, passdbPassword)
	}
	b.WriteString(strings.TrimSpace(examples) + "\n")
	for _, u := range []struct{ uid, mail, password string }{
		{"edda", edda.user, ssha(edda)},
		{"edgar", edgar.user, "{PLAIN}" + edgar.password},
		{"twin1", "twin@domain02.com", ssha(cora)},
		{"twin2", "twin@domain02.com", ssha(cora)},
	} {
		fmt.Fprintf(&b, "\ndn: uid=%s,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: %[1]s\ncn: %[1]s\nsn: %[1]s\n"+
			"mail: %s\nuserPassword: %s\n", u.uid, u.mail, u.password)
	}
	return b.String()
}
