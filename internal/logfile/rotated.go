package logfile

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ours is the time in the names of files that package authlog has rotated.
const ours = "-2006-01-02T15-04-05.000"

// Rotated returns the files of a log, in any order: path itself if it exists, and the rotated ones beside it. The others are
// rotated files that cannot be read, because a program other than gzip has compressed them.
func Rotated(path string) (files, others []string, err error) {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		name := e.Name()
		if info, err := os.Stat(dir + name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		switch uncompressed, suffix := cutCompression(name); {
		case name == base:
			files = append(files, dir+name)
		case !isRotated(base, uncompressed):
		case suffix == "" || suffix == ".gz":
			files = append(files, dir+name)
		default:
			others = append(others, dir+name)
		}
	}
	return files, others, nil
}

// cutCompression cuts the suffix that a program for compression has added.
func cutCompression(name string) (uncompressed, suffix string) {
	for _, suffix := range []string{".gz", ".bz2", ".xz", ".zst"} {
		if name, ok := strings.CutSuffix(name, suffix); ok {
			return name, suffix
		}
	}
	return name, ""
}

// isRotated reports whether a name is that of a rotated file of base.
func isRotated(base, name string) bool {
	ext := filepath.Ext(base)
	if stamp, ok := strings.CutPrefix(strings.TrimSuffix(name, ext), strings.TrimSuffix(base, ext)); ok && strings.HasSuffix(name, ext) {
		if _, err := time.Parse(ours, stamp); err == nil {
			return true
		}
	}
	added, ok := strings.CutPrefix(name, base)
	return ok && len(added) > 1 && (added[0] == '.' || added[0] == '-') && strings.Trim(added[1:], "0123456789-_.") == "" &&
		strings.ContainsAny(added, "0123456789")
}
