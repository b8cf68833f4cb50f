package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/tomledit"
)

func (c *call) schemeFlags() (scheme *string, rounds *int) {
	return c.flags.String("s", "ARGON2ID", "`scheme`; \"mailauthd pw -l\" lists them"),
		c.flags.Int("r", 0, "rounds, cost or passes; 0: the scheme's default")
}

// setPassword replaces one password: that with the label, or the first one without.
// The user's other passwords stay.
func setPassword(c *call) error {
	path, file := c.editFlags()
	scheme, rounds := c.schemeFlags()
	label := c.flags.String("label", "", "the app password with this `label`, which is added if there is none")
	if err := c.parse(1); err != nil {
		return err
	}
	e, err := c.openUser(*path, *file, c.flags.Arg(0))
	if err != nil {
		return err
	}
	hash, err := e.newHash(*scheme, *rounds)
	if err != nil {
		return err
	}
	err = e.source.Edit(e.file, func(doc []byte) ([]byte, error) {
		value, err := newPasswords(doc, e.user, *label, hash)
		if err != nil {
			return nil, err
		}
		return e.set(doc, "password", value)
	})
	return e.done(err, "new password for")
}

// newPasswords is the value of a user's key "password" after a change.
func newPasswords(doc []byte, user, label, hash string) (string, error) {
	var content struct {
		Users map[string]struct {
			Password any `toml:"password"`
		} `toml:"users"`
	}
	if _, err := toml.Decode(string(doc), &content); err != nil {
		return "", &tomledit.Error{Line: tomledit.ErrorLine(doc, err), What: "not valid TOML: nothing was changed"}
	}
	list, ok := content.Users[user].Password.([]any)
	if old := content.Users[user].Password; !ok && old != nil {
		list = []any{old}
	}
	i := slices.IndexFunc(list, func(p any) bool { return labelOf(p) == label })
	switch {
	case i < 0 && label != "":
		list = append(list, map[string]any{"label": label, "hash": hash})
	case i < 0:
		list = slices.Insert(list, 0, any(hash))
	default:
		list[i] = withHash(list[i], hash)
	}
	if text, ok := list[0].(string); ok && len(list) == 1 {
		return tomledit.Quote(text), nil
	}
	return arrayTOML(list, passwordTOML), nil
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

// passwordTOML writes a password of a configuration that has been loaded: a string, or a
// table of strings and arrays of strings.
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
