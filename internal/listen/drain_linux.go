package listen

import "golang.org/x/sys/unix"

// refuseTCP makes the kernel ignore new connections (SYN) to a listening socket. Those whose handshake has begun go
// on. A client sends its SYN again after a second: by then another process listens, or the kernel refuses it.
//
// Shutdown would reset the connections in the queue, unlike that of a unix socket. So the socket gets a filter for
// incoming segments (SO_ATTACH_FILTER in socket(7)), which reads their flags (RFC 9293 section 3.1).
func refuseTCP(fd int) {
	const offset, syn, drop, keep = 13, 2, 0, 1 << 18
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: offset},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, Jt: 0, Jf: 1, K: syn},
		{Code: unix.BPF_RET | unix.BPF_K, K: drop},
		{Code: unix.BPF_RET | unix.BPF_K, K: keep},
	}
	_ = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}
