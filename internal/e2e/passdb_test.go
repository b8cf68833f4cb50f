package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The users of README.md's examples, and some more of the same tables.
var (
	pat   = account{"pat@postfix.example", mark + "-pat"}     // MariaDB, hash
	penny = account{"penny@postfix.example", mark + "-penny"} // MariaDB, cleartext
	vera  = account{"vera@domain1.com", mark + "-vera"}       // PostgreSQL, hash
	viola = account{"viola@domain1.com", mark + "-viola"}     // PostgreSQL, cleartext
	abby  = account{"abby@domain1.com", mark + "-abby"}       // PostgreSQL, at the second server
	cora  = account{"cora@domain02.com", mark + "-cora"}      // LDAP, bind
	dana  = account{"dana@corp.example", mark + "-dana"}      // LDAP, bind, as in Active Directory
	edda  = account{"edda@hash.example", mark + "-edda"}      // LDAP, hash
	edgar = account{"edgar@hash.example", mark + "-edgar"}    // LDAP, cleartext
	tom   = account{"tom@toml.example", mark + "-tom"}        // in the map
)

// passdbPassword is the one of mailauthd at the databases.
const passdbPassword = mark + "-passdb"

// passdbSite is a mail site whose users are in databases, as README.md's examples have them.
type passdbSite struct {
	*deployment
	second                   *dovecot // "axigen1"
	postgres, mariadb, slapd *database
	relayed                  []*relayedPassdb
	schemes                  []schemeUser
}

// TestPassdbs logs in with users of PostgreSQL, MariaDB and OpenLDAP, by the examples of README.md, and then takes
// the servers away.
func TestPassdbs(t *testing.T) {
	t.Parallel()
	d := deployPassdbs(t)
	t.Run("logins", func(t *testing.T) { testPassdbLogins(t, d) })
	t.Run("rules", func(t *testing.T) { testPassdbRules(t, d) })
	t.Run("fields", func(t *testing.T) { testPassdbFields(t, d) })
	t.Run("commands", func(t *testing.T) { testPassdbCommands(t, d) })
	t.Run("schemes", func(t *testing.T) { testPassdbSchemes(t, d) })
	t.Run("faults", func(t *testing.T) { testPassdbFaults(t, d) })
}

func testPassdbLogins(t *testing.T, d *passdbSite) {
	byPlain := []way{ways[0], ways[3], ways[8]} // smtp plain, imap plain, pop3 user-pass
	for _, a := range []account{pat, vera, abby, cora, dana, edda, tom} {
		for _, w := range byPlain {
			t.Run(w.name+"/"+a.user, func(t *testing.T) {
				t.Parallel()
				testMail(t, d.deployment, w, a)
			})
		}
		t.Run("wrong password/"+a.user, func(t *testing.T) {
			t.Parallel()
			ways[3].login(t, d.deployment, account{a.user, mark}).checkRefused(t, invalidLogin["imap"])
		})
	}
	for _, a := range []account{penny, viola, edgar} {
		for _, w := range digestWays {
			t.Run(w.name+"/"+a.user, func(t *testing.T) {
				t.Parallel()
				testMail(t, d.deployment, w, a)
			})
		}
	}
	for alias, a := range map[string]account{"info@domain02.com": cora, "dana.d@corp.example": dana} {
		t.Run("alias/"+alias, func(t *testing.T) {
			t.Parallel()
			s := ways[3].login(t, d.deployment, account{alias, a.password})
			checkMail(t, d.deployment, "imap", a.user, "", s)
		})
	}
}

// testPassdbRules checks what the fields do, and that no user name is more than a name.
func testPassdbRules(t *testing.T, d *passdbSite) {
	const denied = "Invalid login or password"
	for _, tt := range []struct {
		user, password, client string
		status, reason         string
	}{
		{"nets@domain1.com", vera.password, "192.0.2.5", granted, ""},
		{"nets@domain1.com", vera.password, "192.0.3.5", denied, "policy"},
		{"gone@domain1.com", vera.password, "", denied, "user_disabled"},
		{"gone@postfix.example", pat.password, "", denied, "user_disabled"},
		{"pat@inactive.example", pat.password, "", denied, "user_unknown"},
		{"pat@unlisted.example", pat.password, "", denied, "user_unknown"},
		{"nobody@postfix.example", pat.password, "", denied, "user_unknown"},
		{"nobody@domain1.com", vera.password, "", denied, "user_unknown"},
		{"nobody@domain02.com", cora.password, "", denied, "user_unknown"},
		{"nobody@hash.example", edda.password, "", denied, "user_unknown"},
		{"scheme@domain1.com", vera.password, "", later, "internal_failure"},
		{"badnets@domain1.com", vera.password, "", later, "internal_failure"},
		{"badhost@domain1.com", vera.password, "", later, "internal_failure"},
		{"twin@domain02.com", cora.password, "", later, "internal_failure"},
		{"vera'or'1'='1@domain1.com", vera.password, "", denied, ""},
		{`vera\'--@domain1.com`, vera.password, "", denied, ""},
		{`pat' or 1=1#@postfix.example`, pat.password, "", denied, ""},
		{"%@postfix.example", pat.password, "", denied, ""},
		{"*@domain02.com", cora.password, "", denied, ""},
		{"cora)(uid=*@domain02.com", cora.password, "", denied, ""},
		{"ca*l@domain02.com", cora.password, "", denied, ""},
		{strings.Repeat("x", 8<<10) + "@domain1.com", vera.password, "", denied, ""},
		{cora.user, "", "", denied, ""},
		{tom.user, tom.password, "", granted, ""},
	} {
		r := loginRequest{account: account{tt.user, tt.password}, client: tt.client}
		r.check(t, d.socket, tt.status)
		if e := d.daemon.lastEvent(t); tt.reason != "" && e["reason"] != tt.reason {
			t.Errorf("%s: reason %q, want %q: %v", tt.user, e["reason"], tt.reason, e)
		}
	}
	for _, name := range []string{"vera'or'1'='1", `vera\'--`} {
		arrived := "parameters: $1 = '" + strings.ReplaceAll(name, "'", "''") + "', $2 = 'domain1.com'"
		if !strings.Contains(readFile(t, d.postgres.stderr), arrived) {
			t.Errorf("PostgreSQL's log does not have %q", arrived)
		}
	}
}

// fieldsTOML is a query with the fields that no example has.
const fieldsTOML = `
[passdb.fields]
driver  = "pgsql"
connect = "host=/run/postgresql user=mailauthd dbname=mail"
query   = """SELECT owner AS "user", password, nologin, reason, host, destuser, pass FROM fields WHERE name = %{user}"""

[domains."fields.example"]
servers = ["dovecot1"]
verify  = "fields"
`

// testPassdbFields checks what nginx gets of a user's fields: several rows are several passwords.
func testPassdbFields(t *testing.T, d *passdbSite) {
	first, second := account{"alias@fields.example", mark + "-1"}, account{"alias@fields.example", mark + "-2"}
	d.postgres.exec(t, "CREATE TABLE fields (name text, owner text, password text, nologin text, reason text, host text, destuser text, pass text)",
		"GRANT SELECT ON fields TO mailauthd")
	for _, a := range []account{first, second} {
		d.postgres.exec(t, "INSERT INTO fields VALUES ('"+a.user+"', 'owner@fields.example', '{PLAIN}"+a.password+"', NULL, NULL, 'axigen1', 'box7', 'box-"+mark+"')")
	}
	left := account{"left@fields.example", mark + "-left"}
	d.postgres.exec(t, "INSERT INTO fields VALUES ('"+left.user+"', NULL, '{PLAIN}"+left.password+"', 'y', 'left in May', NULL, NULL, NULL)")
	for _, a := range []account{first, second} {
		header, _, err := loginRequest{account: a}.ask(d.socket)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"Auth-Status": granted, "Auth-Server": "127.0.0.1", "Auth-Port": fmt.Sprint(d.second.imap), "Auth-User": "box7", "Auth-Pass": "box-" + mark,
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s %q, want %q", name, got, want)
			}
		}
	}
	loginRequest{account: left}.check(t, d.socket, "Invalid login or password")
	if e := d.daemon.lastEvent(t); e["reason"] != "user_disabled" || !strings.Contains(fmt.Sprint(e), "left in May") {
		t.Errorf("event %v, want the reason of the database", e)
	}
}

// testPassdbCommands checks what the commands and the metrics tell.
func testPassdbCommands(t *testing.T, d *passdbSite) {
	for _, tt := range []struct {
		command, user, password string
		want                    []string
	}{
		{"check " + asSelf() + " -online", "", "", []string{
			"passdb postfixadmin: OK", "passdb vmail: OK", "passdb people", "passdb ad", "allow_nets  the networks that the user may log in from",
		}},
		{"user show", "nets@domain1.com", "", []string{"vmail", "192.0.2.0/24"}},
		{"user show", "info@domain02.com", "", []string{"people", cora.user}},
		{"test-login", vera.user, vera.password, []string{"passdb vmail", "Auth-Status: OK"}},
		{"test-login", cora.user, cora.password, []string{"passdb people", "Auth-Status: OK"}},
		{"test-login", edda.user, edda.password, []string{"passdb hashes", "Auth-Status: OK"}},
	} {
		args := append(strings.Fields(tt.command), "-config", d.daemon.config)
		if tt.user != "" {
			args = append(args, tt.user)
		}
		s := runClient(t, tt.password+"\n", binary, args...)
		for _, text := range tt.want {
			if s.status != 0 || !strings.Contains(s.output, text) {
				t.Errorf("%s %s: exit status %d, want 0 and %q:\n%s%s", tt.command, tt.user, s.status, text, s.output, s.trace)
			}
		}
		if strings.Contains(s.output+s.trace, mark) {
			t.Errorf("%s %s: tells a password", tt.command, tt.user)
		}
	}
	values := metrics(t, d.site)
	for _, name := range []string{"postfixadmin", "vmail", "people", "ad", "hashes"} {
		label := fmt.Sprintf("{passdb=%q}", name)
		queries, failed := values["mailauthd_passdb_queries_total"+label], values["mailauthd_passdb_errors_total"+label]
		if up := values["mailauthd_passdb_up"+label]; queries == 0 || failed > 0 || up != 1 {
			t.Errorf("passdb %s: %v queries, %v errors, up %v", name, queries, failed, up)
		}
	}
}

// deployPassdbs starts all servers, with mailauthd configured by the examples of README.md.
func deployPassdbs(tb testing.TB) *passdbSite {
	tb.Helper()
	d := &passdbSite{deployment: &deployment{site: newSite(tb, tempDir(tb)), sink: startSink(tb)}, schemes: schemeUsers(tb)}
	sections := passdbExamples(tb, "toml")
	var port int
	var socket, uri string
	d.postgres, port = startPostgres(tb)
	d.mariadb, socket = startMariaDB(tb, passdbPassword)
	d.slapd, uri = startSlapd(tb, d.site, entries(tb)+d.schemeEntries())
	d.fill(tb)
	d.fillSchemes(tb)
	d.startRelays(tb, port, socket, uri)

	d.dovecot = startDovecot(tb, d.sink.port, []account{pat, penny, vera, viola, cora, dana, edda, edgar, tom})
	d.second = startDovecot(tb, d.sink.port, []account{abby})
	var relayed string
	for _, r := range d.relayed {
		relayed += r.toml
	}
	examples := sections + hashesTOML(sections) + fieldsTOML
	examples = strings.ReplaceAll(examples, "host=/run/postgresql", fmt.Sprintf("host=%s port=%d", d.postgres.dir, port))
	examples = replace(examples, `"ldaps://[^\]]*"`, `"`+uri+`"`)
	examples = replace(examples, `(?m)^ca_file .*\n`, "")
	examples = replace(examples, `(?m)^(auth_dn +=)`, "ca_file = \"corp-ca.pem\"\n$1")
	routing := "\n[auth]\nallow_weak_schemes = true\n" + serverTOML("dovecot1", d.dovecot) + serverTOML("axigen1", d.second) + examples +
		relayed + domainTOML("toml.example", "users") + userTOML(tom.user, sha512Crypt(tb, tom.password))

	d.daemon = prepareMailauthd(tb, d.site, routing)
	dir := filepath.Dir(d.daemon.config)
	writeFile(tb, dir, filepath.Base(d.daemon.config), strings.Replace(readFile(tb, d.daemon.config), `"legacy"`, `"logfmt"`, 1))
	writeFile(tb, dir, "postfixadmin.dsn", "mailauthd:"+passdbPassword+"@unix("+socket+")/postfix\n")
	writeFile(tb, dir, "ldap.pass", passdbPassword+"\n")
	writeFile(tb, dir, "corp-ca.pem", readFile(tb, d.ca.file))
	d.daemon.start(tb, d.site)
	startNginxHTTP(tb, d.site, contrib(tb, "nginx/auth-fastcgi.conf"))
	startFront(tb, d.site, allMethods(tb))
	return d
}

// hashesTOML makes a passdb of the OpenLDAP example, as the text below it says: passwords are compared with hashes.
func hashesTOML(sections string) string {
	section := regexp.MustCompile(`(?s)\[passdb\.people\].*?\n\n`).FindString(sections)
	section = strings.Replace(section, "passdb.people", "passdb.hashes", 1)
	section = replace(section, `(?m)^fields .*$`, `fields  = { password = "userPassword" }`)
	return "\n" + strings.TrimSpace(section) + "\nbind = false\n" + domainTOML("hash.example", "hashes")
}

// passdbExamples returns README.md's examples of users in databases that are in a language.
func passdbExamples(tb testing.TB, language string) string {
	tb.Helper()
	text := readFile(tb, repository, "README.md")
	_, text, _ = strings.Cut(text, "\n### Users in SQL\n")
	text, _, _ = strings.Cut(text, "\n## ")
	blocks := fencedBlocks(text, language)
	if len(blocks) == 0 {
		tb.Fatalf("README.md has no examples in %s", language)
	}
	return strings.Join(blocks, "\n")
}
