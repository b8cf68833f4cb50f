package main

import (
	"fmt"
	"io"
	"path/filepath"

	"mailauthd/internal/authlog"
	"mailauthd/internal/dovecotconf"
)

// migrateDovecot returns the command that prints the sections for Dovecot's databases of a kind. It connects to none.
func migrateDovecot(kind string) func(*call) error {
	return func(c *call) error {
		flags := c.newFlags()
		dir := flags.String("o", "", "write the secrets into this `directory`, each into a file that does not exist yet; it is made if it is missing")
		if err := c.parse(1); err != nil {
			return err
		}
		file := c.flags.Arg(0)
		text, err := c.readText(file, dovecotconf.MaxFile)
		if err != nil {
			return err
		}
		result, err := dovecotconf.Convert(kind, file, text)
		if err != nil {
			return err
		}
		return c.printDovecot(result, authlog.Escape(file), *dir)
	}
}

// printDovecot prints the sections, and what they lack.
func (c *call) printDovecot(r *dovecotconf.Result, file, dir string) error {
	if err := c.writeSecrets(r.Secrets, file, dir); err != nil {
		return err
	}
	if _, err := io.WriteString(c.stdout, r.Sections); err != nil {
		return err
	}
	for _, f := range r.Findings {
		c.tellMigration(file, f.Line, f.Warning, f.Text)
	}
	if !r.Complete() {
		return errNo
	}
	return nil
}

// writeSecrets writes the files that the sections name. Without a directory it only says what belongs into them.
func (c *call) writeSecrets(secrets []dovecotconf.Secret, file, dir string) error {
	if dir == "" {
		for _, s := range secrets {
			c.tellMigration(file, s.Line, true, fmt.Sprintf("write %s into %s, or name a directory for it by -o", s.What, s.File))
		}
		return nil
	}
	if len(secrets) == 0 {
		return nil
	}
	names := make([]string, len(secrets))
	for i, s := range secrets {
		names[i] = filepath.Join(dir, s.File)
	}
	if err := newFiles(dir, names...); err != nil {
		return err
	}
	for i, s := range secrets {
		if err := writeNew(names[i], s.Value+"\n", 0o600); err != nil {
			return err
		}
		fmt.Fprintf(c.stderr, "wrote %s: make mailauthd's user its owner\n", names[i])
	}
	return nil
}
