package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"mailauthd/internal/authlog"
	"mailauthd/internal/listen"
	"mailauthd/internal/phpscript"
)

// migratePHP prints the configuration that takes the place of a PHP script. It runs nothing.
func migratePHP(c *call) error {
	flags := c.newFlags()
	dir := flags.String("o", "", "write mailauthd.toml and servers.toml into this `directory`, which must not have them; it is made if it is missing")
	ini := flags.String("php-ini", "", "take the time zone from this php.ini `file`")
	if err := c.parse(1); err != nil {
		return err
	}
	script := phpscript.Script{
		Name:     authlog.Escape(c.flags.Arg(0)),
		HasUser:  func(name string) bool { _, err := listen.LookupUser(name); return err == nil },
		HasGroup: func(name string) bool { _, err := listen.LookupGroup(name); return err == nil },
	}
	text, err := c.readText(c.flags.Arg(0), phpscript.MaxScript)
	if err != nil {
		return err
	}
	if err := c.readZone(*ini, &script); err != nil {
		return err
	}
	if script.Name == "-" {
		script.Name = "auth.php"
	}
	result, err := phpscript.Convert(text, script)
	if err != nil {
		return err
	}
	if err := c.writeMigrated(result, *dir); err != nil {
		return err
	}
	for _, f := range result.Findings {
		c.tellMigration(script.Name, f.Line, f.Warning, f.Text)
	}
	if !result.Complete() {
		return errNo
	}
	return nil
}

// tellMigration prints what a migration says about a line.
func (c *call) tellMigration(file string, line int, isWarning bool, text string) {
	warning := ""
	if isWarning {
		warning = "warning: "
	}
	fmt.Fprintf(c.stderr, "%s:%d: %s%s\n", file, line, warning, text)
}

// readZone takes the time zone from a php.ini, if one is named.
func (c *call) readZone(name string, script *phpscript.Script) error {
	if name == "" {
		return nil
	}
	data, err := c.readText(name, phpscript.MaxScript)
	if err != nil {
		return err
	}
	line := 0
	if script.Zone, line = phpscript.ZoneOfINI(data); script.Zone == "" {
		fmt.Fprintf(c.stderr, "%s: warning: date.timezone is not set\n", name)
	}
	script.From = fmt.Sprintf("%s:%d", name, line)
	return nil
}

// readText reads a file, or standard input if its name is "-". It may be one byte longer than max, so that this is seen.
func (c *call) readText(name string, max int64) (string, error) {
	in := c.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, max+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(data), nil
}

// writeMigrated prints the configuration, or writes it into a directory if that has none.
func (c *call) writeMigrated(r *phpscript.Result, dir string) error {
	if dir == "" {
		_, err := io.WriteString(c.stdout, r.Main+r.Servers)
		return err
	}
	files := []struct{ name, text string }{
		{filepath.Join(dir, "mailauthd.toml"), "include = [\"servers.toml\", \"users*.toml\", \"users.d/*.toml\"]\n\n" + r.Main},
		{filepath.Join(dir, "servers.toml"), r.Servers},
	}
	if err := newFiles(dir, files[0].name, files[1].name); err != nil {
		return err
	}
	for _, f := range files {
		if err := writeNew(f.name, f.text, 0o644); err != nil { // it holds no secret, and check looks at it as another user
			return err
		}
		fmt.Fprintf(c.stdout, "wrote %s\n", f.name)
	}
	return nil
}

// newFiles makes a directory if it is missing, and returns an error if it has one of the files.
func newFiles(dir string, names ...string) error {
	for _, name := range names {
		if _, err := os.Lstat(name); err == nil {
			return fmt.Errorf("%s exists already, so nothing was written: name another directory by -o", name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// writeNew writes a file that does not exist yet.
func writeNew(name, text string, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if _, err = f.WriteString(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
