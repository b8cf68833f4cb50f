package listen

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/user"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Options are how a socket is opened, in PHP-FPM's terms.
type Options struct {
	// Of a unix socket. Owner and group are names or numbers; empty: our own.
	Owner, Group string
	Mode         fs.FileMode

	// AllowedClients are the networks that may connect by TCP; none: any.
	AllowedClients []netip.Prefix
}

// openUnix binds under a temporary name and renames, so that under its name the socket
// is never reachable with other permissions than those configured.
func openUnix(path string, o Options) (net.Listener, error) {
	unlock, err := lock(path + ".lock")
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := checkFree(path); err != nil {
		return nil, err
	}
	temp := fmt.Sprintf("%s.%d", path, os.Getpid())
	os.Remove(temp)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: temp, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	if err = o.chown(temp); err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		l.Close()
		os.Remove(temp)
		return nil, err
	}
	made, err := os.Lstat(path)
	if err != nil {
		l.Close()
		return nil, err
	}
	return &unixListener{UnixListener: l, path: path, made: made}, nil
}

// lock keeps two processes from replacing the same stale socket at the same instant. It does
// not wait: the process that holds the lock is about to have the socket.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	unlock = func() {
		os.Remove(path)
		f.Close()
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		ours, err1 := f.Stat()
		now, err2 := os.Lstat(path) // it may have been removed by the process that held it
		if err1 == nil && err2 == nil && os.SameFile(ours, now) {
			return unlock, nil
		}
	}
	f.Close()
	return nil, errors.New("another process is opening it")
}

// checkFree refuses a path where somebody listens, and one that is no socket.
func checkFree(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("exists and is not a socket")
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		c.Close()
		return errors.New("another process listens there already (ss -lxp shows which)")
	}
	if errors.Is(err, syscall.ECONNREFUSED) { // no process listens: stale
		return nil
	}
	return err
}

func (o Options) chown(path string) error {
	uid, err := LookupUser(o.Owner)
	if err != nil {
		return err
	}
	gid, err := LookupGroup(o.Group)
	if err != nil {
		return err
	}
	if uid >= 0 || gid >= 0 {
		if err := os.Chown(path, uid, gid); err != nil {
			return fmt.Errorf("owner %q, group %q: %w", o.Owner, o.Group, err)
		}
	}
	return os.Chmod(path, o.Mode)
}

// LookupUser finds a user's number by name or number; -1 for an empty name.
func LookupUser(name string) (int, error) {
	return lookup(name, func() (string, error) {
		u, err := user.Lookup(name)
		if err != nil {
			return "", fmt.Errorf("owner: %w", err)
		}
		return u.Uid, nil
	})
}

// LookupGroup finds a group's number by name or number; -1 for an empty name.
func LookupGroup(name string) (int, error) {
	return lookup(name, func() (string, error) {
		g, err := user.LookupGroup(name)
		if err != nil {
			return "", fmt.Errorf("group: %w", err)
		}
		return g.Gid, nil
	})
}

func lookup(name string, find func() (string, error)) (int, error) {
	if name == "" {
		return -1, nil
	}
	if n, err := strconv.Atoi(name); err == nil {
		return n, nil
	}
	number, err := find()
	if err != nil {
		return -1, err
	}
	return strconv.Atoi(number)
}

// unixListener removes its socket when it closes, if that is still the one it made.
type unixListener struct {
	*net.UnixListener
	path string
	made fs.FileInfo
	once sync.Once
}

// lost reports whether the name no longer leads here.
func (l *unixListener) lost() bool {
	now, err := os.Lstat(l.path)
	return err != nil || !os.SameFile(now, l.made)
}

// Addr is the name that clients use.
func (l *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

func (l *unixListener) Close() error {
	l.once.Do(func() {
		if !l.lost() {
			os.Remove(l.path)
		}
	})
	return l.UnixListener.Close()
}
