package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/BurntSushi/toml"
)

// MaxErrors is how many problems are reported at once.
const MaxErrors = 20

// Problem is one thing wrong with the configuration.
type Problem struct {
	File string
	Line int
	Key  string // in TOML syntax; empty for a whole file
	What string
}

func (p Problem) Error() string {
	if p.Key == "" {
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.What)
	}
	return fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Key, p.What)
}

// problems collects what is wrong, so that all of it is reported at once.
type problems []Problem

// add records what is wrong with a key of a file. The text must not contain a value that may be a secret.
func (ps *problems) add(f *file, key toml.Key, what string, args ...any) {
	*ps = append(*ps, Problem{File: f.path, Line: f.line(key), Key: key.String(), What: fmt.Sprintf(what, args...)})
}

// err joins all problems, in the order of the files. It returns nil if there are none.
func (ps problems) err(files []*file) error {
	if len(ps) == 0 {
		return nil
	}
	order := make(map[string]int)
	for i, f := range files {
		order[f.path] = i
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line))
	})
	var errs []error
	for i, p := range ps {
		if i == MaxErrors {
			errs = append(errs, fmt.Errorf("and %d more", len(ps)-i))
			break
		}
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}
