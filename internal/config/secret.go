package config

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/listen"
)

// Bounds of a secret: one line for each value.
const (
	minSecret  = 16 // bytes
	maxSecret  = 512
	maxSecrets = 8 // values at a time
)

// buildSecret reads the values that askers may show, a line each.
func (l *loader) buildSecret(f *file, key toml.Key, s *secretSection) *Secret {
	if s == nil {
		return nil
	}
	if s.Header == "" || strings.Trim(s.Header, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		l.problems.add(f, append(key, "header"), `want the name of a header such as "X-Auth-Key"`)
	}
	secret := &Secret{Header: http.CanonicalHeaderKey(s.Header)}
	if s.File == "" {
		l.problems.add(f, append(key, "file"), "is missing: want a file with the secret, a line for each that is good")
		return secret
	}
	data, err := readBounded(l.relative(s.File))
	if err != nil {
		l.problems.add(f, append(key, "file"), "cannot be read: %v", errors.Unwrap(err))
		return secret
	}
	for line := range strings.Lines(string(data)) {
		if value := strings.TrimSpace(line); value != "" {
			secret.Hashes = append(secret.Hashes, sha256.Sum256([]byte(value)))
			if len(value) < minSecret || len(value) > maxSecret {
				l.problems.add(f, append(key, "file"), "value %d must have from %d to %d bytes", len(secret.Hashes), minSecret, maxSecret)
			}
		}
	}
	if n := len(secret.Hashes); n < 1 || n > maxSecrets {
		l.problems.add(f, append(key, "file"), "must hold from 1 to %d values, a line each", maxSecrets)
	}
	return secret
}

// warnOfListeners tells of sockets at which anybody in the network may ask.
func (l *loader) warnOfListeners(c *Listen, secret *Secret) {
	if secret != nil || len(c.Options.AllowedClients) > 0 {
		return
	}
	f := l.sectionFile("listen")
	for name, list := range map[string][]listen.Address{"fastcgi": c.FastCGI, "http": c.HTTP} {
		for i, a := range list {
			if a.Kind != "tcp" || isLoopback(a.Name) {
				continue
			}
			l.warn(f, toml.Key{"listen", name}, "entry %d is not on a loopback address: whoever reaches it may guess passwords; set allowed_clients, or [auth] secret", i+1)
		}
	}
}

func isLoopback(hostPort string) bool {
	addr, err := netip.ParseAddrPort(hostPort)
	return err == nil && addr.Addr().Unmap().IsLoopback() || strings.HasPrefix(hostPort, "localhost:")
}
