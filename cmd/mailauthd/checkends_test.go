package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startTLS starts an IMAP server whose certificate ends after a time. It returns the port and the fingerprint.
func startTLS(t *testing.T, ends time.Duration) (port int, fingerprint string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(ends)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			go greet(c)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, fmt.Sprintf("%x", sha256.Sum256(der))
}

// greet speaks as much IMAP as a probe needs.
func greet(c net.Conn) {
	defer c.Close()
	fmt.Fprint(c, "* OK ready\r\n")
	for lines := bufio.NewScanner(c); lines.Scan(); {
		tag, _, _ := strings.Cut(lines.Text(), " ")
		fmt.Fprintf(c, "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n%s OK done\r\n", tag)
	}
}

// check -online -warn-days ends with status 1 if a certificate ends so soon, and names it.
func TestWarnDays(t *testing.T) {
	port, fingerprint := startTLS(t, 10*24*time.Hour+time.Hour)
	past, pastFingerprint := startTLS(t, -time.Hour)
	path := filepath.Join(t.TempDir(), "m.toml")
	const section = "[servers.%s]\nhost = \"127.0.0.1\"\n[servers.%s.verify]\nprotocol = \"imap\"\nimap = %d\ntls = \"implicit\"\nfingerprint = %q\nmechanisms = [\"PLAIN\"]\n"
	write := func(sections ...string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("[listen]\nhttp = [\"127.0.0.1:1\"]\n"+strings.Join(sections, "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	soon := fmt.Sprintf(section, "soon", "soon", port, fingerprint)
	check := func(code int, want string, args ...string) {
		t.Helper()
		var stdout, stderr strings.Builder
		user := "-user="
		if os.Getuid() == 0 {
			user = "-user=root" // this machine may have a user mailauthd, who cannot read the test's file
		}
		args = append([]string{"check", "-config", path, user}, args...)
		if got := run(args, os.Stdin, &stdout, &stderr); got != code || !strings.Contains(stderr.String(), want) || want == "" && strings.Contains(stderr.String(), "certificate") {
			t.Errorf("%q: status %d, want %d and %q: %s%s", args, got, code, want, &stdout, &stderr)
		}
	}
	write(soon)
	check(exitDone, "", "-online")
	check(exitDone, "", "-online", "-warn-days", "10")
	check(exitNo, `server "soon", imap: the certificate ends in 10 days, on `, "-online", "-warn-days", "11")
	check(exitUsage, "-warn-days wants a number of days, and -online", "-warn-days", "11")
	check(exitUsage, "-warn-days wants a number of days, and -online", "-online", "-warn-days", "-1")
	write(soon, fmt.Sprintf(section, "late", "late", past, pastFingerprint))
	check(exitNo, `server "late", imap: the certificate has ended, on `, "-online", "-warn-days", "1")
}
