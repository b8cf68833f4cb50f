//go:build !linux

package account

import "fmt"

// Do runs f if the process runs as the user already.
func (u *User) Do(f func()) error {
	if u.IsSelf() {
		f()
		return nil
	}
	return fmt.Errorf("on this system files cannot be looked at as user %q: run the command as that user", u.Name)
}
