package listen

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// socketPath returns a short path. That of t.TempDir may be too long for a socket.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "listen")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "fastcgi.sock")
}

func openSocket(t *testing.T, path string, mode fs.FileMode) net.Listener {
	t.Helper()
	l, err := Open(Address{"unix", path}, Options{Mode: mode}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func checkMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != fs.ModeSocket|want {
		t.Errorf("mode %v, want %v", info.Mode(), fs.ModeSocket|want)
	}
}

// reach connects to a socket and accepts the connection at the other end.
func reach(t *testing.T, l net.Listener, path string) {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("socket does not answer: %v", err)
	}
	defer c.Close()
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestUnixSocket(t *testing.T) {
	for _, mode := range []fs.FileMode{0o660, 0o600, 0o666, 0o777} {
		path := socketPath(t)
		l := openSocket(t, path, mode)
		checkMode(t, path, mode)
		reach(t, l, path)
		names, err := filepath.Glob(filepath.Dir(path) + "/*")
		if err != nil || !slices.Equal(names, []string{path}) {
			t.Errorf("besides the socket there is %q, %v", names, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); err == nil {
			t.Error("Close left the socket")
		}
	}
}

func TestUnixSocketOwner(t *testing.T) {
	self := Options{Mode: 0o660, Owner: strconv.Itoa(os.Getuid()), Group: strconv.Itoa(os.Getgid())}
	path := socketPath(t)
	l, err := Open(Address{"unix", path}, self, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, o := range []Options{
		{Mode: 0o660, Owner: "no such user"},
		{Mode: 0o660, Group: "no such group"},
	} {
		l, err := Open(Address{"unix", path}, o, slog.New(slog.DiscardHandler))
		if err == nil {
			l.Close()
			t.Errorf("%+v is accepted", o)
			continue
		}
		if !strings.Contains(err.Error(), o.Owner+o.Group) {
			t.Errorf("error %q does not name %q", err, o.Owner+o.Group)
		}
		if names, _ := filepath.Glob(filepath.Dir(path) + "/*"); len(names) > 0 {
			t.Errorf("a refused socket leaves %q", names)
		}
	}
}

// A process that was killed leaves its socket behind.
func TestStaleSocketIsReplaced(t *testing.T) {
	path := socketPath(t)
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	l := openSocket(t, path, 0o660)
	checkMode(t, path, 0o660)
	reach(t, l, path)
}

func TestLiveSocketIsLeftAlone(t *testing.T) {
	path := socketPath(t)
	live, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	accepted := make(chan net.Conn, 2)
	go func() {
		for c, err := live.Accept(); err == nil; c, err = live.Accept() {
			accepted <- c
		}
	}()
	_, err = Open(Address{"unix", path}, Options{Mode: 0o660}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "listen on unix:"+path+": another process listens there already") {
		t.Errorf("error = %v", err)
	}
	(<-accepted).Close() // the connection of checkFree
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("the live socket is gone: %v", err)
	}
	c.Close()
	(<-accepted).Close()
}

// A process that is too busy to accept still owns its socket.
func TestBusySocketIsLeftAlone(t *testing.T) {
	path := socketPath(t)
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for {
		c, err := net.DialTimeout("unix", path, time.Second)
		if errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatal(err)
		}
		if err != nil {
			break // its queue is full
		}
		defer c.Close()
	}
	before, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Address{"unix", path}, Options{Mode: 0o660}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("the socket was taken over")
	}
	if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("the socket was replaced (%v)", err)
	}
}

func TestWhatIsNoSocketIsRefused(t *testing.T) {
	file := socketPath(t)
	if err := os.WriteFile(file, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := socketPath(t)
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, link, filepath.Dir(file)} {
		_, err := Open(Address{"unix", path}, Options{Mode: 0o660}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), "exists and is not a socket") {
			t.Errorf("%s: error = %v", path, err)
		}
	}
	if data, err := os.ReadFile(file); string(data) != "data" || err != nil {
		t.Errorf("the file was touched: %q, %v", data, err)
	}
}

// After a restart the path belongs to the new process.
func TestCloseLeavesAnothersSocket(t *testing.T) {
	path := socketPath(t)
	ours := openSocket(t, path, 0o660)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	theirs := openSocket(t, path, 0o600)
	ours.Close()
	checkMode(t, path, 0o600)
	reach(t, theirs, path)
}

func TestApplyToAUnixSocket(t *testing.T) {
	path := socketPath(t)
	l := openSocket(t, path, 0o660)
	if err := Apply(l, Options{Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	checkMode(t, path, 0o600)
	err := Apply(l, Options{Mode: 0o666, Owner: "no such user"})
	if err == nil || !strings.Contains(err.Error(), "listen on unix:"+path+": owner:") {
		t.Errorf("error = %v", err)
	}
	checkMode(t, path, 0o600)
	reach(t, l, path)
}

// Of many processes that open a socket at the same instant exactly one gets it.
func TestOneOfManyGetsTheSocket(t *testing.T) {
	for range 50 {
		path := socketPath(t)
		stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		stale.SetUnlinkOnClose(false)
		stale.Close()
		got := make(chan net.Listener, 8)
		var all sync.WaitGroup
		for range cap(got) {
			all.Go(func() {
				l, err := Open(Address{"unix", path}, Options{Mode: 0o660}, slog.New(slog.DiscardHandler))
				if err == nil {
					got <- l
				}
			})
		}
		all.Wait()
		if len(got) != 1 {
			t.Fatalf("%d got the socket", len(got))
		}
		l := <-got
		reach(t, l, path)
		l.Close()
		if names, _ := filepath.Glob(filepath.Dir(path) + "/*"); len(names) > 0 {
			t.Errorf("left behind: %q", names)
		}
	}
}
