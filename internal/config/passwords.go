package config

import (
	"errors"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// MaxPasswords bounds the passwords of one user: a wrong one is tried against all.
const MaxPasswords = 16

// buildPasswords reads one password, or an array of passwords and of tables with
// hash, label and protocols.
func (l *loader) buildPasswords(f *file, key toml.Key, name string, value any) []users.Password {
	list, ok := value.([]any)
	if !ok {
		if value == nil {
			return nil
		}
		list = []any{value}
	}
	if len(list) > MaxPasswords {
		l.problems.add(f, key, "more than %d passwords", MaxPasswords)
		return nil
	}
	var passwords []users.Password
	for i, entry := range list {
		var p users.Password
		switch entry := entry.(type) {
		case string:
			p.Hash = l.hash(f, key, name, entry)
		case map[string]any:
			p = l.appPassword(f, key, name, i+1, entry)
		default:
			l.problems.add(f, key, `entry %d: want a string, or a table such as { hash = "{SCHEME}value", label = "phone" }`, i+1)
		}
		if p.Label != "" && slices.ContainsFunc(passwords, func(q users.Password) bool { return q.Label == p.Label }) {
			l.problems.add(f, key, "entry %d: its label stands there already", i+1)
		}
		passwords = append(passwords, p)
	}
	return passwords
}

func (l *loader) appPassword(f *file, key toml.Key, name string, n int, table map[string]any) (p users.Password) {
	for k, v := range table {
		text, isText := v.(string)
		switch {
		case k == "hash" && isText:
			p.Hash = l.hash(f, key, name, text)
		case k == "label" && isText:
			p.Label = text
		case k == "protocols":
			p.Protocols = l.strings(f, append(key, k), v)
			l.checkProtocols(f, append(key, k), p.Protocols)
		case k == "hash" || k == "label":
			l.problems.add(f, append(key, k), "entry %d: want a string", n)
		default:
			l.problems.add(f, append(key, k), "unknown key (known: hash, label, protocols)")
		}
	}
	if table["hash"] == nil {
		l.problems.add(f, key, "entry %d: hash is missing", n)
	}
	return p
}

// strings reads a string, or an array of strings.
func (l *loader) strings(f *file, key toml.Key, value any) []string {
	if value == nil {
		return nil
	}
	if s, ok := value.(string); ok {
		return []string{s}
	}
	list := []string{}
	array, ok := value.([]any)
	for _, v := range array {
		s, isText := v.(string)
		ok = ok && isText
		list = append(list, s)
	}
	if !ok {
		l.problems.add(f, key, "want a string, or an array of strings")
	}
	return list
}

// fingerprints are SHA-1, as nginx sends them; colons and case are as you like.
func (l *loader) fingerprints(f *file, key toml.Key, value any) []string {
	list := l.strings(f, key, value)
	for i, s := range list {
		list[i] = strings.ToLower(strings.ReplaceAll(s, ":", ""))
		if len(list[i]) != 40 || strings.Trim(list[i], "0123456789abcdef") != "" {
			l.problems.add(f, key, "entry %d: want the SHA-1 fingerprint, 40 digits of hex: openssl x509 -noout -fingerprint -sha1", i+1)
		}
	}
	return list
}

// sendable wants what can be told to nginx as it is.
func (l *loader) sendable(f *file, key toml.Key, value string) {
	if err := authhttp.CheckValue(value); err != nil {
		l.problems.add(f, key, "%v", err)
	}
	if len(value) > authhttp.MaxUser {
		l.problems.add(f, key, "longer than %d bytes", authhttp.MaxUser)
	}
}

// buildMaster reads a server's master login; its password has a file of its own.
func (l *loader) buildMaster(f *file, server toml.Key, s *masterSection) *route.Master {
	if s == nil {
		return nil
	}
	key := append(server, "master")
	m := &route.Master{User: s.User, Separator: "*"}
	if s.Separator != nil {
		m.Separator = *s.Separator
	}
	if m.User == "" && m.Separator != "" {
		l.problems.add(f, append(key, "user"), "is missing")
	}
	l.sendable(f, append(key, "user"), m.User)
	l.sendable(f, append(key, "separator"), m.Separator)
	if s.PasswordFile == "" {
		l.problems.add(f, append(key, "password_file"), "is missing: want a file whose first line is the password")
		return m
	}
	data, err := readBounded(l.relative(s.PasswordFile))
	if err != nil {
		l.problems.add(f, append(key, "password_file"), "cannot be read: %v", errors.Unwrap(err))
		return m
	}
	line, _, _ := strings.Cut(string(data), "\n")
	m.Password = strings.TrimSuffix(line, "\r")
	if m.Password == "" {
		l.problems.add(f, append(key, "password_file"), "its first line is empty")
	}
	l.sendable(f, append(key, "password_file"), m.Password)
	return m
}
