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
	MaxFile   = 256 << 20        // the largest size of the file in bytes, before and after the edit
	LockWait  = 10 * time.Second // how long to wait for a lock that another edit holds
	lockRetry = 20 * time.Millisecond
)

// WriteAtomic replaces the content of the file path by the result of edit. A reader sees either
// the old or the new content as a whole, also after a crash. If edit returns an error or the old
// content, nothing is written. WriteAtomic returns the error of edit unchanged.
//
// Only one edit of a configuration runs at a time, whichever of its files it changes. So edit
// may read the other files too. WriteAtomic takes a lock by flock(2) on main, the main file of
// the configuration, which must be readable but need not be writable. It then locks the edited
// file, because another configuration may include that file too. There are no lock files.
//
// If a program that takes no lock changes the file before the rename, WriteAtomic notices,
// writes nothing and returns an error. It keeps the owner, group and mode of the file, or
// returns an error. It does not keep access control lists, other extended attributes and other
// hard links. If path is a symbolic link, the file that it points to is replaced.
//
// There is no backup. No temporary file is left after an error. Its name does not have the
// suffix of the file's name, so an include pattern such as "users.d/*.toml" does not match it.
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

// lock opens a file, and locks it unless it is the file held, which is locked already. If the file
// was replaced while lock waited, it tries again with the new file.
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

// tryLock returns neither a file nor an error if the caller should try again. The name of the
// file has no symbolic links.
func tryLock(path string, held *os.File) (*os.File, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // opening a pipe must not wait for a writer
	if err != nil {
		return nil, err
	}
	locked, err := lockOpened(f, held)
	if !locked {
		f.Close()
		return nil, err
	}
	return f, nil
}

// lockOpened locks an open file, unless it is the file held, because a second flock would wait
// for the first. It reports whether the lock was free and the file still has its name.
func lockOpened(f, held *os.File) (bool, error) {
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

// replace replaces a locked file by a new one.
func replace(path string, before os.FileInfo, content []byte) error {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("cannot create the new file, because the directory must be writable: %w", err)
	}
	defer os.Remove(temp.Name()) // fails after the rename, when there is no such file
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
		return fmt.Errorf("%s: another program changed the file without a lock: nothing was written, try again", path)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// likeBefore gives a new file the owner and the mode of the old file. The mode is set last,
// because chown clears bits of it.
func likeBefore(temp *os.File, before os.FileInfo) error {
	now, err := temp.Stat()
	if err != nil {
		return err
	}
	want, ok := before.Sys().(*syscall.Stat_t)
	have, ok2 := now.Sys().(*syscall.Stat_t)
	if !ok || !ok2 {
		return errors.New("cannot find the owner of a file on this system")
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
