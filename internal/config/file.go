package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/tomledit"
)

// MaxFileSize is the largest size of one file. 200,000 users with a hash each take about 30 MiB.
const MaxFileSize = 256 << 20

// MaxPipeTime is how long the writer of a pipe may take where the configuration names a pipe for a file.
const MaxPipeTime = 10 * time.Second

// file is one decoded TOML file.
type file struct {
	path     string
	data     []byte
	content  content
	sections map[string][]string // the names of the tables in each section of the file, in order
	unknown  problems            // keys that no section knows
	lines    tomledit.Lines      // computed when first needed
	secret   bool                // whether it holds passwords
}

// content is what a file may contain. Its tags are the names of the keys.
type content struct {
	Include   []string                  `toml:"include"`
	UsersFile string                    `toml:"users_file"`
	Listen    listenSection             `toml:"listen"`
	Auth      authSection               `toml:"auth"`
	Resolver  resolverSection           `toml:"resolver"`
	Cache     cacheSection              `toml:"cache"`
	Throttle  throttleSection           `toml:"throttle"`
	Log       logSection                `toml:"log"`
	Shadow    shadowSection             `toml:"shadow"`
	Servers   map[string]*serverSection `toml:"servers"`
	Domains   map[string]*domainSection `toml:"domains"`
	Users     map[string]*userSection   `toml:"users"`
}

// readFile reads and decodes a file. Its error is a [Problem], or says why the
// file cannot be read.
func (l *loader) readFile(path string) (*file, error) {
	data, err := l.bytes(path)
	if err != nil {
		return nil, err
	}
	f := &file{path: path, data: data, content: defaults()}
	meta, err := toml.NewDecoder(bytes.NewReader(data)).Decode(&f.content)
	if err != nil {
		return f, f.decodeProblem(err)
	}
	f.sections = sections(meta.Keys())
	f.checkKeys(&meta)
	return f, nil // meta is dropped: it takes several times as much memory as the content
}

// bytes returns what a file contains, or what an edit will write to it.
func (l *loader) bytes(path string) ([]byte, error) {
	if info, err := os.Stat(path); l.edited != "" && err == nil && sameFile(l.edited, info) {
		return l.doc, nil
	}
	return readBounded(path)
}

func readBounded(path string) ([]byte, error) {
	in, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // else opening a pipe waits for a writer
	if err != nil {
		return nil, err
	}
	defer in.Close()
	in.SetReadDeadline(time.Now().Add(MaxPipeTime)) // fails for anything but a pipe
	var data []byte
	info, err := in.Stat()
	if err == nil && info.Size() <= MaxFileSize { // a pipe has no size
		data, err = io.ReadAll(io.LimitReader(in, MaxFileSize+1))
	}
	if err == nil && max(info.Size(), int64(len(data))) > MaxFileSize {
		err = fmt.Errorf("larger than %d MiB", MaxFileSize>>20)
	}
	if err == nil && len(data) == 0 && info.Mode()&os.ModeNamedPipe != 0 {
		err = errors.New("a pipe that no process writes to")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// cannotRead says that a file that the configuration names cannot be read, and why. The error is one of readBounded
// or of package os.
func cannotRead(path string, err error) string {
	return fmt.Sprintf("%s cannot be read: %v", path, errors.Unwrap(err))
}

func (f *file) line(key toml.Key) int {
	if f.lines == nil {
		f.lines = tomledit.NewLines(f.data)
	}
	return f.lines.Line(key)
}

// at says where a table is defined.
func (f *file) at(key toml.Key) string { return fmt.Sprintf("%s in %s:%d", key, f.path, f.line(key)) }

// has reports whether the file has a section, or a key outside of all sections.
func (f *file) has(section string) bool {
	_, ok := f.sections[section]
	return ok
}

// sections lists the tables of each section, such as the servers, in the order of the file.
func sections(keys []toml.Key) map[string][]string {
	tables := make(map[string][]string)
	seen := make(map[[2]string]bool)
	for _, key := range keys {
		section := tables[key[0]]
		if len(key) > 1 && !seen[[2]string(key[:2])] {
			seen[[2]string(key[:2])] = true
			section = append(section, key[1])
		}
		tables[key[0]] = section
	}
	return tables
}

// checkKeys records unknown keys. Of an unknown table it records only the table itself. The decoder
// would accept a key in the wrong case.
func (f *file) checkKeys(meta *toml.MetaData) {
	reported := make(map[string]bool)
	for _, key := range meta.Keys() {
		if len(key) == 1 && wholeFile.isNamed(key[0]) && meta.Type(key...) != "Hash" {
			f.unknown.add(f, key, `want tables with names, such as [%s."NAME"]`, key[0]) // the decoder leaves the map empty instead
			continue
		}
		depth, known := wholeFile.unknown(key)
		if depth < 0 || reported[key[:depth+1].String()] {
			continue
		}
		reported[key[:depth+1].String()] = true
		isTable := meta.Type(key[:depth+1]...) == "Hash"
		if depth == 2 && wholeFile.isNamed(key[0]) && isTable && nearest(key[2], known) == "" { // [domains.example.com]
			f.unknown.add(f, key[:3], "unknown key; a name with dots needs quotes: [%s]", toml.Key{key[0], strings.Join(key[1:3], ".")})
			continue
		}
		f.unknown.add(f, key[:depth+1], "%s", unknownKey(key[:depth+1], isTable, known))
	}
}
