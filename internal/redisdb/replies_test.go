package redisdb

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
)

func TestReplies(t *testing.T) {
	many := strings.Repeat("*1\r\n", maxDepth)
	for _, tt := range []struct {
		name, sent string
		want       error
	}{
		{"all types", "+OK\r\n-ERR no\r\n:-5\r\n$3\r\na\nb\r\n$0\r\n\r\n$-1\r\n*0\r\n*-1\r\n", nil},
		{"arrays", "*3\r\n*2\r\n:1\r\n$1\r\nx\r\n*0\r\n$-1\r\n+OK\r\n", nil},
		{"a string that looks like a length", "$5\r\n*99\r\n\r\n:1\r\n", nil},
		{"long replies one after another", strings.Repeat("*300000\r\n"+strings.Repeat(":1\r\n", 300000), 5), nil},
		{"a string of the largest length", "$9223372036854775807\r\n", errLongReply},
		{"a string of more than 16 MiB", "$16777217\r\n", errLongReply},
		{"an array of the largest length", "*9223372036854775807\r\n", errLongReply},
		{"an array of more than 16 MiB", "*1048577\r\n", errLongReply},
		{"many arrays in one", "*4\r\n*500000\r\n*500000\r\n*500000\r\n", errLongReply},
		{"many strings in one", "*20\r\n" + strings.Repeat("$1000000\r\n"+strings.Repeat("x", 1000000)+"\r\n", 20), errLongReply},
		{"deep arrays", many + "*1\r\n", errLongReply},
		{"deep arrays that end", many[4:] + ":1\r\n" + many[4:] + ":1\r\n", nil},
		{"a line without end", "+" + strings.Repeat("x", maxLine), errLongReply},
		{"no length", "$x\r\n", errReply},
		{"types of RESP3", "%2\r\n+a\r\n#t\r\n+b\r\n~1\r\n,1.5\r\n>2\r\n_\r\n(12\r\n=5\r\ntxt:a\r\n!1\r\nx\r\n%0\r\n", nil},
		{"a map of more than 16 MiB", "%524289\r\n", errLongReply},
		{"an attribute", "|1\r\n", errReply},
		{"a string without a length", "$?\r\n", errReply},
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n", errReply},
		{"an empty line", "\r\n", errReply},
	} {
		for _, size := range []int{1, 7, 4096} {
			var r replies
			var err error
			for rest := []byte(tt.sent); len(rest) > 0 && err == nil; {
				n := min(size, len(rest))
				err = r.check(rest[:n])
				rest = rest[n:]
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("%s, %d bytes at a time: %v, want %v", tt.name, size, err, tt.want)
			}
			if err == nil && (len(r.open) > 0 || r.used > 0 || r.skip > 0) {
				t.Errorf("%s, %d bytes at a time: not at the end of a reply: %+v", tt.name, size, r)
			}
		}
	}
}

// A reply that announces more than it may sets Redis aside, and does not end the process.
func TestHugeReply(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Read(make([]byte, 4096))
				_, _ = io.WriteString(c, "$9223372036854775807\r\n")
				_, _ = c.Read(make([]byte, 4096))
			}()
		}
	}()
	m := newMachine(t, Config{Addresses: []string{l.Addr().String()}})
	poll(t, "no error", func() bool {
		_, _, err := m.Up()
		return errors.Is(err, errLongReply)
	})
}

// The library must be able to see that an idle connection was closed.
func TestCheckedSocket(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if _, ok := checked(a).(syscall.Conn); ok {
		t.Error("a connection without a socket seems to have one")
	}
	if _, ok := checked(new(net.TCPConn)).(syscall.Conn); !ok {
		t.Error("a TCP connection seems to have no socket")
	}
}
