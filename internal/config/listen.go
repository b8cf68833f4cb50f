package config

import (
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/access"
	"mailauthd/internal/authlog"
	"mailauthd/internal/cache"
	"mailauthd/internal/listen"
)

func (l *loader) buildListen(f *file, s *listenSection) Listen {
	if len(s.FastCGI)+len(s.HTTP) == 0 {
		l.problems.add(f, toml.Key{"listen"}, `no socket to listen on: set fastcgi = ["unix:/run/mailauthd/fastcgi.sock"] or http = ["127.0.0.1:8008"]`)
	}
	mode, err := strconv.ParseUint(s.Mode, 8, 32)
	if err != nil || mode > 0o777 {
		l.problems.add(f, toml.Key{"listen", "mode"}, `want permissions in octal, such as "0660"`)
	}
	if _, err := listen.LookupUser(s.Owner); err != nil {
		l.accountProblems.add(f, toml.Key{"listen", "owner"}, "no such user on this machine: name another, or create \"mailauthd\" with systemd-sysusers")
	}
	if _, err := listen.LookupGroup(s.Group); err != nil {
		l.accountProblems.add(f, toml.Key{"listen", "group"}, `no such group on this machine: want the web server's group, which is "www-data" on Debian, "http" on Arch, "apache" or "nginx" on Fedora`)
	}
	seen := make(map[listen.Address]bool)
	return Listen{
		FastCGI: l.addresses(f, "fastcgi", s.FastCGI, seen),
		HTTP:    l.addresses(f, "http", s.HTTP, seen),
		Admin:   l.adminSockets(f, s.Admin, seen),
		Metrics: l.addresses(f, "metrics", s.Metrics, seen),

		StatusFull: l.networks(f, toml.Key{"listen", "status_full"}, s.StatusFull),
		Options: listen.Options{
			Owner:          s.Owner,
			Group:          s.Group,
			Mode:           fs.FileMode(mode),
			AllowedClients: l.networks(f, toml.Key{"listen", "allowed_clients"}, s.AllowedClients),
		},
		Grace: l.duration(f, toml.Key{"listen", "grace"}, s.Grace, 0, 10*time.Minute),
	}
}

func (l *loader) addresses(f *file, key string, list []string, seen map[listen.Address]bool) []listen.Address {
	var addrs []listen.Address
	for i, s := range list {
		a, err := listen.Parse(s)
		switch {
		case err != nil:
			l.problems.add(f, toml.Key{"listen", key}, "entry %d: %v", i+1, err)
		case seen[a]:
			l.problems.add(f, toml.Key{"listen", key}, "entry %d: [listen] already has this address: remove one of them", i+1)
		default:
			seen[a] = true
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// adminSockets accepts only unix sockets, because their mode decides who can connect. Anyone who connects can use every
// command.
func (l *loader) adminSockets(f *file, list []string, seen map[listen.Address]bool) []listen.Address {
	for i, s := range list {
		if !strings.HasPrefix(s, "unix:") {
			l.problems.add(f, toml.Key{"listen", "admin"}, `entry %d: want a unix socket, such as "unix:/run/mailauthd/admin.sock"`, i+1)
			return nil
		}
	}
	return l.addresses(f, "admin", list, seen)
}

// maxCacheSize is the largest number of cache entries. Each takes about 300 bytes, at most 800.
const maxCacheSize = 10_000_000

func (l *loader) buildCache(f *file, s *cacheSection) cache.Config {
	key := func(name string) toml.Key { return toml.Key{"cache", name} }
	if s.Size < 0 || s.Size > maxCacheSize {
		l.problems.add(f, key("size"), "must be from 0 to %d entries", maxCacheSize)
	}
	return cache.Config{
		Size:        s.Size,
		TTL:         l.duration(f, key("ttl"), s.TTL, time.Second, 30*24*time.Hour),
		NegativeTTL: l.duration(f, key("negative_ttl"), s.NegativeTTL, 0, 24*time.Hour),
		StaleTTL:    l.duration(f, key("stale_ttl"), s.StaleTTL, 0, 30*24*time.Hour),
	}
}

// networks reads addresses and CIDR prefixes.
func (l *loader) networks(f *file, key toml.Key, list []string) []netip.Prefix {
	var nets []netip.Prefix
	for i, s := range list {
		p, err := access.ParseNet(s)
		if err != nil {
			l.problems.add(f, key, "entry %d: %v", i+1, err)
			continue
		}
		nets = append(nets, p)
	}
	return nets
}

// duration reads a duration from low to high, both included.
func (l *loader) duration(f *file, key toml.Key, s duration, low, high time.Duration) time.Duration {
	d, err := time.ParseDuration(string(s))
	if err != nil {
		l.problems.add(f, key, "want a duration, such as %s", durationExample(string(s)))
		return low
	}
	if d < low || d > high {
		l.problems.add(f, key, "must be from %v to %v", low, high)
	}
	return d
}

func (l *loader) buildLog(f *file, s *logSection) authlog.Config {
	key := func(name string) toml.Key { return toml.Key{"log", name} }
	l.logFile(f, key("file"), s.File, s.MaxSize, defaultLogFile)
	l.choose(f, key("format"), s.Format)
	if _, err := authlog.Zone(s.Timezone); err != nil {
		l.problems.add(f, key("timezone"), `want an IANA time zone, such as "Europe/Moscow"`)
	}
	for name, n := range map[string]int{"max_size": s.MaxSize, "max_age": s.MaxAge, "max_backups": s.MaxBackups} {
		if n < 0 || n > 1<<20 {
			l.problems.add(f, key(name), "must be from 0 to %d", 1<<20)
		}
	}
	return authlog.Config(*s)
}

// logFile checks the path of a log.
func (l *loader) logFile(f *file, key toml.Key, path string, maxSize int, example string) {
	if !strings.HasPrefix(path, "/") {
		l.problems.add(f, key, "want an absolute path, such as %q", example)
	} else if err := authlog.CheckFile(path, maxSize); err != nil {
		l.problems.add(f, key, "%v", err)
	}
}
