package e2e

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

	"mailauthd/internal/testport"
)

// database is a server with users, which a test stops and starts again.
type database struct {
	*process            // of the last start
	tb       testing.TB // the test at whose end the server ends
	name     string     // of the program
	dir      string     // of its data and its socket
	command  []string   // that runs it in the foreground
	quit     syscall.Signal
	ready    func() bool // whether it answers
	admin    *sql.DB     // nil for LDAP
	driver   string      // of database/sql
	guest    string      // the DSN of a user who has no rights
}

// run starts the server, for the first time or after it was stopped. A subtest may do that.
func (b *database) run() {
	b.tb.Helper()
	p := start(b.tb, b.dir, b.name, b.command[0], b.command[1:]...)
	b.tb.Cleanup(func() { p.signal(b.tb, b.quit) }) // clients may still be connected
	b.process = p
	if !poll(readyTimeout, b.done, b.ready) {
		b.tb.Fatalf("%s does not answer", b.name)
	}
}

// halt ends the server without waiting for its clients.
func (b *database) halt(tb testing.TB) {
	tb.Helper()
	b.signal(tb, b.quit)
	if !b.ended(stopTimeout) {
		tb.Fatalf("%s has not ended", b.name)
	}
}

// freeze stops the server and its child processes, so that connections stay open and nothing is answered. thaw lets them
// go on, at the latest at the end of the test.
func (b *database) freeze(tb testing.TB) (thaw func()) {
	tb.Helper()
	all := append(children(tb, b.cmd.Process.Pid), b.cmd.Process.Pid)
	send := func(sig syscall.Signal) {
		for _, pid := range all {
			_ = syscall.Kill(pid, sig) // a child may have ended
		}
	}
	thaw = func() { send(syscall.SIGCONT) }
	tb.Cleanup(thaw)
	send(syscall.SIGSTOP)
	for _, pid := range all { // a thread that waits for the processor stops the others later
		if !poll(readyTimeout, b.done, func() bool { return stopped(pid) }) {
			tb.Fatalf("%s does not stop", b.name)
		}
	}
	return thaw
}

// stopped reports whether all threads of a process are stopped, or the process has ended.
func stopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		stat, _ := os.ReadFile(path)
		_, state, _ := strings.Cut(string(stat), ") ")
		if state != "" && state[0] != 'T' {
			return false
		}
	}
	return true
}

func children(tb testing.TB, pid int) (pids []int) {
	tb.Helper()
	for _, field := range strings.Fields(readFile(tb, fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))) {
		child, err := strconv.Atoi(field)
		if err != nil {
			tb.Fatal(err)
		}
		pids = append(pids, child)
	}
	return pids
}

// exec runs statements as the administrator.
func (b *database) exec(tb testing.TB, statements ...string) {
	tb.Helper()
	for _, s := range statements {
		if _, err := b.admin.Exec(s); err != nil {
			tb.Fatalf("%s: %v: %s", b.name, err, s)
		}
	}
}

// open lets the test speak to the server. It keeps no connection.
func (b *database) open(tb testing.TB, driver, dsn string) {
	tb.Helper()
	admin, err := sql.Open(driver, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	admin.SetMaxIdleConns(0)
	tb.Cleanup(func() { admin.Close() })
	b.driver, b.admin, b.ready = driver, admin, func() bool { return admin.Ping() == nil }
}

// serverDir returns a directory that belongs to the user that a server runs as.
func serverDir(tb testing.TB, owner string) string {
	tb.Helper()
	needRoot(tb)
	dir := tempDir(tb)
	u, err := user.Lookup(owner)
	if err != nil {
		skip(tb, "no user %s: %v", owner, err)
	}
	uid, errUID := strconv.Atoi(u.Uid)
	gid, errGID := strconv.Atoi(u.Gid)
	if errUID != nil || errGID != nil {
		tb.Fatalf("user %s has ids %q and %q", owner, u.Uid, u.Gid)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func runOnce(tb testing.TB, path string, args ...string) {
	tb.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir = "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", path, err, out)
	}
}

// startPostgres starts PostgreSQL with an empty database "mail". Roles log in without a password.
func startPostgres(tb testing.TB) (b *database, port int) {
	tb.Helper()
	paths := []string{"postgres"}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // Debian
	paths = append(paths, found...)
	postgres := program(tb, paths...)
	dir, port := serverDir(tb, "postgres"), testport.Free(tb)
	as := []string{program(tb, "setpriv"), "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=TERM"}
	data := filepath.Join(dir, "data")
	runOnce(tb, as[0], append(as[1:], filepath.Join(filepath.Dir(postgres), "initdb"), "-D", data, "-U", "admin",
		"--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")...)
	b = &database{
		tb: tb, name: "postgres", dir: dir, quit: syscall.SIGINT,
		command: append(as, postgres, "-D", data, "-k", dir, "-p", strconv.Itoa(port), "-h", "", "-F", "-c", "log_statement=all"),
	}
	dsn := fmt.Sprintf("host=%s port=%d user=admin dbname=", dir, port)
	b.open(tb, "pgx", dsn+"postgres")
	b.run()
	b.exec(tb, "CREATE DATABASE mail", "CREATE ROLE mailauthd LOGIN", "CREATE ROLE guest LOGIN")
	b.open(tb, "pgx", dsn+"mail")
	b.guest = fmt.Sprintf("host=%s port=%d user=guest dbname=mail", dir, port)
	return b, port
}

// startMariaDB starts MariaDB with an empty database "postfix".
func startMariaDB(tb testing.TB, password string) (b *database, socket string) {
	tb.Helper()
	install, mariadbd := program(tb, "mariadb-install-db"), program(tb, "mariadbd")
	dir := serverDir(tb, "mysql")
	data, socket := "--datadir="+filepath.Join(dir, "data"), filepath.Join(dir, "socket")
	runOnce(tb, install, "--no-defaults", "--user=mysql", data, "--auth-root-authentication-method=normal", "--skip-test-db")
	b = &database{
		tb: tb, name: "mariadbd", dir: dir, quit: syscall.SIGTERM,
		command: []string{
			mariadbd, "--no-defaults", "--user=mysql", data, "--socket=" + socket, "--skip-networking",
			"--innodb-flush-log-at-trx-commit=0", "--pid-file=" + filepath.Join(dir, "pid"), "--character-set-server=utf8mb4",
		},
	}
	b.open(tb, "mysql", "root@unix("+socket+")/")
	b.run()
	b.exec(tb, "CREATE DATABASE postfix", "CREATE USER mailauthd@localhost IDENTIFIED BY '"+password+"'", "CREATE USER guest@localhost")
	b.open(tb, "mysql", "root@unix("+socket+")/postfix?multiStatements=true")
	b.guest = "guest@unix(" + socket + ")/"
	return b, socket
}

// startSlapd starts OpenLDAP with the entries of an LDIF file.
func startSlapd(tb testing.TB, s site, ldif string) (b *database, uri string) {
	tb.Helper()
	needRoot(tb)
	slapd := program(tb, "slapd")
	dir, port := tempDir(tb), loopback(testport.Free(tb))
	if err := os.Mkdir(filepath.Join(dir, "db"), 0o700); err != nil {
		tb.Fatal(err)
	}
	config := writeFile(tb, dir, "slapd.conf", render(tb, "slapd.conf", map[string]any{"Dir": dir, "CA": s.ca.file, "Certificate": s.tls.file}))
	runOnce(tb, slapd, "-T", "add", "-f", config, "-l", writeFile(tb, dir, "entries.ldif", ldif))
	uri = "ldaps://" + port
	b = &database{
		tb: tb, name: "slapd", dir: dir, quit: syscall.SIGTERM, ready: func() bool { return accepts(port) },
		command: []string{slapd, "-d", "256", "-f", config, "-h", uri},
	}
	b.run()
	return b, uri
}
