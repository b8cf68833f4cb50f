package main

import (
	"fmt"

	"mailauthd/internal/password"
)

// hashPassword hashes or tests a password, as doveadm pw does. The password comes from a prompt on the
// terminal or from the first line of standard input, never from an argument.
func hashPassword(c *call) error {
	flags := c.newFlags()
	scheme := flags.String("s", "ARGON2ID", "hash `scheme`; -l lists all")
	user := flags.String("u", "", "`user` name, which DIGEST-MD5 needs")
	rounds := flags.Int("r", 0, "rounds, cost or passes; 0 is the scheme's default")
	list := flags.Bool("l", false, "list the schemes, strong ones first")
	test := flags.String("test", "", "verify the password against this `hash`")
	if err := c.parse(0); err != nil {
		return err
	}
	switch {
	case *list:
		c.listSchemes()
		return nil
	case *test != "":
		return c.testPassword(*test, *user)
	}
	secret, err := c.newPassword()
	if err != nil {
		return err
	}
	hash, err := password.Make(*scheme, *user, secret, *rounds)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.stdout, hash)
	return nil
}

func (c *call) listSchemes() {
	for _, s := range password.Schemes() {
		switch {
		case s.Weak:
			fmt.Fprintln(c.stdout, s.Name, "(weak)")
		default:
			fmt.Fprintln(c.stdout, s.Name)
		}
	}
}

// testPassword verifies a password against a hash of any scheme, also of a weak one.
func (c *call) testPassword(hash, user string) error {
	h, err := password.Policy{AllowWeak: true}.Parse(hash, user)
	if err != nil {
		return err
	}
	secret, err := c.readPassword("Password: ")
	if err != nil {
		return err
	}
	ok, err := h.Verify(secret)
	switch {
	case err != nil:
		return err
	case !ok:
		fmt.Fprintln(c.stdout, "the password does not match")
		return errNo
	}
	fmt.Fprintf(c.stdout, "the password matches (%s)\n", h.Scheme())
	return nil
}
