package config

import (
	"os"
	"slices"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/authlog"
	"mailauthd/internal/listen"
	"mailauthd/internal/tomledit"
)

// Outline is what commands need to find the running mailauthd and its log.
type Outline struct {
	Admin []listen.Address // as in [Listen]
	Log   authlog.Config
}

// outline is the part of a file that LoadOutline decodes.
type outline struct {
	Include []string `toml:"include"`
	Listen  struct {
		Admin []string `toml:"admin"`
	} `toml:"listen"`
	Log logSection `toml:"log"`
}

// LoadOutline reads [listen] admin and [log] as [Load] does, and nothing else. So mistakes elsewhere are no errors, such
// as those of a change which the running mailauthd has refused to load.
func LoadOutline(path string) (*Outline, error) {
	l := newLoader(path, nil)
	main, content, err := l.readOutline(path)
	if err != nil {
		return nil, err
	}
	found := *content
	for _, name := range l.outlineFiles(content.Include) {
		if main.has("listen") && main.has("log") {
			break
		}
		f, c, err := l.readOutline(name)
		if err != nil {
			continue // [Load] says what is wrong with it
		}
		if f.has("listen") {
			found.Listen = c.Listen
		}
		if f.has("log") {
			found.Log = c.Log
		}
	}
	l.files = []*file{main}
	o := &Outline{
		Admin: l.adminSockets(main, found.Listen.Admin, make(map[listen.Address]bool)),
		Log:   l.buildLog(main, &found.Log),
	}
	return o, l.problems.err(l.files)
}

// outlineFiles returns the included files, without those that cannot be found.
func (l *loader) outlineFiles(include []string) (names []string) {
	for _, pattern := range include {
		if paths, err := l.included(pattern); err == nil {
			names = append(names, paths...)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool {
		info, err := os.Stat(name)
		return err != nil || !info.Mode().IsRegular()
	})
}

// readOutline reads and decodes a file without its users.
func (l *loader) readOutline(path string) (*file, *outline, error) {
	data, _, err := l.bytes(path)
	if err != nil {
		return nil, nil, err
	}
	f, rest := &file{path: path, data: data}, data
	if cut, _, ok := tomledit.Cut(data, "users", pieceSize); ok {
		rest = cut
	}
	content := &outline{Log: defaults().Log}
	meta, err := toml.Decode(string(rest), content)
	if err != nil {
		return nil, nil, f.decodeProblem(err)
	}
	f.sections = sections(meta.Keys())
	return f, content, nil
}
