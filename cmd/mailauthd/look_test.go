package main

import (
	"bytes"
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"mailauthd/internal/account"
	"mailauthd/internal/config"
)

const lookTOML = `include = ["users.toml"]
[listen]
fastcgi = ["unix:DIR/run/f.sock"]
group = "54321"
[log]
file = "DIR/log/auth.log"
[auth]
secret = { header = "X-Auth-Key", file = "auth.key" }
[servers.s]
host = "127.0.0.1"
[domains."a.example"]
servers = ["s"]
[shadow]
url = "http://127.0.0.1:8009/mail/auth.php"
log = "DIR/shadow/shadow.log"
`

// lookSite makes a configuration that nobody may use, with directories for sockets and logs. It returns the path of the
// configuration.
func lookSite(t *testing.T) (path string, nobody *account.User) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("run as root: only root can look as another user")
	}
	nobody, err := account.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	path = filepath.Join(dir, "m.toml")
	err = errors.Join(
		os.Chmod(filepath.Dir(dir), 0o755),
		os.Mkdir(dir+"/run", 0o755), os.Mkdir(dir+"/log", 0o755), os.Mkdir(dir+"/shadow", 0o755),
		os.WriteFile(path, []byte(strings.ReplaceAll(lookTOML, "DIR", dir)), 0o640),
		os.WriteFile(dir+"/users.toml", []byte("[users.\"a@a.example\"]\npassword = \"{PLAIN}x\"\n"), 0o640),
		os.WriteFile(dir+"/auth.key", []byte("0123456789abcdef"), 0o640),
		os.WriteFile(dir+"/log/auth.log", nil, 0o640),
	)
	for _, name := range []string{"", "/m.toml", "/users.toml", "/auth.key"} {
		err = errors.Join(err, os.Chown(dir+name, 0, nobody.GID))
	}
	for _, name := range []string{"/run", "/log", "/log/auth.log", "/shadow"} {
		err = errors.Join(err, os.Chown(dir+name, nobody.UID, nobody.GID))
	}
	if err = errors.Join(err, os.Chmod(dir, 0o750)); err != nil {
		t.Fatal(err)
	}
	return path, nobody
}

// seen looks as a user and returns the problems and the notes.
func seen(t *testing.T, path string, u *account.User, unit *account.Unit) (found, notes string) {
	t.Helper()
	source, err := config.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l := look{user: u, unit: unit}
	files := source.Files()
	if err := u.Do(func() { l.all(source, files) }); err != nil {
		t.Skip(err) // a container may not allow it
	}
	var lines []string
	for _, p := range l.found {
		lines = append(lines, p.Error())
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), filepath.Dir(path), "D"), strings.Join(l.notes, "\n")
}

func TestLook(t *testing.T) {
	g, err := user.LookupGroupId("0")
	if err != nil {
		t.Skip(err)
	}
	for _, tt := range []struct {
		name  string
		spoil func(dir string) error
		want  string // none if empty
	}{
		{"nothing", func(dir string) error { return nil }, ""},
		{"main file", func(dir string) error { return os.Chmod(dir+"/m.toml", 0o600) },
			`D/m.toml:1: user "nobody" cannot read D/m.toml: its mode is 0600, and it belongs to root:GROUP: run "chgrp GROUP D/m.toml && chmod g+r D/m.toml"`},
		{"included file", func(dir string) error { return os.Chown(dir+"/users.toml", 0, 0) },
			`D/m.toml:1: include: user "nobody" cannot read D/users.toml: its mode is 0640, and it belongs to root:` + g.Name + `: run "chgrp GROUP D/users.toml && chmod g+r D/users.toml"`},
		{"secret", func(dir string) error { return os.Chmod(dir+"/auth.key", 0o600) },
			`D/m.toml:8: auth.secret.file: user "nobody" cannot read D/auth.key: `},
		{"directory on the way", func(dir string) error { return os.Chmod(dir, 0o700) },
			`D/m.toml:8: auth.secret.file: user "nobody" cannot read D/auth.key, because it cannot enter D: its mode is 0700, and it belongs to root:GROUP: run "chgrp GROUP D && chmod g+x D"`},
		{"no directory of the socket", func(dir string) error { return os.Remove(dir + "/run") },
			`D/m.toml:3: listen.fastcgi: D/run does not exist: run "install -d -o nobody -g GROUP -m 0755 D/run", or let RuntimeDirectory in the unit make it`},
		{"directory of the socket", func(dir string) error { return os.Chown(dir+"/run", 0, 0) },
			`D/m.toml:3: listen.fastcgi: user "nobody" cannot make a socket in D/run: its mode is 0755, and it belongs to root:` + g.Name + `: want a directory that belongs to this user, such as /run/mailauthd`},
		{"no directory of the log", func(dir string) error { return os.RemoveAll(dir + "/log") },
			`D/m.toml:6: log.file: D/log does not exist: run "install -d -o nobody -g GROUP -m 0750 D/log", or let LogsDirectory in the unit make it`},
		{"directory that the log can make", func(dir string) error {
			return errors.Join(os.RemoveAll(dir+"/log"), os.Chmod(dir, 0o770))
		}, ""},
		{"directory of the log", func(dir string) error { return os.Chown(dir+"/log", 0, 0) },
			`D/m.toml:6: log.file: user "nobody" cannot make or rotate auth.log in D/log: `},
		{"directory of the shadow log", func(dir string) error { return os.Chown(dir+"/shadow", 0, 0) },
			`D/m.toml:15: shadow.log: user "nobody" cannot make or rotate shadow.log in D/shadow: `},
		{"log", func(dir string) error { return os.Chown(dir+"/log/auth.log", 0, 0) },
			`D/m.toml:6: log.file: user "nobody" cannot write D/log/auth.log: its mode is 0640, and it belongs to root:` + g.Name + `: run "chown nobody D/log/auth.log"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, nobody := lookSite(t)
			if err := tt.spoil(filepath.Dir(path)); err != nil {
				t.Fatal(err)
			}
			found, _ := seen(t, path, nobody, nil)
			want := strings.ReplaceAll(tt.want, "GROUP", account.GroupName(nobody.GID))
			if (want == "") != (found == "") || !strings.Contains(found, want) {
				t.Errorf("found %s\nwant  %s", found, want)
			}
		})
	}
}

// A problem with the directory of several sockets is told once, and a socket of the network has no directory.
func TestLookAtSockets(t *testing.T) {
	path, nobody := lookSite(t)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	sockets := `admin = ["unix:` + dir + `/none/a.sock"]; fastcgi = ["127.0.0.1:9000", "unix:` + dir + `/none/f.sock", "unix:` + dir + `/none/g.sock"]`
	changed := strings.Replace(string(text), `fastcgi = ["unix:`+dir+`/run/f.sock"]`, strings.Replace(sockets, "; ", "\n", 1), 1)
	if err := os.WriteFile(path, []byte(changed), 0o640); err != nil {
		t.Fatal(err)
	}
	found, _ := seen(t, path, nobody, nil)
	lines := strings.Split(found, "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "D/m.toml:3: listen.admin: D/none does not exist") || !strings.HasPrefix(lines[1], "D/m.toml:4: listen.fastcgi: D/none does not exist") {
		t.Errorf("found %s", found)
	}
}

// The unit makes directories and adds groups, and may make all else read-only.
func TestLookWithUnit(t *testing.T) {
	path, nobody := lookSite(t)
	dir := filepath.Dir(path)
	if err := os.Remove(dir + "/run"); err != nil {
		t.Fatal(err)
	}
	unit := &account.Unit{Path: "UNIT", Strict: true, Made: []string{dir + "/run"}}
	found, notes := seen(t, path, nobody, unit)
	for _, want := range []string{
		`D/m.toml:4: listen.group: user "nobody" is not in group "54321", so the service cannot give it the socket: run "systemctl edit mailauthd", and add the lines "[Service]" and "SupplementaryGroups=54321"`,
		`D/m.toml:6: log.file: the service cannot write D/log/auth.log, because UNIT has ProtectSystem=strict: run "systemctl edit mailauthd", and add the lines "[Service]" and "ReadWritePaths=D/log"`,
	} {
		if !strings.Contains(found, want) {
			t.Errorf("found %s\nwant %s", found, want)
		}
	}
	if strings.Contains(found, "fastcgi") || notes != dir+"/run: systemd makes it when the service starts" {
		t.Errorf("notes %q, problems %s", notes, found)
	}
	nobody.Groups = append(nobody.Groups, 54321)
	unit.Writable = []string{dir}
	if found, _ := seen(t, path, nobody, unit); found != "" {
		t.Errorf("found %s", found)
	}
}

// check looks as the user of -user, and its exit status tells.
func TestCheckAsUser(t *testing.T) {
	path, nobody := lookSite(t)
	check := func() (int, string, string) {
		var out, errs bytes.Buffer
		status := run([]string{"check", "-config", path, "-user", strconv.Itoa(nobody.UID)}, nil, &out, &errs)
		return status, out.String(), errs.String()
	}
	status, out, errs := check()
	if strings.Contains(out, "operation not permitted") {
		t.Skip(out)
	}
	if status != exitDone || errs != "" || !strings.Contains(out, `user "nobody" can read the configuration, make the sockets and write the log`) ||
		!strings.Contains(out, `user "nobody" is not in group "54321", so the service can only give it the socket if its unit has SupplementaryGroups=54321`) {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	if err := os.Chmod(filepath.Dir(path)+"/auth.key", 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out, errs := check(); status != exitNo || strings.Contains(out, "OK") || !strings.Contains(errs, "auth.secret.file: user") ||
		!strings.Contains(out, "SupplementaryGroups=54321") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

// What root is told as an error is a warning to any other user, because the unit checks before each reload.
func TestCheckAsSelf(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.toml")
	text := strings.NewReplacer("DIR", dir, "include = [\"users.toml\"]\n", "", "group = \"54321\"\n", "", "\nsecret =", "\n#secret =").Replace(lookTOML)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := account.Lookup(strconv.Itoa(os.Getuid())); err != nil {
		t.Skip(err)
	}
	var out, errs bytes.Buffer
	status := run([]string{"check", "-config", path, "-user", strconv.Itoa(os.Getuid())}, nil, &out, &errs)
	wantStatus, prefix := exitDone, "warning: "
	if os.Getuid() == 0 {
		wantStatus, prefix = exitNo, ""
	}
	if want := prefix + path + ":2: listen.fastcgi: " + dir + "/run does not exist: "; status != wantStatus || !strings.HasPrefix(errs.String(), want) {
		t.Errorf("status %d, want %d\n%s\nwant %s", status, wantStatus, errs.String(), want)
	}
}
