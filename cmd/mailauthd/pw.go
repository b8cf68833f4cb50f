package main

import (
	"fmt"

	"mailauthd/internal/password"
)

// hashPassword is doveadm pw. Passwords come from the terminal, where a new one is asked
// for twice, or from the first line of standard input; never from an argument.
func hashPassword(c *call) error {
	flags := c.newFlags()
	scheme := flags.String("s", "ARGON2ID", "`scheme`; -l lists them")
	user := flags.String("u", "", "`user` name, for DIGEST-MD5")
	rounds := flags.Int("r", 0, "rounds, cost or passes; 0: the scheme's default")
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

// testPassword verifies a password against any hash that can be loaded, weak or not.
func (c *call) testPassword(hash, user string) error {
	h, err := password.Policy{AllowWeak: true}.Parse(hash, user)
	if err != nil {
		return err
	}
	secret, err := c.readPassword()
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
