package e2e

import (
	"crypto/x509/pkix"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Faults of the connection and of the query.
const (
	slowBy     = 5 * time.Second // more than the timeout
	resetSteps = 16              // places in the dialogue of a login where the connection is reset
	mostTaken  = 1000            // connections at the most until a server has too many
)

// relayedPassdb is a passdb that mailauthd reaches through a relay.
type relayedPassdb struct {
	name  string // NAME.test is its domain
	toml  string // its keys
	relay *faultyRelay
	slow  func(*testing.T) (undo func()) // makes it slow
	waits time.Duration                  // the longest login while it is slow
}

// user is one of its users, whose hash takes no time.
func (r *relayedPassdb) user() account { return account{"ssha@" + r.name + ".test", mark + "-SSHA"} }

// sqlKeys and ldapKeys have %d for the relay's port.
const (
	sqlKeys  = "query = \"SELECT password FROM logins WHERE name = %%{user}\"\n"
	ldapKeys = `driver = "ldap"
uris = ["ldaps://127.0.0.1:%d"]
ca_file = "corp-ca.pem"
auth_dn = "cn=mailauthd,dc=example,dc=com"
auth_dn_password_file = "ldap.pass"
base = "ou=people,dc=example,dc=com"
filter = "(mail=%%{user})"
`
)

// startRelays starts a relay to each server, and one more because a bind is another dialogue.
func (d *passdbSite) startRelays(tb testing.TB, port int, socket, uri string) {
	tb.Helper()
	add := func(name, network, address, keys string) *relayedPassdb {
		r := &relayedPassdb{name: name, relay: startFaultyRelay(tb, network, address), waits: ldapWaits}
		r.slow = func(*testing.T) func() { return r.relay.slow(slowBy) }
		r.toml = fmt.Sprintf("\n[passdb.%s]\n", name) + fmt.Sprintf(keys, r.relay.port) + domainTOML(name+".test", name)
		d.relayed = append(d.relayed, r)
		return r
	}
	pgsql := add("pgsql", "unix", fmt.Sprintf("%s/.s.PGSQL.%d", d.postgres.dir, port),
		"driver = \"pgsql\"\nconnect = \"host=127.0.0.1 port=%d user=mailauthd dbname=mail sslmode=disable\"\n"+sqlKeys)
	pgsql.slow, pgsql.waits = slowView(d.postgres, "pg_sleep(5) AS slept"), sqlWaits
	mysql := add("mysql", "unix", socket, "driver = \"mysql\"\nconnect = \"mailauthd:"+passdbPassword+"@tcp(127.0.0.1:%d)/postfix\"\n"+sqlKeys)
	mysql.slow, mysql.waits = slowView(d.mariadb, "(SELECT SLEEP(5)) AS slept"), sqlWaits
	add("hash", "tcp", strings.TrimPrefix(uri, "ldaps://"), ldapKeys+"bind = false\nfields = { password = \"userPassword\" }\n")
	add("bind", "tcp", strings.TrimPrefix(uri, "ldaps://"), ldapKeys)
}

// slowView returns a function that makes each query wait in the server, and not only its answer on the way.
func slowView(b *database, sleep string) func(t *testing.T) (undo func()) {
	const view = "CREATE OR REPLACE VIEW logins AS SELECT name, password FROM passwords"
	return func(t *testing.T) func() {
		b.exec(t, view+", "+sleep)
		return func() { b.exec(t, view) }
	}
}

// testPassdbConnections makes the servers slow, and takes away the connections to them.
func testPassdbConnections(t *testing.T, d *passdbSite) {
	t.Run("slow and reset", func(t *testing.T) {
		for _, r := range d.relayed {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				d.testHang(t, func() func() { return r.slow(t) }, r.user(), r.waits)
				d.testResets(t, r)
			})
		}
	})
	t.Run("too many connections/pgsql", func(t *testing.T) {
		d.testTooMany(t, d.postgres, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mailauthd'", vera)
	})
	t.Run("too many connections/mysql", func(t *testing.T) { d.testTooMany(t, d.mariadb, "KILL USER mailauthd@localhost", pat) })
	t.Run("certificate expired", func(t *testing.T) { d.testExpired(t, cora) })
}

// testResets resets the connection of a login in the middle of each part of the dialogue.
func (d *passdbSite) testResets(t *testing.T, r *relayedPassdb) {
	var n answers
	r.relay.cut(-1)
	d.waitBack(t, r.user())
	whole, _ := r.relay.seen()
	for step := range resetSteps {
		_, before := r.relay.seen()
		r.relay.cut(whole * step / resetSteps)
		status := n.logIn(t, d, r.user())
		if _, cuts := r.relay.seen(); cuts == before || status != later {
			t.Errorf("after %d of %d bytes: %d connections reset, Auth-Status %q, want %q", whole*step/resetSteps, whole, cuts-before, status, later)
		}
		r.relay.cut(-1)
		d.waitBack(t, r.user())
	}
	t.Logf("%d resets within %d bytes, %v the longest login", resetSteps, whole, n.longest)
}

// testTooMany takes all connections that a server has. A statement ends those of mailauthd.
func (d *passdbSite) testTooMany(t *testing.T, b *database, ending string, user account) {
	guest, err := sql.Open(b.driver, b.guest)
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close()
	guest.SetMaxIdleConns(-1) // a connection that is given back ends
	var taken []*sql.Conn
	takeAll := func() error {
		for len(taken) < mostTaken {
			conn, err := guest.Conn(t.Context())
			if err != nil {
				return err // the server has too many
			}
			taken = append(taken, conn)
		}
		return nil
	}
	var n answers
	refused := func() bool {
		b.exec(t, ending)
		if takeAll() == nil {
			t.Errorf("the server accepts %d connections", mostTaken)
		}
		return n.logIn(t, d, user) == later
	}
	if !poll(faultBack, nil, refused) {
		t.Error("logins are granted without a connection")
	}
	if e := d.daemon.lastEvent(t); e["reason"] != "internal_failure" {
		t.Errorf("event %v", e)
	}
	loginRequest{account: tom}.check(t, d.socket, granted)
	for _, conn := range taken {
		conn.Close()
	}
	d.waitBack(t, user)
}

// testExpired runs slapd with a certificate that has expired, and then with a new one.
func (d *passdbSite) testExpired(t *testing.T, user account) {
	valid := readFile(t, d.tls.file)
	expired := *d.ca.cert
	expired.NotBefore, expired.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(-time.Minute)
	authority := authority{file: d.ca.file, cert: &expired, key: d.ca.key}
	restart := func(certificate string) {
		d.slapd.halt(t)
		writeFile(t, filepath.Dir(d.tls.file), filepath.Base(d.tls.file), certificate)
		d.slapd.run()
	}
	restart(readFile(t, authority.issue(t, tempDir(t), "expired", pkix.Name{CommonName: "127.0.0.1"}).file))
	loginRequest{account: user}.check(t, d.socket, later)
	if e := d.daemon.lastEvent(t); !strings.Contains(fmt.Sprint(e), "certificate has expired") {
		t.Errorf("event %v, want the reason", e)
	}
	loginRequest{account: tom}.check(t, d.socket, granted)
	restart(valid)
	d.waitBack(t, user)
}
