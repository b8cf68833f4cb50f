//go:build !linux

package listen

// refuseTCP does nothing: a connection that is made between the last accept and the close is reset.
func refuseTCP(int) {}
