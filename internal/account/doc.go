// Package account tells what another user of this machine may do with files.
//
// # Rights
//
// [User.Do] runs a function in a thread that has the ids and the groups of a user. There [Check]
// asks the kernel. So the answer counts access control lists, read-only file systems and everything
// else that mode bits do not show. Only root can do that for another user, and only on Linux; any
// other process, and any other system, gets an error.
//
// The kernel has ids for each thread (credentials(7)), and the thread ends with the function, so no
// other part of the process is affected.
//
// # Units
//
// [ReadUnit] reads from a systemd unit what it adds to the rights of its user: groups, directories
// that systemd makes when the service starts, and whether the rest of the file system is read-only.
package account
