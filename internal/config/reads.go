package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/BurntSushi/toml"
)

// File is a file or a directory that the configuration is read from, and where it is named. What of Where is empty.
type File struct {
	Where Problem
	Path  string
}

// reference is a file that a key names.
type reference struct {
	file *file
	key  toml.Key // nil for the main file
	path string
}

// refer notes that a key names a file. The path is relative to the main file.
func (l *loader) refer(f *file, key toml.Key, path string) {
	l.references = append(l.references, reference{f, slices.Clone(key), l.relative(path)})
}

// referSecret is refer for a file that holds a secret.
func (l *loader) referSecret(f *file, key toml.Key, path string) {
	l.refer(f, key, path)
	if path = l.relative(path); othersCanRead(path) {
		l.warn(f, key, `others can read %s: run "chmod o-r %s"`, path, path)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Files returns what the configuration was read from: its files, the directories that include lists, and the files
// with secrets and certificates. Their paths are absolute.
func (s *Source) Files() []File {
	files := []File{{Problem{File: s.loader.path, Line: 1}, s.loader.path}}
	for _, r := range s.loader.references {
		files = append(files, File{s.where(r.file, r.key), r.path})
	}
	for i := range files {
		if abs, err := filepath.Abs(files[i].Path); err == nil {
			files[i].Path = abs
		}
	}
	return files
}

// Where returns where a key of a section that is in one file is. What is empty.
func (s *Source) Where(section, key string) Problem {
	return s.where(s.loader.sectionFile(section), toml.Key{section, key})
}

func (s *Source) where(f *file, key toml.Key) Problem {
	return Problem{File: f.path, Line: f.line(key), Key: key.String()}
}

// othersCanRead reports whether a file can be read by users who are neither its owner nor in its group.
func othersCanRead(path string) bool {
	path, err := filepath.EvalSymlinks(path)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return false
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o004 == 0 {
		return false
	}
	for path != "/" {
		path = filepath.Dir(path)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
	}
	return true
}

// warnOfPasswords warns about TOML files with passwords that others can read.
func (l *loader) warnOfPasswords() {
	for _, f := range l.files {
		if (f.secret || f.users.secret) && othersCanRead(f.path) {
			what := fmt.Sprintf(`holds passwords, and others can read it: run "chmod o-r %s"`, f.path)
			l.warnings = append(l.warnings, Problem{File: f.path, Line: 1, What: what})
		}
	}
}

// warnOfUnused warns about an empty map, or else about passdbs that no domain names, and servers that nothing names.
func (l *loader) warnOfUnused(c *Config) {
	if c.Domains.Len() == 0 {
		l.warn(l.files[0], toml.Key{"domains"}, `there is none, so every login is refused: add one, such as [domains."example.com"] with servers = ["axigen1"]`)
		return
	}
	for _, f := range l.files {
		for _, name := range f.sections["passdb"] {
			if !l.used[passdbKey(name)] {
				l.warn(f, toml.Key{"passdb", name}, "no domain uses it: set verify = %q in a domain, or remove this section", name)
			}
		}
		for _, name := range f.sections["servers"] {
			if !l.used[name] && len(c.Passdbs) == 0 { // the field host of a passdb may name it
				l.warn(f, toml.Key{"servers", name}, "no domain and no user names this server: add it to servers or mx of a domain, or remove it")
			}
		}
	}
}
