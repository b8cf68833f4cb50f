package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const someUsers = "[users.\"%s@domain1.com\"]\npassword = \"{PLAIN}x\"\n"

// site writes a configuration with users in a.toml, and perhaps users and something else in b.toml.
func site(t *testing.T, a, b string) (path string) {
	t.Helper()
	return write(t, "m.toml", "include = [\"?.toml\"]\n"+userBase, "a.toml", a, "b.toml", b)
}

// change replaces a text in a file.
func change(t *testing.T, main, name, old, new string) {
	t.Helper()
	path := filepath.Join(filepath.Dir(main), name)
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestReloadShares tests which users a reload takes over from the old configuration: those of a file with the same
// content, if nothing but users has changed anywhere.
func TestReloadShares(t *testing.T) {
	alice, bob := fmt.Sprintf(someUsers, "alice"), fmt.Sprintf(someUsers, "Bob")
	for name, tt := range map[string]struct {
		file, old, new string
		a, b           bool // whether the users of the files are shared
	}{
		"nothing":          {"a.toml", "", "", true, true},
		"a password":       {"b.toml", "{PLAIN}x", "{PLAIN}y", true, false},
		"a comment":        {"b.toml", "[", "# c\n[", true, false},
		"a general key":    {"m.toml", "[auth]", "[auth]\nresponse_codes = true", false, false},
		"a domain":         {"m.toml", "[servers.t]", "[domains.\"domain2.com\"]\nservers = [\"t\"]\n[servers.t]", false, false},
		"a domain here":    {"b.toml", "[", "[domains.\"domain2.com\"]\nservers = [\"t\"]\n[", false, false},
		"users in between": {"m.toml", "[auth]", fmt.Sprintf(someUsers, "carol") + "[auth]", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			path := site(t, alice, bob)
			old, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			change(t, path, tt.file, tt.old, tt.new)
			c, err := Reload(path, old)
			if err != nil {
				t.Fatal(err)
			}
			for user, want := range map[string]bool{"alice@domain1.com": tt.a, "bob@domain1.com": tt.b} {
				u, before := c.Users.Lookup(user), old.Users.Lookup(user)
				if u == nil || (u == before) != want {
					t.Errorf("%s: %p, before %p; shared is %v", user, u, before, want)
				} else if same := want || name != "a password"; (&u.Passwords[0] == &before.Passwords[0]) != same {
					t.Errorf("the passwords of %s are the old ones is %v", user, !same)
				}
			}
			if d := c.Users.Decoy("nobody@domain1.com"); d == nil || c.Users.Lookup(d.Name) != d {
				t.Error("the decoy is not one of the users")
			}
		})
	}
}

// TestReloadIsLoad tests that a configuration that shares users has the same warnings and counts.
func TestReloadIsLoad(t *testing.T) {
	path := site(t, "[users.\"A@domain1.com\"]\npassword = \"{PLAIN}x\"\nreason = \"none\"\nservers = [\"t\"]\n[users.\"c@domain1.com\"]\nfingerprint = \""+strings.Repeat("ab", 20)+"\"\n", "")
	change(t, path, "m.toml", `mx = ["t"]`, "")
	old, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	change(t, path, "b.toml", "", fmt.Sprintf(someUsers, "b"))
	want, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Reload(path, old)
	if err != nil {
		t.Fatal(err)
	}
	if u := got.Users.Lookup("a@domain1.com"); u != old.Users.Lookup("a@domain1.com") {
		t.Fatal("nothing is shared")
	}
	if len(want.Warnings) == 0 || !slices.Equal(got.Warnings, want.Warnings) {
		t.Errorf("warnings %v, want %v", got.Warnings, want.Warnings)
	}
	if got.WithPassword != want.WithPassword || !maps.Equal(got.CannotUse, want.CannotUse) || got.Users.Len() != want.Users.Len() {
		t.Errorf("%d users, %d with a password, %v; want %d, %d, %v", got.Users.Len(), got.WithPassword, got.CannotUse,
			want.Users.Len(), want.WithPassword, want.CannotUse)
	}
	change(t, path, "b.toml", "b@", "a@")
	_, wrong := Load(path)
	if _, err := Reload(path, old); err == nil || err.Error() != wrong.Error() || !strings.Contains(err.Error(), `b.toml:1: users."a@domain1.com": is the same user as users."A@domain1.com" in `) || !strings.Contains(err.Error(), "a.toml:1: ") {
		t.Errorf("reload: %v\nload: %v", err, wrong)
	}
}

// TestReloadWarnsOfExpired tests that a user who has expired since the file was read is warned about.
func TestReloadWarnsOfExpired(t *testing.T) {
	expires := time.Now().Add(time.Hour)
	path := site(t, fmt.Sprintf(someUsers, "a")+"expires = "+expires.Format(time.RFC3339)+"\n", "")
	l := newLoader(path, nil)
	old, err := l.load()
	if err != nil || len(old.Warnings) > 0 {
		t.Fatal(err, old.Warnings)
	}
	f := l.files[1].path
	l = newLoader(path, old)
	if l.unchanged(f) == nil {
		t.Error("is not shared before")
	}
	old.shared.files[f].users.expires = time.Now()
	if l.unchanged(f) != nil {
		t.Error("is shared afterwards")
	}
}

// TestFilesAreLetGo tests that no text stays in memory, and that the lines of an error are right nevertheless.
func TestFilesAreLetGo(t *testing.T) {
	path := site(t, "# c\n"+fmt.Sprintf(someUsers, "a"), fmt.Sprintf(someUsers, "b"))
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range s.loader.files {
		if f.data != nil || f.tables != nil || f.pieces != nil || f.lines != nil {
			t.Errorf("%s: %d bytes, %d tables", f.path, len(f.data), len(f.tables))
		}
	}
	if at, ok := s.Locate("A@Domain1.com"); !ok || at.Line != 2 || filepath.Base(at.File) != "a.toml" || at.User != "a@domain1.com" {
		t.Errorf("the user is at %+v", at)
	}
}

// FuzzPieces tests that a file that is decoded in pieces gives the same configuration, errors and warnings as one that is
// decoded as a whole.
func FuzzPieces(f *testing.F) {
	const a, b = "[users.\"a@domain1.com\"]\npassword = \"{PLAIN}x\"\n", "[users.'B@domain1.com']\npassword = ['{PLAIN}x', {hash = '{CRAM-MD5}x'}]\n"
	for _, text := range []string{
		a + b, a + a, a + b + "aliases = [\"x@y\", \"a@domain1.com\", \"b@domain1.com\"]\n" + b, a + "reason = 'x'\n" + b, a + "x = 1\n" + b + "y",
		a + b + "servers = 1\n", a + "[users.x.y]\n" + b, a + "[log]\nformat = 1\n" + b, a + "k = '''\n" + b + "'''\n", "[Users.x]\n" + a,
		a + "[[users]]\n" + b, "users = 1\n" + a, a + "[users.\"a@domain2.com\"]\n[users.\"a@domain2.com\"]\n", b + "login = \"\\u0000\"\n" + a + "expires = 2001-01-01\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path := site(t, text, a)
		whole := newLoader(path, nil)
		whole.pieceSize = 0
		want, wantErr := whole.load()
		pieces := newLoader(path, nil)
		pieces.pieceSize = 1
		got, err := pieces.load()
		if isMismatch(err) && isMismatch(wantErr) {
			return
		}
		if fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("%q:\n%v\nwant\n%v", text, err, wantErr)
		}
		if err != nil {
			return
		}
		if got.Users.Len() != want.Users.Len() || !slices.Equal(got.Warnings, want.Warnings) || got.WithPassword != want.WithPassword {
			t.Errorf("%q: %d users, %d with a password, warnings %v; want %d, %d, %v", text, got.Users.Len(), got.WithPassword, got.Warnings,
				want.Users.Len(), want.WithPassword, want.Warnings)
		}
		for _, name := range (&Source{Config: want, loader: whole}).Names() {
			if u, whole := got.Users.Lookup(name), want.Users.Lookup(name); !reflect.DeepEqual(u, whole) {
				t.Errorf("%q: user %+v, want %+v", text, u, whole)
			}
		}
	})
}

// isMismatch reports whether a value has the wrong type. If there are several, the decoder reports any of them.
func isMismatch(err error) bool {
	p, ok := err.(Problem)
	return ok && strings.HasPrefix(p.What, "want ")
}

// TestPanicIsAnError tests that a panic does not end the process, and that its value is not in the error.
func TestPanicIsAnError(t *testing.T) {
	err := inParallel(100, func(int) { panic("hunter2") })
	if err == nil || err.Error() != "panic (string) while loading" {
		t.Errorf("error %v", err)
	}
	if err := inParallel(0, nil); err != nil {
		t.Error(err)
	}
}
