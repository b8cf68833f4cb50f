package authhttp

import (
	"net/netip"
	"strings"
	"testing"
)

func okResponse(change func(r *Response)) Response {
	r := Response{Outcome: OK, Server: imapServer}
	change(&r)
	return r
}

func TestValidateRefuses(t *testing.T) {
	server := func(addr netip.Addr, port uint16) Response {
		return Response{Outcome: OK, Server: netip.AddrPortFrom(addr, port)}
	}
	const (
		control = "holds CR, LF or NUL"
		edge    = "begins or ends with a space or tab"
		address = "server address cannot be sent"
	)
	for _, tt := range []struct {
		name string
		in   Response
		want string // what the error begins with
	}{
		{"no server", Response{Outcome: OK}, address},
		{"invalid address", server(netip.Addr{}, 143), address},
		{"port 0", server(netip.MustParseAddr("192.0.2.1"), 0), address},
		{"address with a zone", server(netip.MustParseAddr("fe80::1%eth0"), 143), address},

		{"user with CR", okResponse(func(r *Response) { r.User = marker + "\rx" }), "Auth-User " + control},
		{"user with LF", okResponse(func(r *Response) { r.User = marker + "\nAuth-Server: 192.0.2.66" }), "Auth-User " + control},
		{"user with NUL", okResponse(func(r *Response) { r.User = "\x00" + marker }), "Auth-User " + control},
		{"user with a leading space", okResponse(func(r *Response) { r.User = " " + marker }), "Auth-User " + edge},
		{"user with a trailing tab", okResponse(func(r *Response) { r.User = marker + "\t" }), "Auth-User " + edge},
		{"user of one space", okResponse(func(r *Response) { r.User = " " }), "Auth-User " + edge},
		{"password with CR", okResponse(func(r *Response) { r.Password = marker + "\r" }), "Auth-Pass " + control},
		{"password with LF", okResponse(func(r *Response) { r.Password = "\n" + marker }), "Auth-Pass " + control},
		{"password with NUL", okResponse(func(r *Response) { r.Password = marker + "\x00" }), "Auth-Pass " + control},
		{"password with a trailing space", okResponse(func(r *Response) { r.Password = marker + " " }), "Auth-Pass " + edge},

		{"empty text", Response{Outcome: Reject}, "empty failure text"},
		{"text OK", Response{Outcome: Reject, Text: "OK"}, `failure text "OK" has another meaning`},
		{"text WAIT", Response{Outcome: TempFail, Text: "WAIT"}, `failure text "WAIT" has another meaning`},
		{"text with LF", Response{Outcome: Reject, Text: marker + "\nAuth-Status: OK"}, control},
		{"text with CR", Response{Outcome: Reject, Text: marker + "\r"}, control},
		{"text with NUL", Response{Outcome: TempFail, Text: "\x00" + marker}, control},
		{"text OK with a trailing space", Response{Outcome: Reject, Text: "OK "}, edge},
		{"text with a leading tab", Response{Outcome: Reject, Text: "\t" + marker}, edge},
		{"code with LF", Response{Outcome: Reject, Text: "no", Code: "535\n" + marker}, "Auth-Error-Code " + control},
		{"code with a trailing space", Response{Outcome: Reject, Text: "no", Code: "535 "}, "Auth-Error-Code " + edge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.in.Validate()
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Fatalf("error %v, want %s…", err, tt.want)
			}
			if strings.Contains(err.Error(), marker) {
				t.Errorf("error %q contains the value", err)
			}
		})
	}
}

func TestCheckTextAllows(t *testing.T) {
	for _, text := range []string{"ok", "wait", "OKAY", "OK, but no", "Ungültig", "a  b", "535 5.7.8 no", "-"} {
		if err := CheckText(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestValidateSize tests a failure and a success of MaxHead bytes, and of one more.
func TestValidateSize(t *testing.T) {
	reject := func(size int) Response {
		return Response{Outcome: Reject, Code: "535", Text: strings.Repeat("x", size-len("Auth-Status: \r\nAuth-Error-Code: 535\r\n"))}
	}
	good := func(size int) Response {
		head := len("Auth-Status: OK\r\nAuth-Server: 127.0.0.1\r\nAuth-Port: 143\r\nAuth-User: u\r\nAuth-Pass: \r\n")
		return okResponse(func(r *Response) { r.User, r.Password = "u", strings.Repeat("x", size-head) })
	}
	for name, of := range map[string]func(size int) Response{"reject": reject, "ok": good} {
		fits, over := of(MaxHead), of(MaxHead+1)
		if err := fits.Validate(); err != nil {
			t.Errorf("%s of %d bytes: %v", name, MaxHead, err)
		}
		if n := len(wire(t, fits)); n != MaxHead {
			t.Errorf("%s has %d bytes on the wire, want %d", name, n, MaxHead)
		}
		err := over.Validate()
		if err == nil || err.Error() != "response of 601 bytes: nginx has room for 600" {
			t.Errorf("%s of %d bytes: %v", name, MaxHead+1, err)
		}
	}
}
