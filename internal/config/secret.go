package config

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/listen"
)

// Bounds of the values of a secret.
const (
	minSecret  = 16 // bytes
	maxSecret  = 512
	maxSecrets = 8 // accepted values
)

// buildSecret reads the values that are accepted as the secret, one per line.
func (l *loader) buildSecret(f *file, key toml.Key, s *secretSection) *Secret {
	if s == nil {
		return nil
	}
	if s.Header == "" || strings.Trim(s.Header, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		l.problems.add(f, append(key, "header"), `want the name of a header, such as "X-Auth-Key"`)
	}
	secret := &Secret{Header: http.CanonicalHeaderKey(s.Header)}
	if s.File == "" {
		l.problems.add(f, append(key, "file"), `is missing: want the name of a file with one value per line, such as "auth.key"`)
		return secret
	}
	l.referSecret(f, append(key, "file"), s.File)
	secret.file = l.relative(s.File)
	values, err := readSecrets(secret.file)
	if err != nil {
		l.problems.add(f, append(key, "file"), "%s", cannotRead(secret.file, err))
		return secret
	}
	for i, value := range values {
		secret.Hashes = append(secret.Hashes, sha256.Sum256([]byte(value)))
		if len(value) < minSecret || len(value) > maxSecret {
			l.problems.add(f, append(key, "file"), `value %d must be from %d to %d bytes long: "openssl rand -hex 16" prints a good one`, i+1, minSecret, maxSecret)
		}
	}
	if n := len(secret.Hashes); n < 1 || n > maxSecrets {
		l.problems.add(f, append(key, "file"), "must hold from 1 to %d values, one per line, as nginx sends them in the header", maxSecrets)
	}
	return secret
}

// readSecrets reads a file with one value per line.
func readSecrets(path string) (values []string, err error) {
	data, err := readBounded(path)
	for line := range strings.Lines(string(data)) {
		if value := strings.TrimSpace(line); value != "" {
			values = append(values, value)
		}
	}
	return values, err
}

// Value reads the first of the accepted values again. A Secret itself has only their hashes.
func (s *Secret) Value() (string, error) {
	values, err := readSecrets(s.file)
	if err == nil && len(values) == 0 {
		err = fmt.Errorf("%s: holds no value", s.file)
	}
	if err != nil {
		return "", err
	}
	return values[0], nil
}

// warnOfListeners warns about sockets that accept requests from anyone in the network.
func (l *loader) warnOfListeners(f *file, c *Listen, secret *Secret) {
	if secret != nil || len(c.Options.AllowedClients) > 0 {
		return
	}
	for name, list := range map[string][]listen.Address{"fastcgi": c.FastCGI, "http": c.HTTP} {
		for i, a := range list {
			if a.Kind != "tcp" || isLoopback(a.Name) {
				continue
			}
			l.warn(f, toml.Key{"listen", name}, `entry %d is not on a loopback address, so anyone who reaches it can guess passwords: set allowed_clients = ["192.0.2.1"] to your web server's address, or secret in [auth]`, i+1)
		}
	}
}

func isLoopback(hostPort string) bool {
	addr, err := netip.ParseAddrPort(hostPort)
	return err == nil && addr.Addr().Unmap().IsLoopback() || strings.HasPrefix(hostPort, "localhost:")
}
