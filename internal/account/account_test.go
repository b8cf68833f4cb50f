package account

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"syscall"
	"testing"
)

func TestLookup(t *testing.T) {
	self, err := Lookup(strconv.Itoa(os.Getuid()))
	if err != nil {
		t.Skip(err) // a user without an entry in passwd(5)
	}
	if self.UID != os.Getuid() || !self.IsSelf() || len(self.Groups) == 0 || self.Groups[0] != self.GID {
		t.Errorf("%+v", self)
	}
	if byName, err := Lookup(self.Name); err != nil || !reflect.DeepEqual(byName, self) {
		t.Errorf("%+v, %v; want %+v", byName, err, self)
	}
	for _, name := range []string{"no-such-user", "", "3999999999"} {
		if u, err := Lookup(name); err == nil {
			t.Errorf("%q: %+v", name, u)
		}
	}
	if missing := self.Join([]string{GroupName(self.GID), "no-such-group"}); len(missing) != 1 || missing[0] != "no-such-group" {
		t.Errorf("missing %q", missing)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(Check(path, Read|Write), Check(dir, Read|Write|Enter)); err != nil {
		t.Error(err)
	}
	for _, missing := range []string{path + "2", path + "/below"} {
		if err := Check(missing, Read); err == nil || errors.As(err, new(*Denied)) {
			t.Errorf("%s: error %v", missing, err)
		}
	}
	var denied *Denied
	if err := Check("/proc/self/status", Enter); !errors.As(err, &denied) || !errors.Is(err, syscall.EACCES) || denied.Path != "/proc/self/status" {
		t.Errorf("a file that nobody can execute: error %v", err)
	}
}

func writeUnits(t *testing.T, files map[string]string) (dirs []string) {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return []string{filepath.Join(root, "etc"), filepath.Join(root, "lib")}
}

func TestReadUnit(t *testing.T) {
	dirs := writeUnits(t, map[string]string{
		"lib/m.service": "[Unit]\nUser=no\n[Service]\n# User=no\nUser=mailauthd\nGroup = mail\nSupplementaryGroups=www-data \\\n  ssl-cert\n" +
			"RuntimeDirectory=m m/sub\nLogsDirectory=old\nProtectSystem=strict\nReadWritePaths=/no\nPrivateTmp=yes\n[Install]\nUser=no\n",
		"lib/m.service.d/10.conf": "[Service]\nLogsDirectory=\nLogsDirectory=m:link\n",
		"lib/m.service.d/20.conf": "[Service]\nUser=replaced\n",
		"etc/m.service.d/20.conf": "[Service]\nSupplementaryGroups=\nSupplementaryGroups=http\nReadWritePaths=\nReadWritePaths=-/srv/log /x\n",
		"etc/m.service.d/other":   "[Service]\nUser=no\n",
	})
	u, err := ReadUnit("m.service", dirs)
	want := &Unit{
		Path: filepath.Join(dirs[1], "m.service"), User: "mailauthd", Group: "mail", Groups: []string{"http"},
		Made: []string{"/run/m", "/run/m/sub", "/var/log/m"}, Writable: []string{"/srv/log", "/x"}, Strict: true, OwnTmp: true,
	}
	if err != nil || !reflect.DeepEqual(u, want) {
		t.Fatalf("%+v, %v\nwant %+v", u, err, want)
	}
	for dir, want := range map[string]bool{"/run/m": true, "/var/run/m/": true, "/run/m/sub": true, "/run/m/other": false, "/var/log/m": true, "/log/m": false, "/run": false} {
		if got := u.Makes(dir); got != want {
			t.Errorf("makes %s: %v", dir, got)
		}
	}
	for path, want := range map[string]bool{
		"/run/m": false, "/var/run/m/x": false, "/run/mm": true, "/var/log/httpd": true, "/srv/log/a.log": false, "/dev/null": false, "/tmp/x": false, "/": true,
	} {
		if got := u.ReadOnly(path); got != want {
			t.Errorf("%s is read-only: %v", path, got)
		}
	}
	if u, err := ReadUnit("other.service", dirs); u != nil || err != nil {
		t.Errorf("no unit: %+v, %v", u, err)
	}
}

// What contrib has is understood.
func TestContribUnit(t *testing.T) {
	u, err := ReadUnit("mailauthd.service", []string{"../../contrib/systemd"})
	if err != nil || u == nil {
		t.Fatal(u, err)
	}
	if u.User != "mailauthd" || !u.Strict || !u.Makes("/run/mailauthd") || !u.Makes("/var/log/mailauthd") || len(u.Groups) != 1 {
		t.Errorf("%+v", u)
	}
}
