package config

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/redisdb"
)

// Bounds of [redis].
const (
	maxRedisTimeout   = time.Second // each login waits as long until Redis is set aside, and nginx gives up after 60 s
	maxRedisAddresses = 64
	maxRedisPrefix    = 64 // bytes
)

const secretExample = `"openssl rand -hex 32" prints a good one`

// buildRedis reads how several machines share what they count. It connects to nothing.
func (l *loader) buildRedis(f *file, s *redisSection) *redisdb.Config {
	key := func(name string) toml.Key { return toml.Key{"redis", name} }
	c := &redisdb.Config{
		Addresses: s.Addresses, MasterName: s.MasterName,
		Username: s.Username, TLS: s.TLS, ServerName: s.ServerName, Prefix: s.Prefix,
		Timeout: l.duration(f, key("timeout"), s.Timeout, time.Millisecond, maxRedisTimeout),
		Secret:  l.sharedSecret(f, key("secret_file"), s.SecretFile),
	}
	if s.PasswordFile != "" {
		c.Password = l.oneLine(f, key("password_file"), s.PasswordFile)
	} else if s.Username != "" {
		l.problems.add(f, key("username"), `needs password_file, such as "redis.pass"`)
	}
	if s.SentinelPasswordFile != "" {
		c.SentinelPassword = l.oneLine(f, key("sentinel_password_file"), s.SentinelPasswordFile)
		if s.MasterName == "" {
			l.problems.add(f, key("sentinel_password_file"), "has no effect without master_name: remove it")
		}
	}
	l.redisAddresses(f, key("addresses"), c)
	if s.CAFile != "" {
		_, text := l.certificates(f, key("ca_file"), s.CAFile)
		c.CAs = []byte(text)
	}
	for name, given := range map[string]bool{"ca_file": s.CAFile != "", "server_name": s.ServerName != ""} {
		if given && !s.TLS {
			l.problems.add(f, key(name), "has no effect without tls = true")
		}
	}
	if s.Prefix == "" || len(s.Prefix) > maxRedisPrefix || strings.Trim(s.Prefix, prefixCharacters) != "" {
		l.problems.add(f, key("prefix"), "want at most %d letters, digits and :._-/ such as %q", maxRedisPrefix, redisdb.DefaultPrefix)
	}
	return c
}

// prefixCharacters have no meaning in patterns of key names, as in Redis's ACL rules, and are no hash tag of a cluster.
const prefixCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:._-/"

// redisAddresses checks where Redis is, and warns of a password that others on the way can read.
func (l *loader) redisAddresses(f *file, key toml.Key, c *redisdb.Config) {
	if n := len(c.Addresses); n == 0 || n > maxRedisAddresses {
		l.problems.add(f, key, `want from 1 to %d addresses, such as ["10.0.0.5:6379"] or ["unix:/run/redis/redis-server.sock"]`, maxRedisAddresses)
		return
	}
	for i, address := range c.Addresses {
		path, isUnix := strings.CutPrefix(address, redisdb.Unix)
		switch {
		case isUnix && !filepath.IsAbs(path):
			l.problems.add(f, key, `entry %d: want an absolute path, such as "unix:/run/redis/redis-server.sock"`, i+1)
		case isUnix && (len(c.Addresses) > 1 || c.MasterName != ""):
			l.problems.add(f, key, "entry %d: a unix socket must be the only address, without master_name, because cluster and Sentinel tell addresses by TCP", i+1)
		case isUnix && c.TLS:
			l.problems.add(f, key, "entry %d: there is no TLS on a unix socket: set tls = false", i+1)
		case !isUnix && !isHostPort(address):
			l.problems.add(f, key, `entry %d: want HOST:PORT, such as "10.0.0.5:6379" or "[2001:db8::5]:6379", or "unix:/PATH"`, i+1)
		case !isUnix && !c.TLS && !isLoopback(address) && c.Password+c.SentinelPassword != "":
			l.warn(f, key, "the password goes to %s in clear: set tls = true", address)
		}
	}
}

func isHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	n, notNumber := strconv.ParseUint(port, 10, 16)
	return err == nil && host != "" && notNumber == nil && n > 0
}

// sharedSecret reads the file that is the same on all machines. It must have one line, so that no machine takes another
// line of it.
func (l *loader) sharedSecret(f *file, key toml.Key, path string) []byte {
	if path == "" {
		l.problems.add(f, key, `is missing: want a file with one line, the same on all machines, such as "redis.secret"; %s`, secretExample)
		return nil
	}
	l.referSecret(f, key, path)
	data, err := readBounded(l.relative(path))
	if err != nil {
		l.problems.add(f, key, "%s", cannotRead(l.relative(path), err))
		return nil
	}
	line := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case strings.Contains(line, "\n"):
		l.problems.add(f, key, "the file must have one line, and no empty one before or after it: %s", secretExample)
	case len(line) < redisdb.MinSecret || len(line) > maxSecret:
		l.problems.add(f, key, "the secret must be from %d to %d bytes long: %s", redisdb.MinSecret, maxSecret, secretExample)
	}
	return []byte(line)
}

// checkShared reports shared counters without [redis], and warns of a [redis] that nothing uses.
func (l *loader) checkShared(c *Config) {
	shared := c.Throttle != nil && c.Throttle.Shared
	switch {
	case shared && c.Redis == nil:
		l.problems.add(l.sectionFile("throttle"), toml.Key{"throttle", "shared"}, `needs the section [redis] with addresses and secret_file`)
	case c.Redis != nil && !shared && c.Cache.Size == 0:
		l.warn(l.sectionFile("redis"), toml.Key{"redis"}, "nothing uses it: set shared = true in [throttle]")
	}
}
