package account

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Do runs f with the rights of the user. f must not start goroutines, because they would not have these rights.
func (u *User) Do(f func()) error {
	if u.IsSelf() {
		f()
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("only root can look at files as user %q", u.Name)
	}
	done := make(chan error, 1)
	inOwnThread(func() {
		err := u.become()
		if err == nil {
			f()
		}
		done <- err
	})
	return <-done
}

// inOwnThread runs f in a thread that ends with f. That cannot be the first thread, whose ids are those that ps(1)
// shows.
func inOwnThread(f func()) {
	go func() {
		runtime.LockOSThread() // if it is not unlocked, the thread ends with the goroutine
		if unix.Gettid() != unix.Getpid() {
			f()
			return
		}
		done := make(chan struct{})
		go func() { // gets another thread, because this one is locked
			defer close(done)
			runtime.LockOSThread()
			f()
		}()
		<-done
		runtime.UnlockOSThread()
	}()
}

// become gives the calling thread the user's ids. The functions of packages syscall and unix would change all threads.
func (u *User) become() error {
	groups := make([]uint32, len(u.Groups))
	for i, g := range u.Groups {
		groups[i] = uint32(g)
	}
	uid, gid := uintptr(u.UID), uintptr(u.GID)
	_, _, errno := unix.RawSyscall(sysSetgroups, uintptr(len(groups)), uintptr(unsafe.Pointer(unsafe.SliceData(groups))), 0)
	if errno == 0 {
		_, _, errno = unix.RawSyscall(sysSetresgid, gid, gid, gid)
	}
	if errno == 0 {
		_, _, errno = unix.RawSyscall(sysSetresuid, uid, uid, uid)
	}
	if errno != 0 {
		return fmt.Errorf("cannot look at files as user %q: %w", u.Name, errno)
	}
	return nil
}
