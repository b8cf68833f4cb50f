package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/tomledit"
	"mailauthd/internal/users"
)

// importUsers adds the users of another program's list. It reports each line, and each part of a
// line, that it does not import, and writes the rest.
func importUsers(c *call) error {
	path, file := c.editFlags()
	domain := c.flags.String("domain", "", "`domain` to add to user names that have none")
	try := c.flags.Bool("n", false, "change nothing, only print what would be imported")
	if err := c.parse(1); err != nil {
		return err
	}
	e, err := c.openUsers(*path, *file)
	if err != nil {
		return err
	}
	im := importer{userEdit: e, from: c.flags.Arg(0), domain: *domain, names: make(map[string]int)}
	if err := im.read(); err != nil {
		return err
	}
	if len(im.tables) > 0 {
		add := func(doc []byte) ([]byte, error) { return tomledit.Append(doc, im.tables) }
		if *try {
			err = e.source.Try(e.file, add)
		} else {
			_, err = e.edit(add)
		}
		if err != nil {
			return err
		}
	}
	return im.summary(*try)
}

// importer turns the lines of a list into tables of the users file.
type importer struct {
	*userEdit
	from    string
	domain  string
	tables  []tomledit.Table
	names   map[string]int // lines, by names in canonical form
	refused int            // lines
}

func (im *importer) read() error {
	in := im.stdin
	if im.from != "-" {
		f, err := os.Open(im.from)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	entries, problems, err := users.ReadPasswdFile(io.Reader(in), users.PasswdLimits{})
	if err != nil {
		return fmt.Errorf("%s: %w", im.from, err)
	}
	for len(entries)+len(problems) > 0 { // both are ordered by line
		if len(problems) > 0 && (len(entries) == 0 || problems[0].Line < entries[0].Line) {
			im.refuse(problems[0].Line, "not imported: "+problems[0].What)
			problems = problems[1:]
			continue
		}
		im.add(&entries[0])
		entries = entries[1:]
	}
	return nil
}

func (im *importer) refuse(line int, what string) {
	im.refused++
	im.report(line, what)
}

func (im *importer) report(line int, what string) {
	fmt.Fprintf(im.stderr, "%s:%d: %s\n", im.from, line, authlog.Escape(what))
}

// add makes a table of an entry, unless the table would not load.
func (im *importer) add(e *users.Entry) {
	if im.domain != "" && !strings.Contains(e.Name, "@") {
		e.Name += "@" + im.domain
	}
	name, err := im.check(e)
	if err != nil {
		im.refuse(e.Line, fmt.Sprintf("not imported: user %q: %v", e.Name, err))
		return
	}
	im.names[name] = e.Line
	im.tables = append(im.tables, tomledit.Table{Path: []string{"users", e.Name}, Keys: im.keys(e)})
	if len(e.Dropped) > 0 {
		im.report(e.Line, fmt.Sprintf("user %q: left out %s", e.Name, strings.Join(e.Dropped, ", ")))
	}
}

// check returns the canonical name of an entry's user. It finds what would keep the whole map from
// loading, so that the error can name the line.
func (im *importer) check(e *users.Entry) (string, error) {
	if err := checkName(im.source, e.Name); err != nil {
		return "", err
	}
	name, _ := im.source.Canonical(e.Name)
	if at, ok := im.source.Locate(name); ok {
		return "", fmt.Errorf("is already defined in %s:%d", at.File, at.Line)
	}
	if line := im.names[name]; line > 0 {
		return "", fmt.Errorf("is the same user as in line %d", line)
	}
	for key, value := range map[string]string{"destuser": e.Login, "pass": e.UpstreamPassword} {
		if err := authhttp.CheckValue(value); err != nil || len(value) > authhttp.MaxUser {
			return "", fmt.Errorf("%s cannot be sent to nginx: want at most %d bytes without spaces around them", key, authhttp.MaxUser)
		}
	}
	_, err := im.source.Hashes.Parse(e.Password, name)
	return name, err
}

// checkName checks that a user of this name can be added. It runs before the password prompt.
func checkName(source *config.Source, written string) error {
	name, err := source.Canonical(written)
	if err != nil {
		return err
	}
	local, domain := mailaddr.Split(name)
	if local == "" || domain == "" {
		return errors.New("has no domain: write USER@DOMAIN, or set default_domain in [auth], or use -domain DOMAIN with \"user import\"")
	}
	if source.Domains.Find(domain) == nil {
		return errors.New("its domain is not listed in [domains]: add the domain first")
	}
	return authhttp.CheckUser(name)
}

// keys returns the keys of an entry's table. What the map has no key for goes to e.Dropped.
func (im *importer) keys(e *users.Entry) []tomledit.KeyValue {
	keys := []tomledit.KeyValue{{Key: "password", Value: tomledit.Quote(e.Password)}}
	set := func(key, value string) {
		if value != "" {
			keys = append(keys, tomledit.KeyValue{Key: key, Value: tomledit.Quote(value)})
		}
	}
	if e.Host != "" {
		if server := serverAt(im.source, e.Host); server != "" {
			keys = append(keys, tomledit.KeyValue{Key: "servers", Value: arrayTOML([]string{server}, tomledit.Quote)})
		} else {
			e.Dropped = append(e.Dropped, "host (want exactly one server in [servers] with this host)")
		}
	}
	set("login", e.Login)
	set("upstream_password", e.UpstreamPassword)
	if e.AllowNets != nil {
		keys = append(keys, tomledit.KeyValue{Key: "allow_nets", Value: arrayTOML(e.AllowNets, tomledit.Quote)})
	}
	if e.Reason != "" && !e.NoLogin {
		e.Dropped = append(e.Dropped, "reason (has no effect without nologin)")
	}
	if e.NoLogin {
		keys = append(keys, tomledit.KeyValue{Key: "nologin", Value: "true"})
		set("reason", e.Reason)
	}
	return keys
}

// serverAt returns the name of the only server at a host, or "" if there are none or several.
func serverAt(source *config.Source, host string) (name string) {
	for _, s := range source.Servers {
		if s.Host == host {
			if name != "" {
				return ""
			}
			name = s.Name
		}
	}
	return name
}

func (im *importer) summary(try bool) error {
	did := "imported"
	if try {
		did = "would import"
	}
	fmt.Fprintf(im.stdout, "%s: %s %d users, refused %d lines\n", im.file, did, len(im.tables), im.refused)
	if len(im.tables) > 0 && !try {
		im.reloadHint()
	}
	if im.refused > 0 {
		return errNo
	}
	return nil
}
