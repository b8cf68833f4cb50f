package listen

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	longest := "/" + strings.Repeat("s", MaxPath-1)
	for _, tt := range []struct {
		in   string
		want Address
	}{
		{"unix:/run/mailauthd/fastcgi.sock", Address{"unix", "/run/mailauthd/fastcgi.sock"}},
		{"unix:/run/a:b.sock", Address{"unix", "/run/a:b.sock"}},
		{"unix:" + longest, Address{"unix", longest}},
		{"127.0.0.1:9000", Address{"tcp", "127.0.0.1:9000"}},
		{"[::1]:9000", Address{"tcp", "[::1]:9000"}},
		{"localhost:8008", Address{"tcp", "localhost:8008"}},
		{":65535", Address{"tcp", ":65535"}},
		{"0.0.0.0:1", Address{"tcp", "0.0.0.0:1"}},
		{"fd:0", Address{"fd", "0"}},
		{"fd:3", Address{"fd", "3"}},
		{"systemd:fastcgi", Address{"systemd", "fastcgi"}},
		{"systemd:mailauthd.socket", Address{"systemd", "mailauthd.socket"}},
	} {
		got, err := Parse(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v", tt.in, got, err, tt.want)
		}
		if got.String() != tt.in {
			t.Errorf("Parse(%q).String() = %q", tt.in, got.String())
		}
	}
}

// The text may be a password in the wrong place, so no error contains it.
func TestParseRefuses(t *testing.T) {
	const (
		path   = "want an absolute path of at most 96 bytes"
		number = "want the number of an inherited socket, such as fd:0"
		name   = "want the socket's FileDescriptorName=, such as systemd:fastcgi"
		kind   = "want unix:/PATH, ADDRESS:PORT, fd:0 or systemd:NAME"
		port   = "port must be 1 to 65535"
	)
	for _, tt := range []struct{ in, want string }{
		{"", kind},
		{"9000", kind},
		{"127.0.0.1", kind},
		{"/run/fastcgi.sock", kind},
		{"::1:9000", kind},
		{"[::1]", kind},
		{"127.0.0.1:", port},
		{"127.0.0.1:0", port},
		{"127.0.0.1:65536", port},
		{"127.0.0.1:-1", port},
		{"127.0.0.1:http", port},
		{"unix:", path},
		{"unix", path},
		{"unix:run/fastcgi.sock", path},
		{"unix:@abstract", path},
		{"unix:/" + strings.Repeat("s", MaxPath), path},
		{"fd:", number},
		{"fd:1", number},
		{"fd:2", number},
		{"fd:-1", number},
		{"fd:stdin", number},
		{"fd:65536", number},
		{"systemd:", name},
		{"systemd", name},
	} {
		got, err := Parse(tt.in)
		if err == nil || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("Parse(%q) = %+v, %v; want an error that says %q", tt.in, got, err, tt.want)
		}
	}
	const secret = "hunter2"
	for _, in := range []string{secret, "unix:" + secret, "fd:" + secret, secret + ":x", "127.0.0.1:" + secret} {
		if _, err := Parse(in); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("error %v, want one that does not contain the address", err)
		}
	}
}
