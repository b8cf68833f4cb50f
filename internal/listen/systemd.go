package listen

import (
	"fmt"
	"net"
	"os"
	"slices"
	"sync"

	"github.com/coreos/go-systemd/v22/activation"
)

// passed is a socket that systemd has passed.
type passed struct {
	file *os.File // its name is FileDescriptorName=
	addr net.Addr // nil if it is not a listening socket
}

// systemdSockets returns the sockets that systemd has passed. They can be taken over only once, and stay open, so that
// a reload can use them again.
var systemdSockets = sync.OnceValue(func() (sockets []passed) {
	for _, f := range activation.Files(true) {
		p := passed{file: f}
		if l, err := net.FileListener(f); err == nil {
			p.addr = l.Addr()
			l.Close()
		}
		sockets = append(sockets, p)
	}
	return sockets
})

// activated listens on the socket with a name.
func activated(name string) (net.Listener, error) {
	var found []passed
	for _, p := range systemdSockets() {
		if p.file.Name() == name {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("systemd passed %d listening sockets of this name, want 1", len(found))
	}
	return fileListener(found[0].file)
}

// passedAt returns the socket at an address. PHP-FPM and Dovecot find the sockets of systemd in the same way.
func passedAt(a Address) (passed, bool) {
	sockets := systemdSockets()
	i := slices.IndexFunc(sockets, func(p passed) bool { return p.isAt(a) })
	if i < 0 {
		return passed{}, false
	}
	return sockets[i], true
}

func (p passed) isAt(a Address) bool {
	switch at := p.addr.(type) {
	case *net.UnixAddr:
		return a.Kind == "unix" && at.Name == a.Name
	case *net.TCPAddr:
		if a.Kind != "tcp" {
			return false
		}
		want, err := net.ResolveTCPAddr("tcp", a.Name)
		return err == nil && want.Port == at.Port && (want.IP.Equal(at.IP) || want.IP == nil && at.IP.IsUnspecified())
	}
	return false
}

// Unused describes the sockets that systemd has passed and that are at none of the addresses. Nobody accepts the
// connections there.
func Unused(addresses []Address) (unused []string) {
	for _, p := range systemdSockets() {
		used := slices.ContainsFunc(addresses, func(a Address) bool {
			return p.isAt(a) || a.Kind == "systemd" && a.Name == p.file.Name()
		})
		if !used {
			unused = append(unused, p.String())
		}
	}
	return unused
}

func (p passed) String() string {
	if p.addr == nil {
		return fmt.Sprintf("%q, which does not listen", p.file.Name())
	}
	return fmt.Sprintf("%q at %s", p.file.Name(), p.addr)
}
