package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"

	"mailauthd/internal/account"
	"mailauthd/internal/config"
)

const (
	serviceUser = "mailauthd" // of the unit file and of sysusers.d
	serviceUnit = "mailauthd.service"
)

// look finds out what the service's user cannot do with the files, sockets and logs of a configuration.
type look struct {
	user  *account.User
	unit  *account.Unit // the unit that starts the service as this user; nil if there is none
	found []config.Problem
	notes []string
}

// lookAs looks with the eyes of the service's user, and prints what the user cannot do. The name is empty for the
// default. It returns what else to print, and errNo if the service would fail.
func (c *call) lookAs(name string, source *config.Source) (notes []string, err error) {
	u, err := account.Lookup(cmp.Or(name, serviceUser))
	mayLook := err == nil && (u.IsSelf() || os.Geteuid() == 0)
	switch {
	case err != nil && name != "":
		return nil, usageError(fmt.Sprintf("-user: no such user %q on this machine", name))
	case err != nil:
		return []string{fmt.Sprintf("not checked: what the service may read and write, because this machine has no user %q: name the service's user by -user", serviceUser)}, nil
	case !mayLook && name != "":
		return nil, usageError(fmt.Sprintf("-user: only root can look as user %q", name))
	case !mayLook:
		return []string{fmt.Sprintf("not checked: what user %q may read and write: run this command as root", u.Name)}, nil
	}
	l := look{user: u}
	if err := l.readUnit(account.UnitDirs()); err != nil {
		return nil, err
	}
	files := source.Files() // here, because the user may not know where we are
	if err := u.Do(func() { l.all(source, files) }); err != nil {
		return []string{fmt.Sprintf("not checked: what the service may read and write: %v", err)}, nil
	}
	err = c.printFound(&l)
	return l.notes, err
}

// printFound prints problems as errors to root, who looks before the service starts. They are warnings to the service's
// own user, because the reload of a running service must not fail if only its log cannot be written.
func (c *call) printFound(l *look) error {
	isRoot := os.Geteuid() == 0
	for _, p := range l.found {
		if isRoot {
			fmt.Fprintln(c.stderr, p)
		} else {
			fmt.Fprintln(c.stderr, "warning:", p)
		}
	}
	if len(l.found) > 0 && isRoot {
		return errNo
	}
	if len(l.found) == 0 {
		l.note("user %q can read the configuration, make the sockets and write the log", l.user.Name)
	}
	return nil
}

// readUnit finds the unit of the service, and adds its groups to the user.
func (l *look) readUnit(dirs []string) error {
	unit, err := account.ReadUnit(serviceUnit, dirs)
	if err != nil {
		return err
	}
	if l.user.UID == 0 {
		return nil
	}
	if unit == nil || unit.User != l.user.Name {
		l.note("not checked: groups that a unit's SupplementaryGroups adds, because no %s runs as user %q", serviceUnit, l.user.Name)
		return nil
	}
	l.unit = unit
	groups := unit.Groups
	if unit.Group != "" {
		groups = append(slices.Clone(groups), unit.Group)
	}
	if missing := l.user.Join(groups); len(missing) > 0 {
		l.found = append(l.found, config.Problem{File: unit.Path, Line: 1, What: fmt.Sprintf("this machine has no group %q, so the service does not start", missing[0])})
	}
	return nil
}

func (l *look) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(l.notes, n) {
		l.notes = append(l.notes, n)
	}
}

func (l *look) add(where config.Problem, format string, args ...any) {
	where.What = fmt.Sprintf(format, args...)
	l.found = append(l.found, where)
}
