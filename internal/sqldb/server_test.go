package sqldb

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"mailauthd/internal/testport"
	"mailauthd/internal/testprogram"
)

// testSecret is the password of the database's user.
const testSecret = "s3cr3tDSN"

// server is a database server that all tests share, because starting one takes seconds.
type server struct {
	driver string
	dir    string
	port   int
	as     *syscall.SysProcAttr // both servers refuse to run as root
	args   []string
	log    string // the file with the queries that arrived
	admin  *sql.DB
	cmd    *exec.Cmd
	done   chan struct{}
}

var servers = map[string]func(testing.TB) *server{
	"pgsql": sync2(startPostgres),
	"mysql": sync2(startMariaDB),
}

// running holds the servers that TestMain stops.
var running []*server

// sync2 starts a server once. A test that cannot start it is skipped, and the next one tries again.
func sync2(start func(testing.TB) *server) func(testing.TB) *server {
	var mu sync.Mutex
	var s *server
	return func(tb testing.TB) *server {
		tb.Helper()
		mu.Lock()
		defer mu.Unlock()
		if testing.Short() {
			tb.Skip("starts a database server")
		}
		if s == nil {
			s = start(tb)
			running = append(running, s)
		}
		return s
	}
}

func TestMain(m *testing.M) {
	status := m.Run()
	for _, s := range running {
		s.stop(syscall.SIGQUIT)
		os.RemoveAll(s.dir)
	}
	os.Exit(status)
}

// eachServer runs a test with both servers.
func eachServer(t *testing.T, test func(t *testing.T, s *server)) {
	for _, driver := range Drivers() {
		t.Run(driver, func(t *testing.T) { test(t, servers[driver](t)) })
	}
}

// newServer makes the directory of a server that runs as a user, if root runs the test.
func newServer(tb testing.TB, driver, owner string) *server {
	tb.Helper()
	dir, err := os.MkdirTemp("", "sqldb")
	if err != nil {
		tb.Fatal(err)
	}
	s := &server{driver: driver, dir: dir, port: testport.Free(tb), as: &syscall.SysProcAttr{Setpgid: true}}
	if os.Geteuid() == 0 {
		u, err := user.Lookup(owner)
		if err != nil {
			testprogram.Skip(tb, "no user %s", owner)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		s.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// run runs a program that ends by itself.
func (s *server) run(tb testing.TB, args ...string) {
	tb.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.SysProcAttr = s.dir, s.as
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", args[0], err, out)
	}
}

func startPostgres(tb testing.TB) *server {
	tb.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(found) > 0 {
		os.Setenv("PATH", os.Getenv("PATH")+":"+found[len(found)-1])
	}
	postgres, initdb := testprogram.Find(tb, "postgres"), testprogram.Find(tb, "initdb")
	s := newServer(tb, "pgsql", "postgres")
	data := filepath.Join(s.dir, "data")
	s.run(tb, initdb, "-D", data, "-U", "admin", "--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync")
	s.log = filepath.Join(s.dir, "log")
	certificate(tb, s, data)
	s.args = []string{
		postgres, "-D", data, "-k", s.dir, "-p", strconv.Itoa(s.port), "-h", "127.0.0.1", "-F",
		"-c", "log_statement=all", "-c", "max_connections=20", "-c", "ssl=on",
	}
	s.open(tb, "pgx", fmt.Sprintf("host=%s port=%d user=admin dbname=postgres", s.dir, s.port))
	s.start(tb)
	s.exec(tb, "CREATE ROLE mailauthd LOGIN PASSWORD '"+testSecret+"'")
	return s
}

func startMariaDB(tb testing.TB) *server {
	tb.Helper()
	install, mariadbd := testprogram.Find(tb, "mariadb-install-db"), testprogram.Find(tb, "mariadbd", "/usr/sbin/mariadbd")
	s := newServer(tb, "mysql", "mysql")
	data := filepath.Join(s.dir, "data")
	s.run(tb, install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db")
	s.log = filepath.Join(s.dir, "general.log")
	socket := filepath.Join(s.dir, "socket")
	s.args = []string{
		mariadbd, "--no-defaults", "--datadir=" + data, "--socket=" + socket, "--port=" + strconv.Itoa(s.port),
		"--bind-address=127.0.0.1", "--general-log=1", "--general-log-file=" + s.log, "--max-connections=20",
		"--innodb-flush-log-at-trx-commit=0", "--pid-file=" + filepath.Join(s.dir, "pid"), "--character-set-server=utf8mb4",
	}
	s.open(tb, "mysql", "root@unix("+socket+")/")
	s.start(tb)
	s.exec(tb, "CREATE DATABASE mail", "CREATE USER mailauthd@'%' IDENTIFIED BY '"+testSecret+"'")
	s.open(tb, "mysql", "root@unix("+socket+")/mail")
	return s
}

func (s *server) open(tb testing.TB, driver, dsn string) {
	tb.Helper()
	var err error
	if s.admin, err = sql.Open(driver, dsn); err != nil {
		tb.Fatal(err)
	}
	s.admin.SetMaxIdleConns(0)
}

// start starts the server, and waits until it answers.
func (s *server) start(tb testing.TB) {
	tb.Helper()
	out, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		tb.Fatal(err)
	}
	defer out.Close()
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	s.cmd.Dir, s.cmd.SysProcAttr, s.cmd.Stdout, s.cmd.Stderr = s.dir, s.as, out, out
	if err := s.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	done := make(chan struct{})
	go func(cmd *exec.Cmd) { cmd.Wait(); close(done) }(s.cmd)
	s.done = done
	until(tb, s.driver+" answers", func() bool { return s.admin.Ping() == nil })
}

// stop stops the server and waits for its end.
func (s *server) stop(sig syscall.Signal) {
	s.signal(syscall.SIGCONT)
	s.cmd.Process.Signal(sig)
	<-s.done
}

// stopNow stops the server as an administrator does, without waiting for its clients.
func (s *server) stopNow() {
	if s.driver == "pgsql" {
		s.stop(syscall.SIGINT)
		return
	}
	s.stop(syscall.SIGTERM)
}

// signal sends a signal to the server and to its child processes.
func (s *server) signal(sig syscall.Signal) {
	s.cmd.Process.Signal(sig)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		data, err := os.ReadFile(stat)
		if err != nil {
			continue // the process has ended
		}
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		if fields[1] == strconv.Itoa(s.cmd.Process.Pid) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
			syscall.Kill(pid, sig)
		}
	}
}

func until(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(60 * time.Second); !done(); {
		if time.Now().After(deadline) {
			tb.Fatalf("not within a minute: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// exec runs statements as the administrator.
func (s *server) exec(tb testing.TB, statements ...string) {
	tb.Helper()
	for _, text := range statements {
		if _, err := s.admin.Exec(text); err != nil {
			tb.Fatalf("%s: %v", text, err)
		}
	}
}

// table makes the table of mailboxes, which every test begins with.
func (s *server) table(tb testing.TB) {
	tb.Helper()
	s.exec(tb, "DROP TABLE IF EXISTS mailbox",
		`CREATE TABLE mailbox (username varchar(512) NOT NULL, password varchar(2000), name varchar(512), allow_nets varchar(255),
		nologin varchar(20), reason varchar(255), host varchar(255), destuser varchar(255), pass varchar(255))`,
		"GRANT SELECT ON mailbox TO mailauthd")
}

// insert adds a row to the table. The fields are column names and values in turn.
func (s *server) insert(tb testing.TB, username string, fields ...string) {
	tb.Helper()
	names, places, args := []string{"username"}, []string{s.placeholder(1)}, []any{username}
	for i := 0; i < len(fields); i += 2 {
		names, args = append(names, fields[i]), append(args, fields[i+1])
		places = append(places, s.placeholder(len(args)))
	}
	text := fmt.Sprintf("INSERT INTO mailbox (%s) VALUES (%s)", strings.Join(names, ", "), strings.Join(places, ", "))
	if _, err := s.admin.Exec(text, args...); err != nil {
		tb.Fatal(err)
	}
}

func (s *server) placeholder(i int) string {
	if s.driver == "pgsql" {
		return "$" + strconv.Itoa(i)
	}
	return "?"
}

// dsn returns the connection string for a port.
func (s *server) dsn(port int) string {
	if s.driver == "pgsql" {
		return fmt.Sprintf("host=127.0.0.1 port=%d user=mailauthd password=%s dbname=postgres sslmode=disable", port, testSecret)
	}
	return fmt.Sprintf("mailauthd:%s@tcp(127.0.0.1:%d)/mail", testSecret, port)
}

// mailboxQuery returns every field.
const mailboxQuery = "SELECT name AS user, password, allow_nets, nologin, reason, host, destuser, pass FROM mailbox WHERE username = %{user}"

// query returns mailboxQuery with user quoted, because it is a key word of PostgreSQL.
func (s *server) query() string {
	if s.driver == "pgsql" {
		return strings.Replace(mailboxQuery, "user", `"user"`, 1)
	}
	return mailboxQuery
}

// db opens the directory that is tested. The function changes its configuration.
func (s *server) db(tb testing.TB, change func(c *Config)) *DB {
	tb.Helper()
	c := Config{Name: "vmail", Driver: s.driver, Connect: s.dsn(s.port), Query: s.query()}
	c.Fields.Hashes.AllowWeak, c.Fields.Scheme = true, "PLAIN"
	c.Timeout = 5 * time.Second
	if change != nil {
		change(&c)
	}
	d, err := New(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(d.Close)
	return d
}

// checkQueryError checks that an error is one of the database, and that it has no secret.
func checkQueryError(t *testing.T, err error, want string) {
	t.Helper()
	if checkFailure(t, err, want); !errors.Is(err, ErrQuery) {
		t.Errorf("error %v, want ErrQuery", err)
	}
}

// checkFailure checks that an error is one of a query, and that it has no secret.
func checkFailure(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), `passdb "vmail": query failed: `) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
		return
	}
	for _, secret := range []string{testSecret, "bob@"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error contains %q: %v", secret, err)
		}
	}
}
