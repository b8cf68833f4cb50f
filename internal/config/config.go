package config

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/auth"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/listen"
	"mailauthd/internal/password"
	"mailauthd/internal/redisdb"
	"mailauthd/internal/route"
	"mailauthd/internal/shadow"
)

// Config is a complete, valid configuration.
type Config struct {
	auth.Config // for the decision

	Listen Listen
	Secret *Secret // that each request must carry; nil if none is needed
	Log    authlog.Config
	Shadow *shadow.Config  // nil: no other service is asked
	Redis  *redisdb.Config // nil: this machine shares nothing

	WithPassword int                     // users with a password in the map
	CannotUse    map[authhttp.Method]int // how many of these cannot use a method that is offered

	ResolveInterval time.Duration
	PreferIPv6      bool

	// AccountErr names the accounts in [listen] that do not exist on this machine. It is nil if all exist.
	AccountErr error
	Warnings   []Problem // probable mistakes, at most MaxErrors

	names map[string]Problem // where the host names of servers are; What is empty

	shared shared
}

// Listen is the [listen] section.
type Listen struct {
	FastCGI, HTTP []listen.Address
	Admin         []listen.Address // unix sockets that only our own user and root can reach
	Metrics       []listen.Address
	StatusFull    []netip.Prefix // clients that see names on the status page
	Options       listen.Options
	Grace         time.Duration // how long requests in flight may take to finish at a shutdown
}

// Secret is a value that only our own web server knows.
type Secret struct {
	Header string              // canonical header name
	Hashes [][sha256.Size]byte // of the accepted values; several, so that the secret can be changed

	file string // with the values
}

// Names returns the servers' hosts for a resolver.
func (c *Config) Names() route.Names {
	hosts := make([]string, len(c.Servers))
	for i, s := range c.Servers {
		hosts[i] = s.Host
	}
	return route.Names{Hosts: hosts, Interval: c.ResolveInterval, PreferIPv6: c.PreferIPv6}
}

// NotResolved adds to a resolver's error where the name is in the configuration. If several servers have the name, it
// is the first one.
func (c *Config) NotResolved(err error) error {
	var lookup *route.LookupError
	if errors.As(err, &lookup) {
		if p, ok := c.names[lookup.Host]; ok {
			p.What = "cannot be resolved: " + lookup.Err.Error()
			return p
		}
	}
	return err
}

// Close closes the passdbs of a configuration that does not come into use.
func (c *Config) Close() {
	for _, p := range c.Passdbs {
		p.Close()
	}
}

// Load reads the main file at path and the files that it includes. Its error joins
// everything that is wrong, one problem per line.
func Load(path string) (*Config, error) { return Reload(path, nil) }

// Reload loads as [Load] does, and shares users that are the same with the old configuration. If nothing but users has
// changed, it does not read files that have not changed. Old may be nil.
func Reload(path string, old *Config) (*Config, error) {
	return newLoader(path, old).load()
}

func newLoader(path string, old *Config) *loader {
	return &loader{path: path, old: old, pieceSize: pieceSize}
}

func (l *loader) load() (*Config, error) {
	err := l.read()
	if err == nil && l.old != nil && l.general() != l.old.shared.general { // perhaps other domains or servers
		*l = loader{path: l.path, old: l.old, readsAll: true, pieceSize: l.pieceSize, edited: l.edited, doc: l.doc}
		err = l.read()
	}
	if err != nil {
		return nil, err
	}
	c, err := l.build()
	if err != nil {
		return nil, err
	}
	c.AccountErr = l.accountProblems.err(l.files)
	if err := l.problems.err(l.files); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// loader builds a configuration from its files.
type loader struct {
	path   string
	hashes password.Policy

	pieceSize int // 0: files are decoded as a whole
	files     []*file
	problems  problems
	warnings  problems
	old       *Config   // nil: nothing is shared
	readsAll  bool      // also files that have not changed
	expires   time.Time // when the next account expires that has not expired yet; zero: never

	references []reference     // see Source.Files
	used       map[string]bool // servers and passdbs that a domain or a user names; see passdbKey

	accountProblems problems // see Config.AccountErr

	ahead  map[string]*reading // the included files, by path
	edited string              // path of the file for which doc is read instead; empty if none
	doc    []byte
}

// read reads the main file and all files that it includes. It stops at the first file that is
// not valid TOML.
func (l *loader) read() error {
	main, err := l.readFile(l.path)
	if err != nil {
		return err
	}
	l.files = []*file{main}
	includes := l.findIncludes(main)
	if err := l.readAhead(includes); err != nil {
		return err
	}
	for i := range includes {
		if err := l.includeAll(main, &includes[i]); err != nil {
			return err
		}
	}
	l.ahead = nil
	if name := main.content.UsersFile; name != "" && !slices.ContainsFunc(l.files, func(f *file) bool { return f.path == l.relative(name) }) {
		l.problems.add(main, toml.Key{"users_file"}, `want one of the files in include, such as "users.toml"`)
	}
	for _, f := range l.files {
		l.problems = append(l.problems, f.unknown...)
	}
	return nil
}

// included is one entry of include.
type included struct {
	entry   int
	pattern string
	paths   []string
	err     error
}

func (l *loader) findIncludes(main *file) []included {
	list := make([]included, len(main.content.Include))
	for i, pattern := range main.content.Include {
		paths, err := l.included(pattern)
		list[i] = included{i + 1, pattern, paths, err}
	}
	return list
}

// reading is a file that was read, or the error.
type reading struct {
	file *file
	err  error
}

// readAhead reads all included files on all cores.
func (l *loader) readAhead(includes []included) error {
	var paths []string
	l.ahead = make(map[string]*reading)
	for i := range includes {
		for _, path := range includes[i].paths {
			if l.ahead[path] == nil {
				l.ahead[path] = new(reading)
				paths = append(paths, path)
			}
		}
	}
	return inParallel(len(paths), func(i int) {
		r := l.ahead[paths[i]]
		if r.file = l.unchanged(paths[i]); r.file == nil {
			r.file, r.err = l.readFile(paths[i])
		}
	})
}

// includeAll includes the files of one entry of include.
func (l *loader) includeAll(main *file, in *included) error {
	pattern, entry, err := in.pattern, in.entry, in.err
	if dir := filepath.Dir(pattern); isPattern(filepath.Base(pattern)) && !isPattern(dir) && exists(l.relative(dir)) {
		l.refer(main, toml.Key{"include"}, dir) // it is listed
	}
	for i := 0; err == nil && i < len(in.paths); i++ {
		l.references = append(l.references, reference{main, toml.Key{"include"}, in.paths[i]})
		err = l.include(in.paths[i])
	}
	var access *fs.PathError
	switch {
	case errors.Is(err, filepath.ErrBadPattern):
		l.problems.add(main, toml.Key{"include"}, `entry %d: want a file name or a glob pattern, such as "users.d/*.toml"`, entry)
	case errors.As(err, &access):
		l.problems.add(main, toml.Key{"include"}, "entry %d: %s", entry, cannotRead(access.Path, access))
	default:
		return err
	}
	return nil
}

// included returns the files that a glob pattern matches. A pattern without *, ? or [ names a file that must exist.
func (l *loader) included(pattern string) (paths []string, err error) {
	pattern = l.relative(pattern)
	if !isPattern(pattern) {
		return []string{pattern}, nil
	}
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, err
	}
	paths, err = glob(pattern)
	if !strings.HasPrefix(filepath.Base(pattern), ".") { // as a shell does, because editors keep temporary files there
		paths = slices.DeleteFunc(paths, func(p string) bool { return strings.HasPrefix(filepath.Base(p), ".") })
	}
	return paths, err
}

// relative resolves a path relative to the main file.
func (l *loader) relative(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(l.path), path)
}

func (l *loader) include(path string) error {
	if slices.ContainsFunc(l.files, func(f *file) bool { return f.path == path }) {
		return nil // two patterns may match the same file
	}
	f, err := l.ahead[path].file, l.ahead[path].err
	if f != nil && err != nil {
		return cmp.Or(l.firstMistake(), err)
	}
	if err != nil {
		return err
	}
	for _, key := range []string{"include", "users_file"} {
		if f.has(key) {
			l.problems.add(f, toml.Key{key}, "only the main file may have this key: move it to %s", l.path)
		}
	}
	l.files = append(l.files, f)
	return nil
}

// firstMistake returns the mistake in the first file that is not valid TOML, also among the users that are not decoded
// yet.
func (l *loader) firstMistake() error {
	for _, f := range l.files {
		if f.tables == nil {
			continue
		}
		if err := f.decodeWhole(); err != nil {
			return err
		}
	}
	return nil
}

// general identifies everything but users.
func (l *loader) general() checksum {
	h := sha256.New()
	for _, f := range l.files {
		if !f.onlyUsers() {
			fmt.Fprintf(h, "%q %x\n", f.path, f.general)
		}
	}
	return checksum(h.Sum(nil))
}

func (l *loader) build() (c *Config, err error) {
	l.used = make(map[string]bool)
	c = &Config{CannotUse: make(map[authhttp.Method]int)}
	listenFile := l.sectionFile("listen")
	c.Listen = l.buildListen(listenFile, &listenFile.content.Listen)
	f := l.sectionFile("resolver")
	c.ResolveInterval = l.duration(f, toml.Key{"resolver", "resolve_interval"}, f.content.Resolver.Interval, time.Second, 24*time.Hour)
	c.PreferIPv6 = f.content.Resolver.PreferIPv6
	f = l.sectionFile("cache")
	c.Cache = l.buildCache(f, &f.content.Cache)
	if f = l.sectionFile("throttle"); f.has("throttle") {
		c.Throttle = l.buildThrottle(f, &f.content.Throttle)
		c.AuthWait = f.content.Throttle.AuthWait
	}
	if f = l.sectionFile("redis"); f.has("redis") {
		c.Redis = l.buildRedis(f, &f.content.Redis)
	}
	l.checkShared(c)
	f = l.sectionFile("log")
	c.Log = l.buildLog(f, &f.content.Log)
	if f = l.sectionFile("shadow"); f.has("shadow") {
		c.Shadow = l.buildShadow(f, &f.content.Shadow, c)
	}
	c.names = make(map[string]Problem)
	servers := l.buildServers(c.names)
	for _, name := range slices.Sorted(maps.Keys(servers)) {
		c.Servers = append(c.Servers, servers[name])
	}
	f = l.sectionFile("auth")
	delimiter := l.recipientDelimiter(f, toml.Key{"auth", "recipient_delimiter"}, f.content.Auth.RecipientDelimiter)
	c.Domains = route.NewTable(l.buildDomains(servers, delimiter))
	l.buildAuth(f, &f.content.Auth, &c.Config)
	c.Secret = l.buildSecret(f, toml.Key{"auth", "secret"}, f.content.Auth.Secret)
	l.buildPassdbs(c)
	l.warnOfMethods(f, &c.Config)
	l.warnOfListeners(listenFile, &c.Listen, c.Secret)
	general := l.warnings
	l.warnings = nil
	if c.Users, err = l.buildUsers(c, servers); err != nil {
		c.Close()
		return nil, err
	}
	c.shared = shared{l.general(), l.usersFiles()}
	perUser := l.warnings // there may be very many
	l.warnings = general
	l.warnOfUnused(c)
	l.warnOfPasswords()
	l.warnings = append(l.warnings, perUser...)
	c.Warnings = slices.Clone(l.warnings[:min(len(l.warnings), MaxErrors)])
	return c, nil
}

// sectionFile returns the only file that has a section, or the main file if none has it.
func (l *loader) sectionFile(section string) *file {
	in := l.files[0]
	found := false
	for _, f := range l.files {
		if !f.has(section) {
			continue
		}
		if found {
			l.problems.add(f, toml.Key{section}, "is also in %s:%d: move all of it to one file", in.path, in.line(toml.Key{section}))
			continue
		}
		in, found = f, true
	}
	return in
}
