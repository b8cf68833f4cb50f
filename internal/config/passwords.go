package config

import (
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

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
	if len(list) > users.MaxPasswords {
		l.problems.add(f, key, "want at most %d passwords", users.MaxPasswords)
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
			l.problems.add(f, key, `entry %d: want a string such as "{SCHEME}value", or a table such as { hash = "{SCHEME}value", label = "phone" }`, i+1)
		}
		if p.Label != "" && slices.ContainsFunc(passwords, func(q users.Password) bool { return q.Label == p.Label }) {
			l.problems.add(f, key, `entry %d: an earlier entry has the same label: choose another, such as "phone"`, i+1)
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
		case k == "hash":
			l.problems.add(f, append(key, k), `entry %d: want a string, such as "{SCHEME}value"`, n)
		case k == "label":
			l.problems.add(f, append(key, k), `entry %d: want a string, such as "phone"`, n)
		default:
			l.problems.add(f, append(key, k), "%s", unknownKey(append(key, k), false, []string{"hash", "label", "protocols"}))
		}
	}
	if table["hash"] == nil {
		l.problems.add(f, key, `entry %d: hash is missing: want a table such as { hash = "{SCHEME}value", label = "phone" }`, n)
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
		l.problems.add(f, key, `want a string, or an array of strings such as ["a", "b"]`)
	}
	return list
}

// fingerprints reads SHA-1 fingerprints into the form that nginx sends. Colons and case do not matter.
func (l *loader) fingerprints(f *file, key toml.Key, value any) []string {
	list := l.strings(f, key, value)
	for i, s := range list {
		list[i] = strings.ToLower(strings.ReplaceAll(s, ":", ""))
		if len(list[i]) != 40 || strings.Trim(list[i], "0123456789abcdef") != "" {
			l.problems.add(f, key, `entry %d: want the certificate's SHA-1 fingerprint, 40 hex digits: "openssl x509 -noout -fingerprint -sha1" prints it`, i+1)
		}
	}
	return list
}

// sendable checks that a value can be sent to nginx unchanged.
func (l *loader) sendable(f *file, key toml.Key, value string) {
	if err := authhttp.CheckSubstitute(value); err != nil {
		l.problems.add(f, key, "%v", err)
	}
}

// buildMaster reads a server's master login. Its password is in a file of its own.
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
		l.problems.add(f, append(key, "user"), `is missing: want the name of the server's master user, such as "proxy"`)
	}
	l.sendable(f, append(key, "user"), m.User)
	l.sendable(f, append(key, "separator"), m.Separator)
	if s.PasswordFile == "" {
		l.problems.add(f, append(key, "password_file"), `is missing: want the name of a file whose first line is the password, such as "dovecot1.master"`)
		return m
	}
	m.Password = l.oneLine(f, append(key, "password_file"), s.PasswordFile)
	l.sendable(f, append(key, "password_file"), m.Password)
	return m
}

// oneLine reads a secret, which is the first line of a file.
func (l *loader) oneLine(f *file, key toml.Key, path string) string {
	l.referSecret(f, key, path)
	data, err := readBounded(l.relative(path))
	if err != nil {
		l.problems.add(f, key, "%s", cannotRead(l.relative(path), err))
		return ""
	}
	line, _, _ := strings.Cut(string(data), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		l.problems.add(f, key, "the file's first line is empty: write the secret there")
	}
	return line
}
