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

// Options has the options of a socket, in the terms of PHP-FPM.
type Options struct {
	// Owner, group and mode of a unix socket. Owner and Group are names or numbers. If they are
	// empty, they are those of the process.
	Owner, Group string
	Mode         fs.FileMode

	// AllowedClients has the networks that may connect over TCP. If it is empty, all may.
	AllowedClients []netip.Prefix
}

// openUnix binds to a temporary name and renames the socket, so that it cannot be reached by its
// name before it has the configured permissions.
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

// lock prevents two processes from replacing the same stale socket at the same instant. It does not
// wait, because the process that holds the lock is about to open the socket.
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
		now, err2 := os.Lstat(path) // the process that held the lock may have removed the file
		if err1 == nil && err2 == nil && os.SameFile(ours, now) {
			return unlock, nil
		}
	}
	f.Close()
	return nil, errors.New("another process is opening this socket: try again")
}

// checkFree returns an error if a process listens at path, or path is not a socket.
func checkFree(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("exists and is not a socket: remove it, or choose another path")
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
			return fmt.Errorf("owner %q, group %q: %w%s", o.Owner, o.Group, err, o.chownHint(uid, err))
		}
	}
	return os.Chmod(path, o.Mode)
}

// chownHint says what to do where our user may not give a socket away.
func (o Options) chownHint(uid int, err error) string {
	switch {
	case !errors.Is(err, syscall.EPERM):
		return ""
	case uid >= 0 && uid != os.Geteuid():
		return ": only root can give a socket to another user: remove owner, or set it to the user that mailauthd runs as"
	}
	return fmt.Sprintf(`: mailauthd's user is not in this group: run "systemctl edit mailauthd", add the lines "[Service]" and "SupplementaryGroups=%s", and restart it`, o.Group)
}

// LookupUser returns the number of a user, given by name or number. It is -1 for an empty name.
func LookupUser(name string) (int, error) {
	return lookup(name, func() (string, error) {
		u, err := user.Lookup(name)
		if err != nil {
			return "", fmt.Errorf("owner: %w", err)
		}
		return u.Uid, nil
	})
}

// LookupGroup returns the number of a group, given by name or number. It is -1 for an empty name.
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

// unixListener removes its socket when it is closed, unless the socket was replaced.
type unixListener struct {
	*net.UnixListener
	path string
	made fs.FileInfo
	once sync.Once
}

// lost reports whether the socket was removed or replaced.
func (l *unixListener) lost() bool {
	now, err := os.Lstat(l.path)
	return err != nil || !os.SameFile(now, l.made)
}

// Addr returns the path of the socket, not its temporary name.
func (l *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

func (l *unixListener) Close() error {
	l.once.Do(func() {
		if !l.lost() {
			os.Remove(l.path)
		}
	})
	return l.UnixListener.Close()
}
