package sqldb

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificate writes a key and a certificate for 127.0.0.1 that is its own authority.
func certificate(tb testing.TB, s *server, dir string) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"server.crt": {Type: "CERTIFICATE", Bytes: cert}, "server.key": {Type: "PRIVATE KEY", Bytes: private}} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			tb.Fatal(err)
		}
		if c := s.as.Credential; c != nil {
			if err := os.Chown(path, int(c.Uid), int(c.Gid)); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

func TestTLS(t *testing.T) {
	s := servers["pgsql"](t)
	s.table(t)
	s.insert(t, "bob@x.org", "password", "x")
	other := t.TempDir()
	certificate(t, &server{as: s.as}, other)
	dsn := fmt.Sprintf("host=127.0.0.1 port=%d user=mailauthd password=%s dbname=postgres sslmode=verify-full sslrootcert=", s.port, testSecret)
	d := s.db(t, func(c *Config) { c.Connect = dsn + filepath.Join(s.dir, "data", "server.crt") })
	if u, err := d.Find(context.Background(), "bob@x.org"); err != nil || u == nil {
		t.Errorf("with the server's authority: %v, %v", u, err)
	}
	d = s.db(t, func(c *Config) { c.Connect = dsn + filepath.Join(other, "server.crt") })
	_, err := d.Find(context.Background(), "bob@x.org")
	checkQueryError(t, err, "certificate signed by unknown authority")
}
