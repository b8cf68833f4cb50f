package account

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// UnitDirs are the directories of systemd units, the most important first (systemd.unit(5)).
func UnitDirs() []string {
	return []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}
}

// maxUnitSize is the largest size of a unit file, in bytes.
const maxUnitSize = 1 << 20

// Unit is what a unit says about files.
type Unit struct {
	Path     string
	User     string
	Group    string
	Groups   []string // SupplementaryGroups
	Made     []string // directories that systemd makes for the user, absolute
	Writable []string // ReadWritePaths
	Strict   bool     // ProtectSystem=strict: everything else is read-only
	OwnTmp   bool     // PrivateTmp: /tmp and /var/tmp are the service's own
}

// ReadUnit reads a unit and its drop-ins. It returns nil if there is none.
func ReadUnit(name string, dirs []string) (*Unit, error) {
	for _, dir := range dirs {
		u := &Unit{Path: filepath.Join(dir, name)}
		err := u.read(u.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		for _, dropIn := range dropIns(name, dirs) {
			if err == nil {
				err = u.read(dropIn)
			}
		}
		return u, err
	}
	return nil, nil
}

// dropIns returns the paths of the drop-ins of a unit in order of their names. One in an earlier directory replaces one
// with the same name.
func dropIns(name string, dirs []string) []string {
	byName := make(map[string]string)
	for _, dir := range slices.Backward(dirs) {
		paths, _ := filepath.Glob(filepath.Join(dir, name+".d", "*.conf")) // no error: the pattern is valid
		for _, path := range paths {
			byName[filepath.Base(path)] = path
		}
	}
	var list []string
	for _, base := range slices.Sorted(maps.Keys(byName)) {
		list = append(list, byName[base])
	}
	return list
}

func (u *Unit) read(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() > maxUnitSize {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	section := ""
	for line := range strings.Lines(strings.ReplaceAll(string(data), "\\\n", " ")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
		}
		if key, value, ok := strings.Cut(line, "="); ok && section == "[Service]" {
			u.set(strings.TrimSpace(key), strings.TrimSpace(value))
		}
	}
	return nil
}

// madeUnder has the directories in which systemd makes those that a key names (systemd.exec(5)).
var madeUnder = map[string]string{
	"RuntimeDirectory": "/run", "StateDirectory": "/var/lib", "CacheDirectory": "/var/cache", "LogsDirectory": "/var/log",
}

// set applies one line. An empty value clears a list.
func (u *Unit) set(key, value string) {
	words := strings.Fields(value)
	under := madeUnder[key]
	switch {
	case key == "User":
		u.User = value
	case key == "ProtectSystem":
		u.Strict = value == "strict"
	case key == "PrivateTmp":
		u.OwnTmp = !slices.Contains([]string{"", "0", "no", "off", "false"}, value)
	case key == "Group":
		u.Group = value
	case key == "SupplementaryGroups" && value != "":
		u.Groups = append(u.Groups, words...)
	case key == "SupplementaryGroups":
		u.Groups = nil
	case key == "ReadWritePaths" && value != "":
		for _, w := range words {
			u.Writable = append(u.Writable, strings.TrimLeft(w, "-+"))
		}
	case key == "ReadWritePaths":
		u.Writable = nil
	case under != "" && value != "":
		for _, w := range words {
			name, _, _ := strings.Cut(w, ":") // the rest is a link
			u.Made = append(u.Made, filepath.Join(under, name))
		}
	case under != "":
		u.Made = slices.DeleteFunc(u.Made, func(dir string) bool { return strings.HasPrefix(dir, under+"/") })
	}
}

// Makes reports whether systemd makes a directory, and gives it to the user, when the service starts.
func (u *Unit) Makes(dir string) bool { return slices.Contains(u.Made, withoutVarRun(dir)) }

// withoutVarRun replaces /var/run, which is a link to /run.
func withoutVarRun(path string) string {
	if rest, ok := strings.CutPrefix(filepath.Clean(path), "/var/run/"); ok {
		return "/run/" + rest
	}
	return filepath.Clean(path)
}

// ReadOnly reports whether the unit makes a path read-only for the service.
func (u *Unit) ReadOnly(path string) bool {
	path = withoutVarRun(path)
	within := func(dir string) bool { return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/") }
	open := slices.Concat(u.Made, u.Writable, []string{"/dev", "/proc", "/sys"})
	if u.OwnTmp {
		open = append(open, "/tmp", "/var/tmp")
	}
	return u.Strict && !slices.ContainsFunc(open, within)
}
