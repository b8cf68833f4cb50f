package account

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// User is a user with all groups.
type User struct {
	Name   string
	UID    int
	GID    int
	Groups []int // with GID
}

// Lookup finds a user by name or number.
func Lookup(name string) (*User, error) {
	u, err := user.Lookup(name)
	if _, notNumber := strconv.Atoi(name); err != nil && notNumber == nil {
		u, err = user.LookupId(name)
	}
	if err != nil {
		return nil, err
	}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, err
	}
	found := &User{Name: u.Username}
	found.UID, err = strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	for _, id := range append([]string{u.Gid}, groups...) {
		n, err := strconv.Atoi(id)
		if err != nil {
			return nil, err
		}
		found.add(n)
	}
	found.GID = found.Groups[0]
	return found, nil
}

func (u *User) add(gid int) {
	if !slices.Contains(u.Groups, gid) {
		u.Groups = append(u.Groups, gid)
	}
}

// Join adds groups to a user, given by name. It returns those that do not exist.
func (u *User) Join(groups []string) (missing []string) {
	for _, name := range groups {
		g, err := user.LookupGroup(name)
		if err != nil {
			g, err = user.LookupGroupId(name)
		}
		if err != nil {
			missing = append(missing, name)
			continue
		}
		if n, err := strconv.Atoi(g.Gid); err == nil {
			u.add(n)
		}
	}
	return missing
}

// UserName returns the name of a user's number, or the number if it has none.
func UserName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}

// GroupName returns the name of a group's number, or the number if it has none.
func GroupName(gid int) string {
	if g, err := user.LookupGroupId(strconv.Itoa(gid)); err == nil {
		return g.Name
	}
	return strconv.Itoa(gid)
}

// IsSelf reports whether the process runs as the user.
func (u *User) IsSelf() bool { return u.UID == os.Geteuid() }

// Rights are the bits of access(2).
type Rights uint32

const (
	Read  Rights = unix.R_OK
	Write Rights = unix.W_OK
	Enter Rights = unix.X_OK // a directory
)

// Denied is an error about the rights of the thread's user.
type Denied struct {
	Path   string // what is asked about, or a directory on the way to it
	Rights Rights // those that are missing, some of them
	Err    error  // such as EACCES or EROFS
}

func (e *Denied) Error() string { return fmt.Sprintf("%s: %v", e.Path, e.Err) }

func (e *Denied) Unwrap() error { return e.Err }

// Check returns an error unless the user of the calling thread has rights on a file or a directory. It is a
// [*Denied] if the file exists, as far as the user can see.
func Check(path string, rights Rights) error {
	err := unix.Access(path, uint32(rights))
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return &os.PathError{Op: "access", Path: path, Err: err}
	}
	if !errors.Is(err, unix.EACCES) {
		return &Denied{path, rights, err}
	}
	if dir := barrier(path); dir != "" {
		return &Denied{dir, Enter, err}
	}
	real, linkErr := filepath.EvalSymlinks(path)
	var stuck *os.PathError
	if errors.As(linkErr, &stuck) { // its path is that behind the links
		real = stuck.Path
	}
	if dir := barrier(real); dir != "" {
		return &Denied{dir, Enter, err}
	}
	return &Denied{path, rights, err}
}

// barrier returns the first directory on the way to a file that the thread's user cannot enter, or "".
func barrier(path string) string {
	for i := range path {
		if dir := path[:max(i, 1)]; i < len(path) && path[i] == '/' && strings.HasPrefix(path, "/") {
			if errors.Is(unix.Access(dir, unix.X_OK), unix.EACCES) {
				return dir
			}
		}
	}
	return ""
}
