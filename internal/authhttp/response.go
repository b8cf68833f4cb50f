package authhttp

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// MaxHead bounds the bytes of our response headers. nginx reads the whole head into
// 1024 bytes, and Apache or nginx between adds a status line and some 200 bytes.
const MaxHead = 600

// Outcome is the decision on a request. The zero value is TempFail: what nobody
// decided is not let in.
type Outcome int

// The three outcomes.
const (
	TempFail Outcome = iota // could not be decided; the client may try again later
	Reject                  // a definite no
	OK
)

func (o Outcome) String() string {
	switch o {
	case OK:
		return "ok"
	case Reject:
		return "reject"
	}
	return "tempfail"
}

// Response is the answer to nginx.
type Response struct {
	Outcome Outcome

	// With OK: where nginx logs the client in, and as whom, if not as the
	// client itself said.
	Server   netip.AddrPort
	User     string
	Password string

	// Otherwise: what the client is told, and for SMTP the reply code before it
	// (empty: nginx's own, "535 5.7.0").
	Text string
	Code string

	// Wait, sent in whole seconds, makes nginx answer so much later and let the client try
	// again in the same connection. 0: it closes the connection.
	Wait time.Duration
}

// Status is the value of Auth-Status.
func (r *Response) Status() string {
	if r.Outcome == OK {
		return "OK"
	}
	return r.Text
}

// Check says why a response cannot be sent to nginx, nil if it can.
func (r *Response) Check() error {
	if r.Outcome == OK {
		if a := r.Server.Addr(); !a.IsValid() || a.Zone() != "" || r.Server.Port() == 0 {
			return errors.New("server address cannot be sent to nginx")
		}
	} else if err := CheckText(r.Text); err != nil {
		return err
	}
	fields := r.fields()
	for _, f := range fields {
		if err := CheckValue(f.value); err != nil {
			return fmt.Errorf("%s %w", f.name, err)
		}
	}
	if size := sizeOf(fields); size > MaxHead {
		return fmt.Errorf("response of %d bytes: nginx has room for %d", size, MaxHead)
	}
	return nil
}

// sizeOf is the number of bytes of the head.
func sizeOf(fields []field) int {
	size := 0
	for _, f := range fields {
		size += len(f.name) + len(": ") + len(f.value) + len("\r\n")
	}
	return size
}

// PasswordRoom returns the largest number of bytes of a password that can be sent to nginx
// along with a user name, whatever the server's address and port.
func PasswordRoom(user string) int {
	longest := netip.AddrFrom16([16]byte(bytes.Repeat([]byte{0xff}, 16)))
	r := Response{Outcome: OK, Server: netip.AddrPortFrom(longest, math.MaxUint16), User: user, Password: "x"}
	return max(0, MaxHead-sizeOf(r.fields())+len(r.Password))
}

// CheckText says why a text cannot be told to a client as a failure: nginx takes
// "OK" and "WAIT" for itself, and an empty text for success.
func CheckText(text string) error {
	switch text {
	case "":
		return errors.New("empty failure text")
	case "OK", "WAIT":
		return fmt.Errorf("failure text %q means something else to nginx", text)
	}
	return CheckValue(text)
}

// CheckValue says why a value cannot be sent to nginx as it is, without naming it.
func CheckValue(value string) error {
	if strings.ContainsAny(value, "\x00\r\n") {
		return errors.New("holds CR, LF or NUL, which cannot be sent to nginx")
	}
	if strings.Trim(value, " \t") != value {
		return errors.New("begins or ends with a space or tab, which is lost on the way to nginx")
	}
	return nil
}

// WriteHeader sets the headers of a response that [Response.Check] passed.
func (r *Response) WriteHeader(h http.Header) {
	for _, f := range r.fields() {
		h[f.name] = []string{f.value}
	}
}

type field struct{ name, value string }

// fields are the headers in canonical spelling. Never more than needed: auth.php
// sent three for a success and one for a failure.
func (r *Response) fields() []field {
	fields := []field{{"Auth-Status", r.Status()}}
	if r.Outcome != OK {
		if r.Wait > 0 {
			fields = append(fields, field{"Auth-Wait", strconv.Itoa(int((r.Wait + time.Second - 1) / time.Second))})
		}
		return appendSet(fields, "Auth-Error-Code", r.Code)
	}
	fields = append(fields,
		field{"Auth-Server", r.Server.Addr().Unmap().String()},
		field{"Auth-Port", strconv.Itoa(int(r.Server.Port()))})
	fields = appendSet(fields, "Auth-User", r.User)
	return appendSet(fields, "Auth-Pass", r.Password)
}

func appendSet(fields []field, name, value string) []field {
	if value == "" {
		return fields
	}
	return append(fields, field{name, value})
}
