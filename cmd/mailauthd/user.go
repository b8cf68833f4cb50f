package main

import (
	"errors"
	"fmt"

	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/password"
	"mailauthd/internal/tomledit"
)

// userCommands returns the commands after "mailauthd user".
func userCommands() []command {
	return []command{
		{name: "add", args: "USER", summary: "add a user, and prompt for the password", run: addUser},
		{name: "passwd", args: "USER", summary: "give a user a new password", run: setPassword},
		{name: "disable", args: "USER", summary: "refuse a user's logins", run: disableUser},
		{name: "enable", args: "USER", summary: "accept a user's logins again", run: enableUser},
		{name: "del", args: "USER", summary: "remove a user", run: deleteUser},
		{name: "list", args: "[MASK]", summary: `list the users, such as "*@example.com"`, run: listUsers},
		{name: "show", args: "USER", summary: "show one user, without secrets", run: showUser},
		{name: "import", args: "FILE", summary: "add the users of a Dovecot passwd-file or an htpasswd", run: importUsers},
	}
}

// userEdit is one change of the users file.
type userEdit struct {
	*call
	source *config.Source
	file   string
	user   string   // name as written in the file, or as it will be written
	table  []string // path of the user's table
}

// editFlags defines the flags of all commands that edit a file.
func (c *call) editFlags() (path, file *string) {
	c.newFlags()
	return c.configFlag(), c.flags.String("file", "", "the `file` to edit (default: users_file in the configuration, or else the included users.toml)")
}

// openUsers loads the configuration and finds the file to edit.
func (c *call) openUsers(path, file string) (*userEdit, error) {
	source, err := config.Open(path)
	if err != nil {
		return nil, withHint(err)
	}
	if file == "" {
		if file, err = source.UsersFile(); err != nil {
			return nil, err
		}
	}
	return &userEdit{call: c, source: source, file: file}, source.CheckFile(file)
}

// openUser is openUsers for a command on an existing user, who must be defined in that file.
func (c *call) openUser(path, file, name string) (*userEdit, error) {
	e, err := c.openUsers(path, file)
	if err != nil {
		return nil, err
	}
	at, ok := e.source.Locate(name)
	if !ok {
		return e, notInMap(name)
	}
	if canonical, _ := e.source.Canonical(name); canonical != at.User {
		return nil, fmt.Errorf("user %q is an alias of %q: use that name", name, at.User)
	}
	if !config.SameFile(at.File, e.file) {
		return nil, fmt.Errorf("user %q is defined in %s:%d, not in %s: use -file %s", name, at.File, at.Line, e.file, at.File)
	}
	e.user, e.table = at.Key, []string{"users", at.Key}
	return e, nil
}

// namedUser is openUser for a command without flags of its own.
func (c *call) namedUser() (*userEdit, error) {
	path, file := c.editFlags()
	if err := c.parse(1); err != nil {
		return nil, err
	}
	return c.openUser(*path, *file, c.flags.Arg(0))
}

// notInMap is an error about a user without an entry.
type notInMap string

func (name notInMap) Error() string {
	return fmt.Sprintf("user %q is not in the map: \"mailauthd user list\" prints all users", string(name))
}

// change edits the file and prints what was done. It fails if the user has been deleted since the
// command began.
func (e *userEdit) change(did string, change func(doc []byte) ([]byte, error)) (*config.Config, error) {
	after, err := e.edit(func(doc []byte) ([]byte, error) {
		if !config.HasUser(doc, e.user) {
			return nil, fmt.Errorf("user %q has been deleted since this command began", e.user)
		}
		return change(doc)
	})
	if err == nil {
		e.printDone(did)
	}
	return after, err
}

func (e *userEdit) printDone(did string) {
	fmt.Fprintf(e.stdout, "%s: %s %s\n", e.file, did, authlog.Escape(e.user))
	e.reloadHint()
	e.forget()
}

// edit writes the file while signals are deferred, because an interrupted edit would leave a temporary
// file behind.
func (e *userEdit) edit(change func(doc []byte) ([]byte, error)) (*config.Config, error) {
	defer holdSignals()()
	return e.source.Edit(e.file, change)
}

func (e *userEdit) reloadHint() {
	fmt.Fprintln(e.stdout, "reload mailauthd to apply this: systemctl reload mailauthd")
}

// set sets keys of the user's table. The pairs are keys and TOML literals.
func (e *userEdit) set(doc []byte, pairs ...string) (_ []byte, err error) {
	for i := 0; i < len(pairs); i += 2 {
		if doc, err = tomledit.Set(doc, e.table, pairs[i], pairs[i+1]); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

func addUser(c *call) error {
	path, file := c.editFlags()
	scheme, rounds := c.schemeFlags()
	if err := c.parse(1); err != nil {
		return err
	}
	e, err := c.openUsers(*path, *file)
	if err != nil {
		return err
	}
	e.user = c.flags.Arg(0)
	if at, ok := e.source.Locate(e.user); ok {
		return fmt.Errorf("user %q is already defined in %s:%d", e.user, at.File, at.Line)
	}
	if err := checkName(e.source, e.user); err != nil {
		return fmt.Errorf("user %q: %w", e.user, err)
	}
	hash, err := e.newHash(*scheme, *rounds)
	if err != nil {
		return err
	}
	_, err = e.edit(func(doc []byte) ([]byte, error) {
		return tomledit.Append(doc, []tomledit.Table{{
			Path: []string{"users", e.user},
			Keys: []tomledit.KeyValue{{Key: "password", Value: tomledit.Quote(hash)}},
		}})
	})
	if err == nil {
		e.printDone("added")
	}
	return err
}

// newHash reads a password and hashes it.
func (e *userEdit) newHash(scheme string, rounds int) (string, error) {
	user, err := e.source.Canonical(e.user)
	if err != nil {
		return "", fmt.Errorf("user %q: %w", e.user, err)
	}
	secret, err := e.newPassword()
	if err == nil && secret == "" {
		err = errors.New("the password is empty: choose another, because no login with an empty password is accepted")
	}
	if err != nil {
		return "", err
	}
	return password.Make(scheme, user, secret, rounds)
}

func deleteUser(c *call) error {
	e, err := c.namedUser()
	if err != nil {
		return err
	}
	_, err = e.change("deleted", func(doc []byte) ([]byte, error) { return tomledit.Delete(doc, e.table) })
	return err
}
