package config

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/tomledit"
)

// MaxFileSize bounds one file; 200,000 users with a hash each take about 30 MiB.
const MaxFileSize = 256 << 20

// file is one decoded TOML file.
type file struct {
	path    string
	data    []byte
	meta    toml.MetaData
	content content
	lines   tomledit.Lines // made when first needed
}

// content is what a file may hold. Its tags are the names of the keys.
type content struct {
	Include   []string                  `toml:"include"`
	UsersFile string                    `toml:"users_file"`
	Listen    listenSection             `toml:"listen"`
	Auth      authSection               `toml:"auth"`
	Log       logSection                `toml:"log"`
	Servers   map[string]*serverSection `toml:"servers"`
	Domains   map[string]*domainSection `toml:"domains"`
	Users     map[string]*userSection   `toml:"users"`
}

// readFile reads and decodes a file. Its error is a [Problem] or says why the
// file cannot be read.
func (l *loader) readFile(path string) (*file, error) {
	data, err := l.bytes(path)
	if err != nil {
		return nil, err
	}
	f := &file{path: path, data: data, content: defaults()}
	if f.meta, err = toml.Decode(string(data), &f.content); err != nil {
		return f, f.decodeProblem(err)
	}
	return f, nil
}

// bytes are those of a file, or what is to be written there.
func (l *loader) bytes(path string) ([]byte, error) {
	if info, err := os.Stat(path); l.edited != "" && err == nil && sameFile(l.edited, info) {
		return l.doc, nil
	}
	return readBounded(path)
}

func readBounded(path string) ([]byte, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, MaxFileSize+1))
	if err == nil && len(data) > MaxFileSize {
		err = fmt.Errorf("larger than %d MiB", MaxFileSize>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

func (f *file) line(key toml.Key) int {
	if f.lines == nil {
		f.lines = tomledit.NewLines(f.data)
	}
	return f.lines.Line(key)
}

// names are the tables of a section, such as the servers, in the order of the file.
func (f *file) names(section string) []string {
	var names []string
	seen := make(map[string]bool)
	for _, key := range f.meta.Keys() {
		if len(key) > 1 && key[0] == section && !seen[key[1]] {
			seen[key[1]] = true
			names = append(names, key[1])
		}
	}
	return names
}

// unknownKeys reports keys that no section has a place for, the outermost one of
// each. The decoder would let a key in the wrong case pass.
func (f *file) unknownKeys(ps *problems) {
	reported := make(map[string]bool)
	for _, key := range f.meta.Keys() {
		if t := f.meta.Type(key...); len(key) == 1 && isMap(key[0]) && t != "" && t != "Hash" {
			ps.add(f, key, "want a table") // the decoder leaves a map empty instead
			continue
		}
		depth, known := findUnknown(key)
		if depth < 0 || reported[key[:depth+1].String()] {
			continue
		}
		reported[key[:depth+1].String()] = true
		if depth == 2 && isMap(key[0]) && f.meta.Type(key[:3]...) == "Hash" { // [domains.example.com]
			ps.add(f, key[:3], "unknown key; a name with dots needs quotes: [%s]", toml.Key{key[0], strings.Join(key[1:3], ".")})
			continue
		}
		ps.add(f, key[:depth+1], "unknown key (known: %s)", strings.Join(known, ", "))
	}
}

// findUnknown follows a key into [content] by the tags. It returns which of its
// parts stands for nothing, -1 if all do, and what could have stood there.
func findUnknown(key toml.Key) (depth int, known []string) {
	t := reflect.TypeFor[content]()
	for i, part := range key {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch t.Kind() {
		case reflect.Map:
			t = t.Elem()
		case reflect.Struct:
			field, ok := fieldByTag(t, part)
			if !ok {
				return i, tags(t)
			}
			t = field.Type
		default: // what may have several types is checked where it is built
			return -1, nil
		}
	}
	return -1, nil
}

func isMap(section string) bool {
	field, ok := fieldByTag(reflect.TypeFor[content](), section)
	return ok && field.Type.Kind() == reflect.Map
}

func fieldByTag(t reflect.Type, tag string) (reflect.StructField, bool) {
	for _, f := range reflect.VisibleFields(t) {
		if f.Tag.Get("toml") == tag {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func tags(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if !f.Anonymous {
			names = append(names, f.Tag.Get("toml"))
		}
	}
	return names
}
