package shadow

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"mailauthd/internal/authhttp"
)

// The headers of an answer, in canonical form. All others are ignored, as by nginx.
const (
	statusHeader = "Auth-Status"
	serverHeader = "Auth-Server"
	portHeader   = "Auth-Port"
	userHeader   = "Auth-User"
	passHeader   = "Auth-Pass"
	waitHeader   = "Auth-Wait"
	codeHeader   = "Auth-Error-Code"
	saslHeader   = "Auth-Error-Sasl"
)

const loop = "[shadow] url leads back to mailauthd"

// readAnswer reads the script's answer as nginx does: only headers count, not the status line. It returns an error if
// nginx could not use the answer.
func readAnswer(r *http.Response) (authhttp.Response, error) {
	h := r.Header
	if _, ok := h[Header]; ok {
		return authhttp.Response{}, errors.New(loop)
	}
	for _, name := range []string{statusHeader, serverHeader, portHeader, userHeader, passHeader, waitHeader, codeHeader, saslHeader} {
		if len(h[name]) > 1 {
			return authhttp.Response{}, fmt.Errorf("%s more than once", name)
		}
	}
	status, ok := h[statusHeader]
	switch {
	case !ok:
		return authhttp.Response{}, fmt.Errorf("no Auth-Status (HTTP status %d)", r.StatusCode)
	case status[0] == "" || status[0] == "WAIT": // success in SMTP, and a request to ask again
		return authhttp.Response{}, fmt.Errorf("Auth-Status is %q, which mailauthd does not pass on", status[0])
	}
	answer := failure(h)
	if status[0] == "OK" {
		server, err := destination(h)
		if err != nil {
			return authhttp.Response{}, err
		}
		answer = authhttp.Response{Outcome: authhttp.OK, Server: server, User: h.Get(userHeader), Password: h.Get(passHeader)}
	}
	return answer, answer.Validate()
}

func failure(h http.Header) authhttp.Response {
	seconds, err := strconv.ParseUint(h.Get(waitHeader), 10, 16)
	if err != nil { // nginx takes an invalid number for none
		seconds = 0
	}
	return authhttp.Response{
		Outcome: authhttp.Reject,
		Text:    h.Get(statusHeader),
		Wait:    time.Duration(seconds) * time.Second,
		Code:    h.Get(codeHeader),
		SASL:    h.Get(saslHeader),
	}
}

// destination reads where nginx is to log in. nginx resolves no names.
func destination(h http.Header) (netip.AddrPort, error) {
	addr, err := netip.ParseAddr(h.Get(serverHeader))
	if err != nil {
		return netip.AddrPort{}, errors.New("Auth-Server is not an IP address")
	}
	port, err := strconv.ParseUint(h.Get(portHeader), 10, 16)
	if err != nil || port == 0 {
		return netip.AddrPort{}, errors.New("Auth-Port is not a number from 1 to 65535")
	}
	return netip.AddrPortFrom(addr, uint16(port)), nil
}
