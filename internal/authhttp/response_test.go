package authhttp

import (
	"bufio"
	"net/http"
	"net/netip"
	"net/textproto"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

var imapServer = netip.MustParseAddrPort("127.0.0.1:143")

// responses is a table for both directions. The header lines are in the order of their names.
var responses = []struct {
	name string
	in   Response
	wire string
}{
	{"ok", Response{Outcome: OK, Server: imapServer},
		"Auth-Port: 143\r\nAuth-Server: 127.0.0.1\r\nAuth-Status: OK\r\n"},
	{"ok, IPv6 without brackets", Response{Outcome: OK, Server: netip.MustParseAddrPort("[2001:db8::25]:993")},
		"Auth-Port: 993\r\nAuth-Server: 2001:db8::25\r\nAuth-Status: OK\r\n"},
	{"ok, highest port", Response{Outcome: OK, Server: netip.MustParseAddrPort("[::1]:65535")},
		"Auth-Port: 65535\r\nAuth-Server: ::1\r\nAuth-Status: OK\r\n"},
	{"ok, another name", Response{Outcome: OK, Server: imapServer, User: "bob@domain1.com"},
		"Auth-Port: 143\r\nAuth-Server: 127.0.0.1\r\nAuth-Status: OK\r\nAuth-User: bob@domain1.com\r\n"},
	{"ok, a password that is not UTF-8; nothing is escaped", Response{Outcome: OK, Server: imapServer, User: "b ob", Password: "100% p\xe4ss+"},
		"Auth-Pass: 100% p\xe4ss+\r\nAuth-Port: 143\r\nAuth-Server: 127.0.0.1\r\nAuth-Status: OK\r\nAuth-User: b ob\r\n"},
	{"reject", Response{Outcome: Reject, Text: "Invalid login or password"},
		"Auth-Status: Invalid login or password\r\n"},
	{"reject with codes", Response{Outcome: Reject, Text: "Invalid login or password", Code: "535 5.7.8"},
		"Auth-Error-Code: 535 5.7.8\r\nAuth-Status: Invalid login or password\r\n"},
	{"tempfail", Response{Outcome: TempFail, Text: "[UNAVAILABLE] Temporary authentication failure"},
		"Auth-Status: [UNAVAILABLE] Temporary authentication failure\r\n"},
	{"tempfail by SMTP", Response{Text: "Temporary authentication failure", Code: "454 4.7.0"},
		"Auth-Error-Code: 454 4.7.0\r\nAuth-Status: Temporary authentication failure\r\n"},
}

func TestWriteHeader(t *testing.T) {
	for _, tt := range responses {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.in.Validate(); err != nil {
				t.Error(err)
			}
			if got := wire(t, tt.in); got != tt.wire {
				t.Errorf("got\n%s, want\n%s", got, tt.wire)
			}
		})
	}
}

// TestResponseReadBack reads the header lines of the table as nginx does.
func TestResponseReadBack(t *testing.T) {
	for _, tt := range responses {
		t.Run(tt.name, func(t *testing.T) {
			if got := readResponse(t, tt.wire); !reflect.DeepEqual(got, normalised(tt.in)) {
				t.Errorf("nginx would read\n%+v, want\n%+v", got, normalised(tt.in))
			}
		})
	}
}

// normalised removes what nginx cannot see: the two failures differ only in their text.
func normalised(r Response) Response {
	if r.Outcome != OK {
		r.Outcome = TempFail
	}
	return r
}

func wire(t *testing.T, r Response) string {
	t.Helper()
	h := http.Header{"Auth-Status": {"old", "older"}}
	r.WriteHeader(h)
	var b strings.Builder
	if err := h.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func readResponse(t *testing.T, wire string) Response {
	t.Helper()
	h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(wire + "\r\n"))).ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	status := h.Get("Auth-Status")
	if status != "OK" {
		return Response{Text: status, Code: h.Get("Auth-Error-Code")}
	}
	addr, err := netip.ParseAddr(h.Get("Auth-Server"))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(h.Get("Auth-Port"), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return Response{Outcome: OK, Server: netip.AddrPortFrom(addr, uint16(port)), User: h.Get("Auth-User"), Password: h.Get("Auth-Pass")}
}

// TestWriteHeaderOneWay tests responses that cannot be read back unchanged.
func TestWriteHeaderOneWay(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   Response
		wire string
	}{
		{"IPv4-mapped IPv6 address", Response{Outcome: OK, Server: netip.MustParseAddrPort("[::ffff:192.0.2.1]:110")},
			"Auth-Port: 110\r\nAuth-Server: 192.0.2.1\r\nAuth-Status: OK\r\n"},
		{"ok omits the fields of a failure", Response{Outcome: OK, Server: imapServer, Text: "no", Code: "535"},
			"Auth-Port: 143\r\nAuth-Server: 127.0.0.1\r\nAuth-Status: OK\r\n"},
		{"reject omits the fields of a success", Response{Outcome: Reject, Text: "no", Server: imapServer, User: "u", Password: marker},
			"Auth-Status: no\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.in.Validate(); err != nil {
				t.Error(err)
			}
			if got := wire(t, tt.in); got != tt.wire {
				t.Errorf("got\n%s, want\n%s", got, tt.wire)
			}
		})
	}
}

func TestOutcome(t *testing.T) {
	for o, want := range map[Outcome]string{TempFail: "tempfail", Reject: "reject", OK: "ok", -1: "tempfail", 99: "tempfail"} {
		if got := o.String(); got != want {
			t.Errorf("outcome %d is %s, want %s", int(o), got, want)
		}
	}
	var zero Response
	if zero.Outcome != TempFail || zero.Status() == "OK" || zero.Validate() == nil {
		t.Error("the zero Response lets a client in")
	}
}

func TestWait(t *testing.T) {
	for wait, want := range map[time.Duration]string{0: "", 1: "1", time.Second: "1", 1500 * time.Millisecond: "2", 15 * time.Second: "15"} {
		h := make(http.Header)
		r := Response{Outcome: Reject, Text: "no", Wait: wait}
		r.WriteHeader(h)
		if got := h.Get("Auth-Wait"); got != want {
			t.Errorf("%v: Auth-Wait %q, want %q", wait, got, want)
		}
	}
	h := make(http.Header)
	good := Response{Outcome: OK, Server: netip.MustParseAddrPort("192.0.2.1:143"), Wait: time.Second}
	good.WriteHeader(h)
	if h.Get("Auth-Wait") != "" {
		t.Errorf("a success has Auth-Wait %q", h.Get("Auth-Wait"))
	}
}

func TestPasswordRoom(t *testing.T) {
	longest := netip.MustParseAddrPort("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535")
	for _, user := range []string{"", "bob@domain1.com", strings.Repeat("u", 400)} {
		room := PasswordRoom(user)
		for n, fits := range map[int]bool{room: true, room + 1: false} {
			r := Response{Outcome: OK, Server: longest, User: user, Password: strings.Repeat("x", n)}
			if err := r.Validate(); (err == nil) != fits {
				t.Errorf("user name of %d bytes, password of %d bytes: error %v", len(user), n, err)
			}
		}
	}
	if room := PasswordRoom(strings.Repeat("u", MaxUser)); room != 0 {
		t.Errorf("PasswordRoom of the longest user name = %d, want 0", room)
	}
}
