//go:build linux && (386 || arm)

package account

import "golang.org/x/sys/unix"

// The calls without 32 take ids of 16 bits here.
const (
	sysSetgroups = unix.SYS_SETGROUPS32
	sysSetresgid = unix.SYS_SETRESGID32
	sysSetresuid = unix.SYS_SETRESUID32
)
