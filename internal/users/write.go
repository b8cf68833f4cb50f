package users

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Limits of [WriteAtomic].
const (
	MaxFile   = 256 << 20        // bytes of the file, before and after
	LockWait  = 10 * time.Second // for another edit to end
	lockRetry = 20 * time.Millisecond
)

// WriteAtomic replaces the content of a file by what edit makes of it. Whoever reads
// the file at any time, or after a crash, sees all of the old or all of the new.
//
// Only one edit of a configuration runs at a time, whichever of its files it changes, so
// edit may read the other files too. The lock is flock(2) on the configuration's main
// file, which must be readable but need not be writable, and then on the edited file, which
// another configuration may include as well. There is no lock file to be left behind.
//
// A change of the file by a program that takes no lock is noticed as long as it comes
// before the rename, and nothing is written then. Owner, group and mode are kept or it is
// an error; access lists and other extended attributes, and other hard links to the file, do
// not move to the new one. A symbolic link stays one.
//
// An error of edit is returned as it is. There is no backup, and after an error no
// temporary file either; its name never ends as the file's, so that an include
// pattern such as "users.d/*.toml" does not find it.
func WriteAtomic(main, path string, edit func(old []byte) ([]byte, error)) error {
	held, err := lock(main, nil)
	if err != nil {
		return err
	}
	defer held.Close() // unlocks
	f, err := lock(path, held)
	if err != nil {
		return err
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return err
	}
	old, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return err
	}
	if len(old) > MaxFile {
		return fmt.Errorf("%s: larger than %d MiB", path, MaxFile>>20)
	}
	edited, err := edit(bytes.Clone(old))
	if err != nil || bytes.Equal(edited, old) {
		return err
	}
	if len(edited) > MaxFile {
		return fmt.Errorf("%s: would be larger than %d MiB: nothing was changed", path, MaxFile>>20)
	}
	return replace(f.Name(), before, edited)
}

// lock opens and locks a file, unless it is the one that is held already. After waiting, the
// lock may be that of a file that has been replaced meanwhile; then lock begins again.
func lock(path string, held *os.File) (*os.File, error) {
	deadline := time.NewTimer(LockWait)
	defer deadline.Stop()
	retry := time.NewTicker(lockRetry)
	defer retry.Stop()
	for {
		f, err := tryLock(path, held)
		if f != nil || err != nil {
			return f, err
		}
		select {
		case <-retry.C:
		case <-deadline.C:
			return nil, fmt.Errorf("%s: another edit has held the lock on this file for %v: try again when it is done", path, LockWait)
		}
	}
}

// tryLock returns neither a file nor an error when it is to be tried again. The
// file's name is the real one.
func tryLock(path string, held *os.File) (*os.File, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would wait for its writer
	if err != nil {
		return nil, err
	}
	locked, err := holds(f, held)
	if !locked {
		f.Close()
		return nil, err
	}
	return f, nil
}

// holds locks an open file, unless it is the held one, and reports whether it is still the
// one of its name. A second flock of the held file would wait for the first.
func holds(f, held *os.File) (bool, error) {
	opened, err := f.Stat()
	if err != nil {
		return false, err
	}
	if !opened.Mode().IsRegular() {
		return false, fmt.Errorf("%s: not a regular file", f.Name())
	}
	if !isFile(held, opened) {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: cannot be locked: %w", f.Name(), err)
	}
	named, err := os.Lstat(f.Name())
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(opened, named), err
}

func isFile(f *os.File, info os.FileInfo) bool {
	if f == nil {
		return false
	}
	own, err := f.Stat()
	return err == nil && os.SameFile(own, info)
}

// replace puts a new file in the place of one that is locked.
func replace(path string, before os.FileInfo, content []byte) error {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("the file is replaced by a new one, so its directory must be writable: %w", err)
	}
	defer os.Remove(temp.Name()) // after the rename there is no such file
	defer temp.Close()
	if _, err := temp.Write(content); err != nil {
		return err
	}
	if err := likeBefore(temp, before); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	if now, err := os.Lstat(path); err != nil {
		return err
	} else if !os.SameFile(now, before) || !now.ModTime().Equal(before.ModTime()) || now.Size() != before.Size() {
		return fmt.Errorf("%s: was changed meanwhile by a program that takes no lock: nothing was written", path)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// likeBefore gives a new file the owner and then the mode of the old one: chown clears
// bits of the mode.
func likeBefore(temp *os.File, before os.FileInfo) error {
	now, err := temp.Stat()
	if err != nil {
		return err
	}
	want, ok := before.Sys().(*syscall.Stat_t)
	have, ok2 := now.Sys().(*syscall.Stat_t)
	if !ok || !ok2 {
		return errors.New("cannot tell the owner of a file on this system")
	}
	if have.Uid != want.Uid || have.Gid != want.Gid {
		if err := temp.Chown(int(want.Uid), int(want.Gid)); err != nil {
			return fmt.Errorf("cannot keep owner %d and group %d of the file: %w", want.Uid, want.Gid, err)
		}
	}
	return temp.Chmod(before.Mode())
}

// syncDir makes a rename survive a crash.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
