package config

import (
	"crypto/sha256"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// fileUsers is what the users of one file add to a configuration. It never changes, so that the configuration after a
// reload can share it if the file is the same.
type fileUsers struct {
	lists        [][]users.User
	written      map[*users.User]string // the names that are not written in canonical form
	warnings     problems               // at most MaxErrors
	expires      time.Time              // when the next user expires, which makes a warning; zero: never
	used         map[string]bool        // servers
	secret       bool                   // whether there are passwords
	withPassword int
	cannotUse    map[authhttp.Method]int
}

// key returns the table of a user as written, if it is in the file.
func (fu *fileUsers) key(u *users.User) (key toml.Key, ok bool) {
	for _, list := range fu.lists {
		for i := range list {
			if &list[i] == u {
				return fu.keyAt(list, i), true
			}
		}
	}
	return nil, false
}

func (fu *fileUsers) keyAt(list []users.User, i int) toml.Key {
	if written, ok := fu.written[&list[i]]; ok {
		return toml.Key{"users", written}
	}
	return toml.Key{"users", list[i].Name}
}

// shared is what a later configuration can share.
type shared struct {
	general checksum             // of all but users: the users depend on it
	files   map[string]usersFile // by path
}

// unchanged returns a file with its users in the old configuration, if it has the same content. It returns nil if there was
// anything else in the file, or if there would be a new warning.
func (l *loader) unchanged(path string) *file {
	if l.old == nil || l.readsAll || l.isEdited(path) || !isRegular(path) {
		return nil
	}
	old, ok := l.old.shared.files[path]
	if !ok || !old.users.expires.IsZero() && !time.Now().Before(old.users.expires) {
		return nil
	}
	h := sha256.New()
	if err := copyBounded(h, path); err != nil || checksum(h.Sum(nil)) != old.sum {
		return nil
	}
	return &file{path: path, sum: old.sum, isStored: true, users: old.users}
}

// usersFile is a file that has nothing but users.
type usersFile struct {
	sum   checksum
	users *fileUsers
}

// usersFiles returns the files that have nothing but users, by path.
func (l *loader) usersFiles() map[string]usersFile {
	only := make(map[string]usersFile)
	for _, f := range l.files {
		if f.onlyUsers() {
			only[f.path] = usersFile{f.sum, f.users}
		}
	}
	return only
}

// buildUsers builds the users of all files that have changed. Each file is let go when it is done.
func (l *loader) buildUsers(c *Config, servers map[string]*route.Server) (*users.Map, error) {
	var pieces []*piece
	for _, f := range l.files {
		if f.users == nil {
			pieces = append(pieces, f.split()...)
		}
	}
	err := inParallel(len(pieces), func(i int) { pieces[i].build(l, c, servers) })
	if err != nil {
		return nil, err
	}
	var found problems
	var lists [][]users.User
	for _, f := range l.files {
		if f.users == nil {
			wrong, err := f.join(l, c, servers)
			if err != nil {
				return nil, err
			}
			found = append(found, wrong...)
		}
		lists = append(lists, f.users.lists...)
		l.warnings = append(l.warnings, f.users.warnings...)
		maps.Copy(l.used, f.users.used)
		c.WithPassword += f.users.withPassword
		for method, n := range f.users.cannotUse {
			c.CannotUse[method] += n
		}
	}
	m, err := users.New(lists...)
	if errors.Is(err, users.ErrDuplicate) {
		found = l.withDuplicates(found)
	}
	l.problems = append(l.problems, found...)
	return m, nil
}

// piece is a part of the users of a file.
type piece struct {
	file  *file
	text  []byte // nil: the file is decoded already
	built *userBuilder
	err   error // of the decoder
}

// split returns the pieces that are built in parallel.
func (f *file) split() []*piece {
	f.pieces = []*piece{{file: f}}
	if f.tables != nil {
		f.pieces = nil
		for _, text := range f.tables {
			f.pieces = append(f.pieces, &piece{file: f, text: text})
		}
	}
	f.todo = new(atomic.Int64)
	f.todo.Store(int64(len(f.pieces)))
	return f.pieces
}

func (p *piece) build(l *loader, c *Config, servers map[string]*route.Server) {
	p.built = newUserBuilder(l, c, servers)
	p.err = p.built.addAll(p.file, p.text)
	p.text = nil
	if p.err != nil {
		return // the file is decoded as a whole, so that the error is right
	}
	if p.file.todo.Add(-1) == 0 {
		p.file.letGo()
	}
}

// join joins what was built of the pieces of a file, and returns what is wrong with it.
func (f *file) join(l *loader, c *Config, servers map[string]*route.Server) (found problems, err error) {
	if slices.ContainsFunc(f.pieces, func(p *piece) bool { return p.err != nil }) {
		if err := f.decodeWhole(); err != nil { // else the decoder takes the whole for right, but not a piece
			return nil, err
		}
		for _, p := range f.split() {
			p.build(l, c, servers)
		}
		found = slices.DeleteFunc(f.unknown, func(p Problem) bool { return !strings.HasPrefix(p.Key, "users.") }) // the others were found before
	}
	fu := &fileUsers{written: make(map[*users.User]string), used: make(map[string]bool), cannotUse: make(map[authhttp.Method]int)}
	for _, p := range f.pieces {
		b := p.built
		found = append(found, b.problems...)
		fu.lists = append(fu.lists, b.list)
		maps.Copy(fu.written, b.written)
		fu.warnings = append(fu.warnings, b.warnings[:min(len(b.warnings), MaxErrors-len(fu.warnings))]...)
		maps.Copy(fu.used, b.used)
		fu.secret = fu.secret || b.secret
		fu.withPassword += b.withPassword
		for method, n := range b.cannotUse {
			fu.cannotUse[method] += n
		}
		if !b.expires.IsZero() && (fu.expires.IsZero() || b.expires.Before(fu.expires)) {
			fu.expires = b.expires
		}
	}
	f.users, f.pieces = fu, nil
	return found, nil
}

// owner is the user that a name or an alias belongs to.
type owner struct {
	file *file
	key  toml.Key // of the user's table, as written
}

func (o owner) String() string { return o.file.at(o.key) }

// withDuplicates adds duplicates to what is wrong with users. Of a user with the name of another user nothing else is
// reported.
func (l *loader) withDuplicates(found problems) problems {
	owners := make(map[string]owner)
	for _, f := range l.files {
		for _, list := range f.users.lists {
			for i := range list {
				u, key := &list[i], f.users.keyAt(list, i)
				if first, ok := owners[u.Name]; ok {
					found = found.without(f, key)
					found.add(f, key, "is the same user as %s: remove one of them", first)
					continue
				}
				owners[u.Name] = owner{f, key}
				for n, alias := range u.Settings().Aliases {
					if first, ok := owners[alias]; ok {
						found.add(f, append(key, "aliases"), "entry %d: the name already belongs to %s: remove one of them", n+1, first)
					} else if alias != wrongAlias {
						owners[alias] = owner{f, key}
					}
				}
			}
		}
	}
	return found
}

// without returns the problems that are not in a table of a file.
func (ps problems) without(f *file, table toml.Key) problems {
	var rest problems
	for _, p := range ps {
		if p.File != f.path || p.Key != table.String() && !strings.HasPrefix(p.Key, table.String()+".") {
			rest = append(rest, p)
		}
	}
	return rest
}
