package e2e

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	file string // its own certificate
	cert *x509.Certificate
	key  crypto.Signer
}

// certificate is one file with a certificate and its key.
type certificate struct {
	file        string
	fingerprint string // SHA-1 in hex, as nginx sends it
}

func newAuthority(tb testing.TB, dir, name string) authority {
	tb.Helper()
	cert := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	a := authority{cert: cert, key: newKey(tb)}
	a.file = writeFile(tb, dir, "ca.pem", toPEM("CERTIFICATE", a.sign(tb, cert, a.key)))
	return a
}

// issue makes a certificate for a server on 127.0.0.1 as well as for a client.
func (a authority) issue(tb testing.TB, dir, name string, subject pkix.Name) certificate {
	tb.Helper()
	key := newKey(tb)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	der := a.sign(tb, &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      subject,
		NotBefore:    a.cert.NotBefore,
		NotAfter:     a.cert.NotAfter,
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, key)
	sum := sha1.Sum(der)
	return certificate{
		file:        writeFile(tb, dir, name+".pem", toPEM("CERTIFICATE", der)+toPEM("PRIVATE KEY", keyDER)),
		fingerprint: hex.EncodeToString(sum[:]),
	}
}

func (a authority) sign(tb testing.TB, cert *x509.Certificate, key crypto.Signer) []byte {
	tb.Helper()
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, key.Public(), a.key)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

func newKey(tb testing.TB) crypto.Signer {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func toPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
