package config

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/tomledit"
)

// MaxFileSize is the largest size of one file. 200,000 users with a hash each take about 30 MiB.
const MaxFileSize = 256 << 20

// MaxPipeTime is how long the writer of a pipe may take where the configuration names a pipe for a file.
const MaxPipeTime = 10 * time.Second

// pieceSize is the size in bytes of the pieces in which the users of a file are decoded. The decoder takes many times as
// much memory as it decodes.
const pieceSize = 64 << 10

// checksum identifies a text.
type checksum [sha256.Size]byte

// file is one TOML file.
type file struct {
	path     string
	sum      checksum            // of all
	data     []byte              // nil if it has been let go
	isStored bool                // whether data can be read again, as it cannot from a pipe
	content  content             // without the users if tables is not nil
	sections map[string][]string // the names of the tables in each section of the content, in order
	general  checksum            // of what was decoded to the content
	unknown  problems            // keys that no section knows, in the content
	tables   [][]byte            // the users, which are not decoded yet
	secret   bool                // whether it has the password of a passdb

	pieces []*piece
	todo   *atomic.Int64 // pieces
	users  *fileUsers

	mu    sync.Mutex
	lines tomledit.Lines // computed when first needed
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
	Redis     redisSection              `toml:"redis"`
	Log       logSection                `toml:"log"`
	Shadow    shadowSection             `toml:"shadow"`
	Servers   map[string]*serverSection `toml:"servers"`
	Passdb    map[string]*passdbSection `toml:"passdb"`
	Domains   map[string]*domainSection `toml:"domains"`
	Users     map[string]*userSection   `toml:"users"`
}

// readFile reads and decodes a file. Its error is a [Problem], or says why the
// file cannot be read.
func (l *loader) readFile(path string) (*file, error) {
	data, isStored, err := l.bytes(path)
	if err != nil {
		return nil, err
	}
	f := &file{path: path, sum: sha256.Sum256(data), data: data, isStored: isStored}
	if l.pieceSize > 0 {
		rest, tables, ok := tomledit.Cut(data, "users", l.pieceSize)
		if ok && len(tables) > 0 && f.decode(rest) == nil {
			f.tables = tables
			return f, nil
		}
	}
	return f, f.decodeWhole()
}

// decodeWhole decodes a file with its users. Only an error of the whole file has the right line.
func (f *file) decodeWhole() error {
	f.tables = nil
	if err := f.decode(f.data); err != nil {
		return f.decodeProblem(err)
	}
	return nil
}

// decode decodes the content. It drops the decoder's meta data, which take several times as much memory.
func (f *file) decode(doc []byte) error {
	f.content, f.general = defaults(), sha256.Sum256(doc)
	meta, err := toml.Decode(string(doc), &f.content)
	if err == nil {
		f.sections, f.unknown = sections(meta.Keys()), f.unknownKeys(&meta)
	}
	return err
}

// onlyUsers reports whether the file has nothing but users.
func (f *file) onlyUsers() bool { return len(f.sections) == 0 }

// bytes returns what a file contains, or what an edit will write to it, and whether that is stored in the file.
func (l *loader) bytes(path string) (data []byte, isStored bool, err error) {
	if l.isEdited(path) {
		return l.doc, false, nil
	}
	isStored = isRegular(path)
	data, err = readBounded(path)
	return data, isStored, err
}

func (l *loader) isEdited(path string) bool {
	info, err := os.Stat(path)
	return l.edited != "" && err == nil && sameFile(l.edited, info)
}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func readBounded(path string) ([]byte, error) {
	var text bytes.Buffer
	if info, err := os.Stat(path); err == nil && info.Size() <= MaxFileSize {
		text.Grow(int(info.Size()) + bytes.MinRead) // so that the text is not copied
	}
	if err := copyBounded(&text, path); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

func copyBounded(to io.Writer, path string) error {
	in, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // else opening a pipe waits for a writer
	if err != nil {
		return err
	}
	defer in.Close()
	in.SetReadDeadline(time.Now().Add(MaxPipeTime)) // fails for anything but a pipe
	var size int64
	info, err := in.Stat()
	if err == nil && info.Size() <= MaxFileSize { // a pipe has no size
		size, err = io.Copy(to, io.LimitReader(in, MaxFileSize+1))
	}
	if err == nil && max(info.Size(), size) > MaxFileSize {
		err = fmt.Errorf("larger than %d MiB", MaxFileSize>>20)
	}
	if err == nil && size == 0 && info.Mode()&os.ModeNamedPipe != 0 {
		err = errors.New("a pipe that no process writes to")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// cannotRead says that a file that the configuration names cannot be read, and why. The error is one of readBounded
// or of package os.
func cannotRead(path string, err error) string {
	return fmt.Sprintf("%s cannot be read: %v", path, errors.Unwrap(err))
}

// letGo forgets the users that were decoded, and the text of the file if it can be read again.
func (f *file) letGo() {
	f.content.Users = nil
	if f.isStored {
		f.data, f.tables, f.lines = nil, nil, nil
	}
}

// allLines reads the file again if need be. If it has changed meanwhile, that is where an administrator will look.
func (f *file) allLines() tomledit.Lines {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lines == nil {
		data := f.data
		if data == nil {
			data, _ = readBounded(f.path)
		}
		f.lines = tomledit.NewLines(data)
	}
	return f.lines
}

func (f *file) line(key toml.Key) int { return f.allLines().Line(key) }

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

// unknownKeys returns unknown keys. Of an unknown table it returns only the table itself. The decoder
// would accept a key in the wrong case.
func (f *file) unknownKeys(meta *toml.MetaData) (found problems) {
	reported := make(map[string]bool)
	for _, key := range meta.Keys() {
		if len(key) == 1 && wholeFile.isNamed(key[0]) && meta.Type(key...) != "Hash" {
			found.add(f, key, `want tables with names, such as [%s."NAME"]`, key[0]) // the decoder leaves the map empty instead
			continue
		}
		depth, known := wholeFile.unknown(key)
		if depth < 0 || reported[key[:depth+1].String()] {
			continue
		}
		reported[key[:depth+1].String()] = true
		isTable := meta.Type(key[:depth+1]...) == "Hash"
		if depth == 2 && wholeFile.isNamed(key[0]) && isTable && nearest(key[2], known) == "" { // [domains.example.com]
			found.add(f, key[:3], "unknown key; a name with dots needs quotes: [%s]", toml.Key{key[0], strings.Join(key[1:3], ".")})
			continue
		}
		found.add(f, key[:depth+1], "%s", unknownKey(key[:depth+1], isTable, known))
	}
	return found
}
