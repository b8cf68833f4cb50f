package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/password"
	"mailauthd/internal/tomledit"
	"mailauthd/internal/users"
)

// Source is a configuration that also knows where its users are defined, so that they can be edited.
type Source struct {
	*Config
	Hashes password.Policy // which hashes the configuration accepts
	loader *loader
}

// Location is where a user is defined.
type Location struct {
	User string // in canonical form
	File string
	Line int
	Key  string // of the table, as written there
}

// Open loads a configuration as [Load] does, with the same errors.
func Open(path string) (*Source, error) {
	l := newLoader(path, nil)
	c, err := l.load()
	if err != nil {
		return nil, err
	}
	return &Source{Config: c, Hashes: l.hashes, loader: l}, nil
}

// UsersFile returns the file that new users are added to: users_file, or else the included file
// that is named users.toml.
func (s *Source) UsersFile() (string, error) {
	if main := s.loader.files[0]; main.content.UsersFile != "" {
		return s.loader.relative(main.content.UsersFile), nil
	}
	for _, f := range s.loader.files {
		if filepath.Base(f.path) == "users.toml" {
			return f.path, nil
		}
	}
	return "", fmt.Errorf("no users file: name one with -file FILE, or make an empty users.toml and add it to include in %s", s.loader.path)
}

// Locate finds a user by name or alias, spelt as a client might send it.
func (s *Source) Locate(name string) (Location, bool) {
	canonical, err := s.Canonical(name)
	u := s.Users.Lookup(canonical)
	if err != nil || u == nil {
		return Location{}, false
	}
	for _, f := range s.loader.files {
		if key, ok := f.users.key(u); ok {
			return Location{u.Name, f.path, f.line(key), key[1]}, true
		}
	}
	return Location{}, false
}

// Names returns the names of all users in canonical form, sorted.
func (s *Source) Names() []string {
	names := make([]string, 0, s.Users.Len())
	for _, f := range s.loader.files {
		for _, list := range f.users.lists {
			for i := range list {
				names = append(names, list[i].Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// CheckFile returns an error unless the file exists and is part of the configuration.
func (s *Source) CheckFile(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: does not exist: create it empty, such as by \"install -o root -g mailauthd -m 0640 /dev/null %s\"", path, path)
	}
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(s.loader.files, func(f *file) bool { return sameFile(f.path, info) }) {
		return fmt.Errorf("%s: is not part of the configuration: add it to include in %s", path, s.loader.path)
	}
	return nil
}

// Edit replaces one of the files by what change makes of it, and returns the configuration that
// results. If that does not load, the file stays as it is. Only one edit of the configuration runs
// at a time, but other edits may have ended since Open. So change gets the file's current text,
// and the other files are read again. See [users.WriteAtomic].
func (s *Source) Edit(path string, change func(doc []byte) ([]byte, error)) (after *Config, err error) {
	err = users.WriteAtomic(s.loader.path, path, func(old []byte) (doc []byte, err error) {
		doc, after, err = s.edited(path, old, change)
		return doc, err
	})
	return after, err
}

// Try is [Source.Edit] without writing.
func (s *Source) Try(path string, change func(doc []byte) ([]byte, error)) error {
	old, err := readBounded(path)
	if err == nil {
		_, _, err = s.edited(path, old, change)
	}
	return err
}

func (s *Source) edited(path string, old []byte, change func(doc []byte) ([]byte, error)) (doc []byte, after *Config, err error) {
	if doc, err = change(old); err != nil {
		return nil, nil, atLine(path, err)
	}
	l := newLoader(s.loader.path, s.Config)
	l.edited, l.doc = path, doc
	if after, err = l.load(); err != nil {
		return nil, nil, fmt.Errorf("nothing was changed, because the configuration would no longer load:\n%w", err)
	}
	return doc, after, (&Source{Config: after, loader: l}).CheckFile(path)
}

// SameFile reports whether two paths name the same file.
func SameFile(a, b string) bool {
	info, err := os.Stat(b)
	return err == nil && sameFile(a, info)
}

func sameFile(path string, info os.FileInfo) bool {
	other, err := os.Stat(path)
	return err == nil && os.SameFile(info, other)
}

// atLine gives an error of an edit the form of all other errors of the configuration.
func atLine(path string, err error) error {
	var e *tomledit.Error
	if errors.As(err, &e) {
		return Problem{File: path, Line: e.Line, Key: e.Key, What: e.What}
	}
	return fmt.Errorf("%s: %w", path, err)
}

// HasUser reports whether a document still has a user's table.
func HasUser(doc []byte, key string) bool {
	_, ok := tomledit.NewLines(doc)[toml.Key{"users", key}.String()]
	return ok
}
