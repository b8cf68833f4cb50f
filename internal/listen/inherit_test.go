package listen

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// childEnv is an environment variable that makes the test binary the child that inherits sockets. Its
// value has the addresses to open, one after the other.
const childEnv = "MAILAUTHD_TEST_LISTEN"

func TestMain(m *testing.M) {
	if addresses, ok := os.LookupEnv(childEnv); ok {
		if err := child(strings.Fields(addresses)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child opens each address, sends it to the first client there, and closes the listener.
func child(addresses []string) error {
	for _, s := range addresses {
		a, err := Parse(s)
		if err != nil {
			return err
		}
		l, err := Open(a, Options{}, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		c, err := l.Accept()
		if err != nil {
			return fmt.Errorf("%s was opened but does not accept: %w", s, err)
		}
		if _, err := io.WriteString(c, s); err != nil {
			return err
		}
		if err := errors.Join(c.Close(), l.Close()); err != nil {
			return err
		}
	}
	return nil
}

// inherit returns a command that opens addresses in a child. LISTEN_PID must be the process ID of the
// child; a shell sets it and then executes the child.
func inherit(t *testing.T, addresses, names string, sockets ...*os.File) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0"`, self)
	cmd.Env = append(os.Environ(), childEnv+"="+addresses,
		fmt.Sprintf("LISTEN_FDS=%d", len(sockets)), "LISTEN_FDNAMES="+names,
		"GORACE=atexit_sleep_ms=0") // the race detector's pause at exit
	cmd.ExtraFiles = sockets
	return cmd
}

// socket returns a listening socket to pass on, and a client that is connected to it already and waits
// in the socket's queue.
func socket(t *testing.T, network, address string) (*os.File, net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial(network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); f.Close(); l.Close() })
	return f, c
}

// receive checks what the child sent.
func receive(t *testing.T, c net.Conn, want string) {
	t.Helper()
	if got, err := io.ReadAll(c); string(got) != want || err != nil {
		t.Errorf("client got %q, %v; want %q", got, err, want)
	}
}

func TestInheritedSockets(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = socketPath(t)
			}
			stdin, c0 := socket(t, network, address)
			extra, c3 := socket(t, "tcp", "127.0.0.1:0")
			cmd := inherit(t, "fd:0 fd:3", "", extra)
			cmd.Stdin = stdin // as spawn-fcgi passes it
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			receive(t, c0, "fd:0")
			receive(t, c3, "fd:3")
			if network == "unix" {
				checkExists(t, address)
			}
		})
	}
}

// checkExists checks that the child has not removed a socket that it inherited.
func checkExists(t *testing.T, path string) {
	t.Helper()
	if names, err := filepath.Glob(path); len(names) != 1 || err != nil {
		t.Errorf("the child removed a socket that is not its own: %v", err)
	}
}

func TestSystemdSockets(t *testing.T) {
	path := socketPath(t)
	web, cWeb := socket(t, "tcp", "127.0.0.1:0")
	fcgi, cFcgi := socket(t, "unix", path)
	cmd := inherit(t, "systemd:fastcgi systemd:web", "web:fastcgi", web, fcgi)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	receive(t, cWeb, "systemd:web")
	receive(t, cFcgi, "systemd:fastcgi")
	checkExists(t, path)
}

// A socket that systemd passes is found by its address as well, whatever its name is.
func TestSystemdSocketsByAddress(t *testing.T) {
	path := socketPath(t)
	web, cWeb := socket(t, "tcp", "127.0.0.1:0")
	all, cAll := socket(t, "tcp", "[::]:0")
	fcgi, cFcgi := socket(t, "unix", path)
	_, port, _ := net.SplitHostPort(cAll.RemoteAddr().String())
	addresses := []string{"unix:" + path, cWeb.RemoteAddr().String(), ":" + port}
	cmd := inherit(t, strings.Join(addresses, " "), "mailauthd.socket:mailauthd.socket:mailauthd.socket", web, all, fcgi)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for i, c := range []net.Conn{cFcgi, cWeb, cAll} {
		receive(t, c, addresses[i])
	}
	checkExists(t, path)
}

// A reload may close a socket, and a later one may open it again. That succeeds or returns an error,
// but never a listener to which no client can connect.
func TestInheritedSocketIsAskedForAgain(t *testing.T) {
	for _, address := range []string{"fd:3", "systemd:web"} {
		f, c := socket(t, "tcp", "127.0.0.1:0")
		again, err := net.Dial("tcp", c.RemoteAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		out, err := inherit(t, address+" "+address, "web", f).CombinedOutput()
		receive(t, c, address)
		switch {
		case err == nil:
			receive(t, again, address)
		case !bytes.HasPrefix(out, []byte("listen on "+address+": ")):
			t.Errorf("second %s: %v, %q; want Open to refuse it", address, err, out)
		}
	}
}

func TestInheritedSocketIsMissing(t *testing.T) {
	for _, tt := range []struct{ address, names, want string }{
		{"fd:0", "", "listen on fd:0: not a listening socket"}, // the null device
		{"fd:99", "", "listen on fd:99: "},
		{"systemd:other", "web:twice:twice", "listen on systemd:other: systemd passed 0 listening sockets of this name, want 1"},
		{"systemd:twice", "web:twice:twice", "listen on systemd:twice: systemd passed 2 listening sockets of this name, want 1"},
	} {
		var sockets []*os.File
		for range strings.Fields(strings.ReplaceAll(tt.names, ":", " ")) {
			f, _ := socket(t, "tcp", "127.0.0.1:0")
			sockets = append(sockets, f)
		}
		out, err := inherit(t, tt.address, tt.names, sockets...).CombinedOutput()
		if err == nil || !bytes.HasPrefix(out, []byte(tt.want)) {
			t.Errorf("%s: %v, %q; want %q", tt.address, err, out, tt.want)
		}
	}
}
