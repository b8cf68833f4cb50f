package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// glob is filepath.Glob, except that a directory that cannot be read is an error. filepath.Glob treats such
// a directory as empty, so a reload without free file descriptors would drop all users. The pattern must
// be valid.
func glob(pattern string) (paths []string, err error) {
	dir, base := filepath.Dir(pattern), filepath.Base(pattern)
	dirs := []string{dir}
	if isPattern(dir) {
		if dirs, err = glob(dir); err != nil {
			return nil, err
		}
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return nil, err
		}
		for _, e := range entries {
			if match, _ := filepath.Match(base, e.Name()); match {
				paths = append(paths, filepath.Join(dir, e.Name()))
			}
		}
	}
	return paths, nil
}

func isPattern(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }
