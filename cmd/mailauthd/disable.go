package main

import (
	"errors"
	"fmt"
	"reflect"

	"mailauthd/internal/authlog"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
	"mailauthd/internal/tomledit"
	"mailauthd/internal/users"
)

// disableUser sets nologin for a user. A user without an entry, whom the mail server checks, gets one.
func disableUser(c *call) error {
	path, file := c.editFlags()
	reason := c.flags.String("reason", "", "`text` for the log")
	if err := c.parse(1); err != nil {
		return err
	}
	pairs := []tomledit.KeyValue{{Key: "nologin", Value: "true"}}
	if *reason != "" {
		pairs = append(pairs, tomledit.KeyValue{Key: "reason", Value: tomledit.Quote(*reason)})
	}
	e, err := c.openUser(*path, *file, c.flags.Arg(0))
	if errors.As(err, new(notInMap)) && e.checkedElsewhere(c.flags.Arg(0)) {
		return e.addDisabled(c.flags.Arg(0), pairs)
	}
	if err != nil {
		return err
	}
	_, err = e.change("disabled", func(doc []byte) (_ []byte, err error) {
		for _, kv := range pairs {
			if doc, err = e.set(doc, kv.Key, kv.Value); err != nil {
				return nil, err
			}
		}
		return doc, nil
	})
	return err
}

// checkedElsewhere reports whether a user without an entry may log in all the same.
func (e *userEdit) checkedElsewhere(name string) bool {
	canonical, _ := e.source.Canonical(name)
	_, domain := mailaddr.Split(canonical)
	d := e.source.Domains.Find(domain)
	return d != nil && d.Verify != route.VerifyUsers && checkName(e.source, name) == nil
}

// addDisabled adds an entry whose keys keep its user from logging in.
func (e *userEdit) addDisabled(name string, keys []tomledit.KeyValue) error {
	e.user = name
	_, err := e.edit(func(doc []byte) ([]byte, error) {
		return tomledit.Append(doc, []tomledit.Table{{Path: []string{"users", name}, Keys: keys}})
	})
	if err == nil {
		fmt.Fprintf(e.stdout, "%s: added an entry for %s, who had none because the mail server checks the password\n", e.file, authlog.Escape(name))
		e.printDone("disabled")
	}
	return err
}

// enableUser removes nologin. It does not set it to false, because that would override a nologin of
// the domain. It leaves an entry that disable has added, because it cannot know whose it is.
func enableUser(c *call) error {
	e, err := c.namedUser()
	if err != nil {
		return err
	}
	after, err := e.change("enabled", func(doc []byte) ([]byte, error) {
		doc, err := tomledit.Unset(doc, e.table, "reason")
		if err != nil {
			return nil, err
		}
		return tomledit.Unset(doc, e.table, "nologin")
	})
	if err != nil {
		return err
	}
	name, _ := after.Canonical(e.user)
	u := after.Users.Lookup(name)
	if s := state(rulesOf(after, u)); s != "enabled" {
		return fmt.Errorf("user %q is still %s, because of expires or of a rule of the domain: see \"mailauthd user show\"", e.user, s)
	}
	if reflect.DeepEqual(u, &users.User{Name: name}) {
		fmt.Fprintf(e.stdout, "the entry of %s is now empty, so the mail server checks the password again: \"mailauthd user del\" removes the entry\n", authlog.Escape(e.user))
	}
	return nil
}
