package dovecotconf

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mailauthd/internal/authlog"
)

// Limits of a file.
const (
	MaxFile    = 1 << 20 // the largest size of a configuration in bytes
	maxPassdbs = 64      // the largest number of databases in it
)

// The kinds of databases, as "passdb sql" names them.
const (
	SQL  = "sql"
	LDAP = "ldap"
)

// Finding is something that the sections do not say, or say differently.
type Finding struct {
	Line    int
	Warning bool // else the sections lack something
	Text    string
}

// Secret is what belongs into a file that only mailauthd can read.
type Secret struct {
	File  string // relative to the configuration of mailauthd
	Value string
	Line  int
	What  string // describes the value, and does not contain it
}

// Result is what takes the place of the databases of a file.
type Result struct {
	Sections string // TOML
	Secrets  []Secret
	Findings []Finding // by line
}

// Complete reports whether the sections have all that the file says about logins.
func (r *Result) Complete() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return !f.Warning })
}

// findings collects what is told. The same is told once.
type findings struct{ list []Finding }

func (f *findings) add(found Finding) {
	if !slices.Contains(f.list, found) {
		f.list = append(f.list, found)
	}
}

// tell adds a finding about what the sections lack.
func (f *findings) tell(line int, format string, args ...any) {
	f.add(Finding{line, false, fmt.Sprintf(format, args...)})
}

// warn adds a finding about what is different, and need not be changed.
func (f *findings) warn(line int, format string, args ...any) {
	f.add(Finding{line, true, fmt.Sprintf(format, args...)})
}

// converter makes the sections of one file.
type converter struct {
	*findings
	kind, file string
	is24       bool // whether it is a configuration of Dovecot 2.4
	out        strings.Builder
	secrets    []Secret
}

// Convert makes the sections of the databases of a kind in the text of a configuration. An error is about a file that has
// none; it begins with the name of the file.
func Convert(kind, file, text string) (*Result, error) {
	c := &converter{findings: new(findings), kind: kind, file: authlog.Escape(file)}
	switch {
	case len(text) > MaxFile:
		return nil, fmt.Errorf("%s: larger than %d bytes: want a configuration of Dovecot", c.file, MaxFile)
	case strings.ContainsRune(text, 0):
		return nil, c.notDovecot()
	}
	root := parse(text, c.findings)
	var err error
	if c.is24 = root.all("passdb") != nil; c.is24 {
		err = c.blocks(root)
	} else {
		err = c.extFile(root)
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(c.list, func(a, b Finding) int { return a.Line - b.Line })
	return &Result{c.out.String(), c.secrets, c.list}, nil
}

func (c *converter) notDovecot() error {
	return fmt.Errorf(`%s: no %s database of Dovecot: want dovecot-%s.conf.ext, or a file of Dovecot 2.4 with "passdb %s {"`,
		c.file, strings.ToUpper(c.kind), c.kind, c.kind)
}

// section begins a section.
func (c *converter) section(name string, line int) {
	fmt.Fprintf(&c.out, "[passdb.%s] # %s", name, c.file)
	if line > 0 {
		fmt.Fprintf(&c.out, ":%d", line)
	}
	c.out.WriteByte('\n')
}

// put writes a key, with the line that it is from.
func (c *converter) put(key, value string, line int) {
	fmt.Fprintf(&c.out, "%s = %s", key, value)
	if line > 0 {
		fmt.Fprintf(&c.out, " # %s:%d", c.file, line)
	}
	c.out.WriteByte('\n')
}

// write writes the section of one database.
func (c *converter) write(name string, line int, v *values, hosts []server) error {
	if c.out.Len() > 0 {
		c.out.WriteByte('\n')
	}
	if c.kind == LDAP {
		c.ldap(name, line, v)
	} else if err := c.sql(name, line, v, hosts); err != nil {
		return err
	}
	v.rest()
	return nil
}

var sectionName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// nameOf returns the name of a section. The words that verify has already are not taken.
func (c *converter) nameOf(name string) string {
	if !sectionName.MatchString(name) || name == "users" || name == "upstream" {
		return c.kind
	}
	return name
}

// fileName returns the file's name without its endings.
func (c *converter) fileName() string {
	name, _, _ := strings.Cut(filepath.Base(c.file), ".")
	if name == "-" {
		return c.kind
	}
	return c.nameOf(name)
}
