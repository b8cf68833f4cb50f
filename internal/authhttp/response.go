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

// MaxHead is the largest size of our response headers, in bytes. nginx reads the whole head
// into 1024 bytes, and a web server in between adds a status line and some 200 bytes.
const MaxHead = 600

// Outcome is the decision on a request. The zero value is TempFail, so that a response whose
// outcome was never set lets nobody in.
type Outcome int

// The three outcomes.
const (
	TempFail Outcome = iota // no decision was possible; the client may try again later
	Reject                  // the login is refused
	OK                      // the login is accepted
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

	// With OK only. nginx logs in to Server for the client. An empty User or Password
	// leaves nginx the one that the client sent.
	Server   netip.AddrPort
	User     string
	Password string

	// With TempFail and Reject only. nginx sends Text to the client, in SMTP after the
	// reply code Code. If Code is empty, nginx sends "535 5.7.0". freenginx also sends SASL,
	// in base64, after a token that was refused.
	Text string
	Code string
	SASL string

	// Wait, with TempFail and Reject only, is how long nginx waits before it answers the
	// client, rounded up to seconds. The client may then try again in the same connection.
	// If Wait is 0, nginx answers at once and closes the connection.
	Wait time.Duration
}

// Status returns the value of the Auth-Status header.
func (r *Response) Status() string {
	if r.Outcome == OK {
		return "OK"
	}
	return r.Text
}

// Validate returns an error if the response cannot be sent to nginx. The error never contains
// a user name or password.
func (r *Response) Validate() error {
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

// sizeOf returns the size of the response head in bytes.
func sizeOf(fields []field) int {
	size := 0
	for _, f := range fields {
		size += len(f.name) + len(": ") + len(f.value) + len("\r\n")
	}
	return size
}

// PasswordRoom returns the length in bytes of the longest password that can be sent to nginx
// together with a user name, whatever the server's address and port.
func PasswordRoom(user string) int {
	longest := netip.AddrFrom16([16]byte(bytes.Repeat([]byte{0xff}, 16)))
	r := Response{Outcome: OK, Server: netip.AddrPortFrom(longest, math.MaxUint16), User: user, Password: "x"}
	return max(0, MaxHead-sizeOf(r.fields())+len(r.Password))
}

// CheckText returns an error if text cannot be sent as the text of a failure. nginx gives
// "OK" and "WAIT" a meaning of their own, and takes an empty text for success.
func CheckText(text string) error {
	switch text {
	case "":
		return errors.New("empty failure text")
	case "OK", "WAIT":
		return fmt.Errorf("failure text %q has another meaning to nginx: choose another text", text)
	}
	return CheckValue(text)
}

// CheckValue returns an error if value cannot be sent to nginx unchanged. The error does not
// contain the value.
func CheckValue(value string) error {
	if strings.ContainsAny(value, "\x00\r\n") {
		return errors.New("holds CR, LF or NUL, which cannot be sent to nginx")
	}
	if strings.Trim(value, " \t") != value {
		return errors.New("begins or ends with a space or tab, which is lost on the way to nginx")
	}
	return nil
}

// CheckSubstitute returns an error if value cannot be sent to nginx in place of the client's user name or
// password. The error does not contain the value.
func CheckSubstitute(value string) error {
	if len(value) > MaxUser {
		return fmt.Errorf("must be at most %d bytes long", MaxUser)
	}
	return CheckValue(value)
}

// WriteHeader sets the headers of the response. Call [Response.Validate] before.
func (r *Response) WriteHeader(h http.Header) {
	for _, f := range r.fields() {
		h[f.name] = []string{f.value}
	}
}

type field struct{ name, value string }

// fields returns the headers, with names in canonical form. nginx's buffer is small, so there
// are no more than needed: as in auth.php, three for a success and one for a failure.
func (r *Response) fields() []field {
	fields := []field{{"Auth-Status", r.Status()}}
	if r.Outcome != OK {
		if r.Wait > 0 {
			fields = append(fields, field{"Auth-Wait", strconv.Itoa(int((r.Wait + time.Second - 1) / time.Second))})
		}
		fields = appendSet(fields, "Auth-Error-Code", r.Code)
		return appendSet(fields, "Auth-Error-Sasl", r.SASL)
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
