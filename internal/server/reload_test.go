package server

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestReload(t *testing.T) {
	s := start(t)
	carol := login("carol@users.example", password)
	s.wantEverywhere(carol, failed)
	s.reload("[users.", `[auth]
failure_message = "No"
[users."carol@users.example"]
password = "{PLAIN}right+%20"
[users.`)
	s.wantEverywhere(carol, "OK")
	s.wantEverywhere(good, "OK")
	s.wantEverywhere(bad, "No")
	s.reload("alice@", "carol@")
	s.wantEverywhere(good, failed)
	s.wantEverywhere(carol, "OK")
	if said := s.stderr.String(); strings.Count(said, `msg="configuration loaded" servers=1 domains=1 users=`) != 3 {
		t.Errorf("standard error: %s", said)
	}
}

func TestBrokenConfigurationChangesNothing(t *testing.T) {
	s := start(t)
	for _, tt := range []struct{ old, new, want string }{
		{`verify = "users"`, `verify = "user"`, "verify: "},
		{`grace = "5s"`, `grace = 5`, "grace: "},
		{`servers = ["box1"]`, `servers = ["box2"]`, "servers: "},
		{`host = "192.0.2.1"`, "hosts = 1\n" + `host = "192.0.2.2"`, "hosts: unknown key"},
		{`{PLAIN}`, ``, "password: "},
		{`verify = "users"`, `verify = = "users"`, "not valid TOML: "},
	} {
		s.configure(tt.old, tt.new, "[domains.", "[auth]\nfailure_message = \"No\"\n[domains.")
		text, err := os.ReadFile(s.path)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Reload()
		if err == nil || !strings.HasPrefix(err.Error(), s.path+":") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v", tt.new, err)
			continue
		}
		if line := lineOf(string(text), tt.new); !strings.HasPrefix(err.Error(), s.path+":"+line+": ") {
			t.Errorf("%s: error %q, want line %s", tt.new, err, line)
		}
		s.wantEverywhere(good, "OK")
		s.wantEverywhere(bad, failed)
	}
	if err := os.Remove(s.path); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), s.path) {
		t.Errorf("no file: error %v", err)
	}
	s.wantEverywhere(good, "OK")
}

// lineOf returns the number of the line with a text. If the text is empty, it is the line of the password.
func lineOf(text, part string) string {
	if part == "" {
		part = `password = "`
	}
	before, _, _ := strings.Cut(text, part)
	return strconv.Itoa(1 + strings.Count(before, "\n"))
}

func TestReloadAddsAndRemovesSockets(t *testing.T) {
	s := start(t)
	old := s.endpoints["tcp"]
	kept, err := s.endpoints["unix"].dial()
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	before, err := os.Stat(s.endpoints["unix"].address)
	if err != nil {
		t.Fatal(err)
	}

	s.endpoints["tcp"] = endpoint{"tcp", freeAddress(t), overFastCGI}
	s.reload()
	s.wantEverywhere(good, "OK")
	eventually(t, "the old socket is closed", func() bool { return !old.open() })
	if head, err := overFastCGI(kept, good); err != nil || field(head, "Auth-Status") != "OK" {
		t.Errorf("connection to the kept socket: %q, %v", head, err)
	}
	if after, err := os.Stat(s.endpoints["unix"].address); err != nil || !os.SameFile(before, after) {
		t.Errorf("the kept socket was replaced: %v", err)
	}

	s.reload(`"unix:`+s.endpoints["unix"].address+`", `, "")
	eventually(t, "the socket is gone", func() bool {
		_, err := os.Stat(s.endpoints["unix"].address)
		return os.IsNotExist(err)
	})
	s.reload()
	s.wantEverywhere(good, "OK")
}

// A login at an endpoint that a reload closes is finished with the configuration that it began with.
func TestReloadFinishesWhatIsInFlight(t *testing.T) {
	for _, name := range []string{"http", "tcp", "unix"} {
		t.Run(name, func(t *testing.T) {
			slow := startSlowServer(t)
			s := start(t, "[users.", slow.sections()+"[users.")
			w := slow.waitingLogin(s.endpoints[name])
			moved := s.endpoints[name]
			s.endpoints[name] = endpoint{"tcp", freeAddress(t), moved.over}
			if moved.network == "unix" {
				s.endpoints[name] = endpoint{"unix", moved.address + "2", moved.over}
			}
			s.reload()
			eventually(t, "the old endpoint is closed", func() bool { return !moved.open() })
			slow.release()
			w.want(t, "OK")
			s.wantEverywhere(login("tim@slow.example", password), failed)
		})
	}
}

func TestReloadWithABadSocketKeepsEverything(t *testing.T) {
	s := start(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	added := filepath.Join(filepath.Dir(s.path), "added.sock")
	for _, bad := range []string{taken.Addr().String(), "unix:" + s.path, "fd:99"} {
		s.configure(
			`fastcgi = ["unix:`, `fastcgi = ["unix:`+added+`", "unix:`,
			`http = [`, `mode = "0600"`+"\n"+`allowed_clients = ["192.0.2.99"]`+"\n"+`http = ["`+bad+`", `,
			`format = "legacy"`, `format = "json"`,
			"[domains.", "[auth]\nfailure_message = \"No\"\n[domains.")
		if err := s.Reload(); err == nil || !strings.HasPrefix(err.Error(), "listen on "+bad+": ") {
			t.Errorf("error %v, want one about %s", err, bad)
		}
		s.wantEverywhere(good, "OK")
		s.wantEverywhere(login("alice@users.example", "wrong"), failed)
		if _, err := os.Lstat(added); err == nil {
			t.Error("the new socket is left behind")
		}
		s.wantMode(0o660)
		if strings.Contains(s.readLog(), "{") {
			t.Error("the log is written in the new format")
		}
	}
}

// wantMode checks the permissions of the unix socket.
func (s *site) wantMode(want fs.FileMode) {
	s.t.Helper()
	info, err := os.Stat(s.endpoints["unix"].address)
	if err != nil {
		s.t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		s.t.Errorf("mode %v, want %v", got, want)
	}
}

func TestReloadChangesSocketOptions(t *testing.T) {
	s := start(t)
	s.reload(`http = [`, `mode = "0600"`+"\n"+`allowed_clients = ["192.0.2.99"]`+"\n"+`http = [`)
	for _, name := range []string{"http", "tcp"} {
		if head, _ := s.endpoints[name].ask(good); head != "" {
			t.Errorf("%s: answered %q to a client that is not allowed", name, head)
		}
	}
	s.want("unix", good, "OK")
	s.wantMode(0o600)
	s.reload()
	s.wantMode(0o660)
	s.wantEverywhere(good, "OK")
}

// A socket whose file was removed cannot be reached any more. A reload opens it again.
func TestReloadReplacesALostSocket(t *testing.T) {
	s := start(t)
	if err := os.Remove(s.endpoints["unix"].address); err != nil {
		t.Fatal(err)
	}
	s.reload()
	s.wantEverywhere(good, "OK")
	s.wantMode(0o660)
}

func TestNoReloadAfterShutdown(t *testing.T) {
	s := start(t)
	if err := s.Shutdown(); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err == nil {
		t.Error("Reload succeeds after Shutdown")
	}
}

// After a refused reload the names of the old configuration are still resolved.
func TestRefusedReloadKeepsWatchingNames(t *testing.T) {
	s := start(t, `host = "192.0.2.1"`, `host = "localhost"`)
	in, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	s.configure(`http = [`, fmt.Sprintf(`http = [%q, `, in.Addr()))
	if err := s.Reload(); err == nil {
		t.Fatal("an address that is in use was opened")
	}
	if names := s.resolver.Watched(); len(names) != 1 || names[0] != "localhost" {
		t.Errorf("watched names: %q", names)
	}
}
