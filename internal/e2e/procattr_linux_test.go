package e2e

import "syscall"

// procAttr puts a program into a process group of its own, so that its workers can be
// ended with it, and has the kernel end it if the test dies without its cleanups.
func procAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
