package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/tomledit"
)

func (c *call) schemeFlags() (scheme *string, rounds *int) {
	return c.flags.String("s", "ARGON2ID", "hash `scheme`; \"mailauthd pw -l\" lists all"),
		c.flags.Int("r", 0, "rounds, cost or passes; 0 is the scheme's default")
}

// setPassword replaces the password that has the label, or the first password without a label. The
// user's other passwords stay.
func setPassword(c *call) error {
	path, file := c.editFlags()
	scheme, rounds := c.schemeFlags()
	label := c.flags.String("label", "", "change the app password with this `label`, or add it")
	remove := c.flags.Bool("remove", false, "remove the app password that -label names")
	if err := c.parse(1); err != nil {
		return err
	}
	e, err := c.openUser(*path, *file, c.flags.Arg(0))
	if err != nil {
		return err
	}
	if *remove {
		return e.removePassword(*label)
	}
	hash, err := e.newHash(*scheme, *rounds)
	if err != nil {
		return err
	}
	_, err = e.change("new password for", func(doc []byte) ([]byte, error) {
		value, err := newPasswords(doc, e.user, *label, hash)
		if err != nil {
			return nil, err
		}
		return e.set(doc, "password", value)
	})
	return err
}

// removePassword removes an app password, such as that of a lost phone.
func (e *userEdit) removePassword(label string) error {
	if label == "" {
		return usageError("-remove needs -label with the label of an app password, such as -label phone")
	}
	_, err := e.change("removed a password of", func(doc []byte) ([]byte, error) {
		list, err := passwordsOf(doc, e.user)
		if err != nil {
			return nil, err
		}
		rest := slices.DeleteFunc(list, func(p any) bool { return labelOf(p) == label })
		if len(rest) == len(list) {
			return nil, fmt.Errorf("user %q has no password with this label: \"mailauthd user show\" lists the labels", e.user)
		}
		if len(rest) == 0 {
			return nil, fmt.Errorf("user %q would have no password left: disable or delete the user instead", e.user)
		}
		return e.set(doc, "password", passwordsTOML(rest))
	})
	return err
}

// newPasswords returns the new value of a user's key "password", in TOML.
func newPasswords(doc []byte, user, label, hash string) (string, error) {
	list, err := passwordsOf(doc, user)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(list, func(p any) bool { return labelOf(p) == label })
	switch {
	case len(list) == 0 && label != "":
		return "", fmt.Errorf("user %q has no password in the map, and the one at the mail server would no longer count: set one without -label first", user)
	case i < 0 && label != "":
		list = append(list, map[string]any{"label": label, "hash": hash})
	case i < 0:
		list = slices.Insert(list, 0, any(hash))
	default:
		list[i] = withHash(list[i], hash)
	}
	return passwordsTOML(list), nil
}

// passwordsOf returns a user's passwords as they are written in a document.
func passwordsOf(doc []byte, user string) ([]any, error) {
	var content struct {
		Users map[string]struct {
			Password any `toml:"password"`
		} `toml:"users"`
	}
	if _, err := toml.Decode(string(doc), &content); err != nil {
		return nil, &tomledit.Error{Line: tomledit.ErrorLine(doc, err), What: "not valid TOML: nothing was changed"}
	}
	switch value := content.Users[user].Password.(type) {
	case nil:
		return nil, nil
	case []any:
		return value, nil
	case []map[string]any: // what the decoder makes of an array of tables only
		list := make([]any, len(value))
		for i := range value {
			list[i] = value[i]
		}
		return list, nil
	default:
		return []any{value}, nil
	}
}

func passwordsTOML(list []any) string {
	if text, ok := list[0].(string); ok && len(list) == 1 {
		return tomledit.Quote(text)
	}
	return arrayTOML(list, passwordTOML)
}

func labelOf(p any) string {
	table, _ := p.(map[string]any)
	label, _ := table["label"].(string)
	return label
}

func withHash(p any, hash string) any {
	if table, ok := p.(map[string]any); ok {
		table["hash"] = hash
		return table
	}
	return hash
}

// passwordTOML writes a password of a valid configuration. It is a string, or a table of strings
// and arrays of strings.
func passwordTOML(p any) string {
	table, ok := p.(map[string]any)
	if !ok {
		return valueTOML(p)
	}
	var pairs []string
	for _, key := range []string{"hash", "label", "protocols"} {
		if v, ok := table[key]; ok {
			pairs = append(pairs, key+" = "+valueTOML(v))
		}
	}
	return "{ " + strings.Join(pairs, ", ") + " }"
}

func valueTOML(v any) string {
	if list, ok := v.([]any); ok {
		return arrayTOML(list, valueTOML)
	}
	return tomledit.Quote(fmt.Sprint(v))
}

func arrayTOML[T any](list []T, element func(T) string) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = element(v)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
