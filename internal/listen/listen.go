package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// MaxPath is the longest path of a unix socket, in bytes. The kernel's limit is 107 (sun_path);
// while the socket is being made its name is a little longer.
const MaxPath = 96

// Address is a parsed listen address.
type Address struct {
	Kind string // "unix", "tcp", "fd" or "systemd"
	Name string // path, host:port, descriptor number or FileDescriptorName=
}

func (a Address) String() string {
	if a.Kind == "tcp" {
		return a.Name
	}
	return a.Kind + ":" + a.Name
}

// Parse parses a listen address. Its errors do not contain the address.
func Parse(s string) (Address, error) {
	kind, name, _ := strings.Cut(s, ":")
	switch kind {
	case "unix":
		if !strings.HasPrefix(name, "/") || len(name) > MaxPath {
			return Address{}, fmt.Errorf("unix socket: want an absolute path of at most %d bytes", MaxPath)
		}
		return Address{kind, name}, nil
	case "fd":
		if n, err := strconv.ParseUint(name, 10, 16); err != nil || n == 1 || n == 2 {
			return Address{}, errors.New("want the number of an inherited socket, such as fd:0")
		}
		return Address{kind, name}, nil
	case "systemd":
		if name == "" {
			return Address{}, errors.New("want the socket's FileDescriptorName=, such as systemd:fastcgi")
		}
		return Address{kind, name}, nil
	}
	if err := checkTCP(s); err != nil {
		return Address{}, err
	}
	return Address{"tcp", s}, nil
}

func checkTCP(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return errors.New("want unix:/PATH, ADDRESS:PORT, fd:0 or systemd:NAME")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("port must be 1 to 65535")
	}
	return nil
}

// Open opens a listening socket. Refused clients (see [Options]) are logged to log.
func Open(a Address, o Options, log *slog.Logger) (net.Listener, error) {
	l, err := open(a, o)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", a, err)
	}
	return restrict(l, o.AllowedClients, log), nil
}

// Lost reports whether an open unix socket can no longer be reached, because its file was removed
// or replaced.
func Lost(l net.Listener) bool {
	u, ok := l.(*unixListener)
	return ok && u.lost()
}

// Apply changes the options of an open socket.
func Apply(l net.Listener, o Options) error {
	switch l := l.(type) {
	case *allowed:
		l.nets.Store(&o.AllowedClients)
	case *unixListener:
		if err := o.chown(l.path); err != nil {
			return fmt.Errorf("listen on unix:%s: %w", l.path, err)
		}
	}
	return nil
}

func open(a Address, o Options) (net.Listener, error) {
	if p, ok := passedAt(a); ok {
		return fileListener(p.file)
	}
	switch a.Kind {
	case "unix":
		return openUnix(a.Name, o)
	case "fd":
		return inherited(a.Name)
	case "systemd":
		return activated(a.Name)
	}
	return openTCP(a.Name)
}

// openTCP turns TCP keep-alives off for accepted connections. They cost four system calls for each
// connection, and deadlines close a connection whose peer is gone. Go cannot turn them off for an
// inherited socket (net.FileListener).
func openTCP(address string) (net.Listener, error) {
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false) // a socket with Multipath TCP cannot have a filter; see refuseTCP
	l, err := config.Listen(context.Background(), "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("another process listens there already (ss -ltnp shows which): %w", syscall.EADDRINUSE)
	}
	if tcp, ok := l.(*net.TCPListener); ok {
		return tcpListener{tcp}, nil
	}
	return l, err
}

// inherited listens on a copy of the descriptor, so that it can be opened again after a reload
// without it.
func inherited(number string) (net.Listener, error) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Dup(n)
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "fd:"+number)
	defer f.Close()
	return fileListener(f)
}

// fileListener listens on a copy of the file.
func fileListener(f *os.File) (net.Listener, error) {
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("not a listening socket: %w", err)
	}
	return l, nil
}
