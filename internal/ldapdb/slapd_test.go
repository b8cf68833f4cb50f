package ldapdb

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mailauthd/internal/dovecot"
	"mailauthd/internal/password"
	"mailauthd/internal/testport"
	"mailauthd/internal/testprogram"
)

// slapd is a running OpenLDAP server.
type slapd struct {
	dir                string
	plain, tls, socket string // URIs
	cas                *x509.CertPool
	cmd                *exec.Cmd
	ended              chan struct{}
}

const (
	base      = "ou=people,dc=example"
	serviceDN = "cn=mailauthd,dc=example"
	servicePW = "service-secret"
	patience  = 20 * time.Second
)

// The directory that the tests share is started once.
var shared struct {
	once sync.Once
	*slapd
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.slapd != nil {
		shared.stop()
		os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

func theSlapd(tb testing.TB) *slapd {
	tb.Helper()
	slapdPath(tb)
	shared.once.Do(func() {
		dir, err := os.MkdirTemp("", "ldapdb")
		if err != nil {
			tb.Fatal(err)
		}
		shared.slapd = newSlapd(tb, dir, newCA(tb, "CA of the directory"), time.Hour)
	})
	if shared.slapd == nil {
		tb.Fatal("slapd did not start for an earlier test")
	}
	return shared.slapd
}

// ownSlapd starts a directory that only this test uses.
func ownSlapd(tb testing.TB) *slapd {
	tb.Helper()
	slapdPath(tb)
	s := newSlapd(tb, tb.TempDir(), newCA(tb, "CA of the directory"), time.Hour)
	tb.Cleanup(s.stop)
	return s
}

// slapdPath returns the path of the program. It skips the test if there is none.
func slapdPath(tb testing.TB) string {
	tb.Helper()
	return testprogram.Find(tb, "slapd", "/usr/sbin/slapd")
}

// newSlapd starts a directory whose certificate ends after a time.
func newSlapd(tb testing.TB, dir string, a ca, ends time.Duration) *slapd {
	tb.Helper()
	cert := a.leaf(tb, "localhost", ends)
	s := &slapd{
		dir:    dir,
		cas:    a.pool(),
		plain:  fmt.Sprintf("ldap://127.0.0.1:%d", testport.Free(tb)),
		tls:    fmt.Sprintf("ldaps://localhost:%d", testport.Free(tb)),
		socket: "ldapi://" + url.PathEscape(filepath.Join(dir, "socket")),
	}
	if err := os.MkdirAll(filepath.Join(dir, "db"), 0o700); err != nil {
		tb.Fatal(err)
	}
	s.write(tb, "ca.pem", cert.ca)
	s.write(tb, "cert.pem", cert.cert)
	s.write(tb, "key.pem", cert.key)
	s.write(tb, "slapd.conf", []byte(strings.ReplaceAll(slapdConf, "DIR", dir)))
	s.write(tb, "users.ldif", hashed(tb, usersLDIF))
	path := slapdPath(tb)
	add := exec.Command(path, "-T", "add", "-f", s.path("slapd.conf"), "-l", s.path("users.ldif"))
	if out, err := add.CombinedOutput(); err != nil {
		tb.Fatalf("slapadd: %v\n%s", err, out)
	}
	s.start(tb)
	return s
}

var hashOf = regexp.MustCompile(`(SSHA|CRYPT)\((.*)\)`)

// hashed replaces SCHEME(password) by hashes.
func hashed(tb testing.TB, ldif string) []byte {
	tb.Helper()
	return hashOf.ReplaceAllFunc([]byte(ldif), func(text []byte) []byte {
		m := hashOf.FindSubmatch(text)
		scheme := strings.Replace(string(m[1]), "CRYPT", "SHA512-CRYPT", 1)
		hash, err := password.Make(scheme, "", string(m[2]), 0)
		if err != nil {
			tb.Fatal(err)
		}
		return []byte(strings.Replace(hash, "{SHA512-", "{", 1))
	})
}

func (s *slapd) path(name string) string { return filepath.Join(s.dir, name) }

func (s *slapd) write(tb testing.TB, name string, data []byte) {
	tb.Helper()
	if err := os.WriteFile(s.path(name), data, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// start starts the server, and waits until it accepts connections.
func (s *slapd) start(tb testing.TB) {
	tb.Helper()
	log, err := os.OpenFile(s.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	path := slapdPath(tb)
	s.cmd = exec.Command(path, "-d", "256", "-f", s.path("slapd.conf"), "-h", s.plain+" "+s.tls+" "+s.socket)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	s.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) { cmd.Wait(); close(ended) }(s.cmd, s.ended)
	eventually(tb, "slapd accepts connections", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.plain, "ldap://"))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (s *slapd) signal(sig syscall.Signal) { s.cmd.Process.Signal(sig) }

// hang stops all threads of the server, and waits until they are stopped.
func (s *slapd) hang(tb testing.TB) {
	tb.Helper()
	s.signal(syscall.SIGSTOP)
	eventually(tb, "slapd is stopped", func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", s.cmd.Process.Pid))
		return err == nil && !slices.ContainsFunc(threads, func(path string) bool {
			stat, err := os.ReadFile(path)
			return err == nil && !bytes.Contains(stat, []byte(") T "))
		})
	})
}

// stop ends the server, also one that is stopped by SIGSTOP.
func (s *slapd) stop() {
	s.signal(syscall.SIGTERM)
	s.signal(syscall.SIGCONT)
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.cmd.Process.Kill()
		<-s.ended
	}
}

// logged returns the lines of the log that have a text.
func (s *slapd) logged(tb testing.TB, text string) (lines []string) {
	tb.Helper()
	data, err := os.ReadFile(s.path("log"))
	if err != nil {
		tb.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		if bytes.Contains(line, []byte(text)) {
			lines = append(lines, strings.TrimSpace(string(line)))
		}
	}
	return lines
}

// config is that of a directory on this server with a search and hashes.
func (s *slapd) config() Config {
	return Config{
		URIs: []string{s.plain}, AuthDN: serviceDN, AuthPassword: servicePW,
		Base: base, Scope: "subtree", Filter: "(&(objectClass=inetOrgPerson)(mail=%{user}))",
		Fields:         map[string]string{"password": "userPassword"},
		Reader:         dovecot.Reader{Hashes: password.Policy{}, Scheme: "PLAIN"},
		MaxConnections: 4, Timeout: patience,
	}
}

func (s *slapd) bindConfig() Config {
	c := s.config()
	c.Bind = true
	return c
}

func newDB(tb testing.TB, c Config) *DB {
	tb.Helper()
	d, err := New(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(d.Close)
	return d
}

// bind looks a name up, and proves a password.
func bind(tb testing.TB, d *DB, name, password string) (Result, error) {
	tb.Helper()
	e, err := d.Lookup(context.Background(), name)
	if err != nil {
		return Undecided, err
	}
	return d.Bind(context.Background(), e, password)
}

func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("not within %v: %s", patience, what)
		}
	}
}
