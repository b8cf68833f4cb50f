package shadow

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"mailauthd/internal/authhttp"
)

// Header marks our requests to the script, and our answer to a request that has it. A request that arrives with it
// has come back to us.
const Header = "Mailauthd-Shadow"

// MaxHead is the largest size of the head of an HTTP response, in bytes. nginx takes 1024, but we need not forward
// what a web server adds.
const MaxHead = 4096

// Script is the script that is to be replaced.
type Script struct {
	Config
	transport *http.Transport
}

// Reply is what the script answered.
type Reply struct {
	Response authhttp.Response // valid, except that of a TempFail only the outcome is set
	Error    string            // with TempFail: why there is no answer; without secrets
	Took     time.Duration
}

// NewScript makes a Script. It opens no connection before the first request.
func NewScript(c Config) *Script {
	dialer := net.Dialer{KeepAlive: -1}
	return &Script{Config: c, transport: &http.Transport{ // without a proxy, and without HTTP/2
		DialContext:            dialer.DialContext,
		DisableKeepAlives:      true, // as nginx, and so no request is ever sent twice
		DisableCompression:     true,
		MaxConnsPerHost:        c.MaxRequests,
		MaxResponseHeaderBytes: MaxHead,
	}}
}

// Ask sends the headers of one request of nginx to the script, and waits for its answer, at most [Config].Timeout. It
// follows no redirect.
func (s *Script) Ask(ctx context.Context, h http.Header) Reply {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	response, err := s.ask(ctx, h)
	reply := Reply{Response: response, Took: time.Since(start)}
	if err != nil {
		reply.Response, reply.Error = authhttp.Response{}, err.Error()
	}
	return reply
}

func (s *Script) ask(ctx context.Context, h http.Header) (authhttp.Response, error) {
	if err := checkHeaders(h); err != nil {
		return authhttp.Response{}, err
	}
	r := (&http.Request{Method: http.MethodGet, URL: s.URL, Host: s.URL.Host, Header: forwarded(h)}).WithContext(ctx)
	response, err := s.transport.RoundTrip(r)
	if err != nil {
		return authhttp.Response{}, s.whyNoAnswer(err)
	}
	response.Body.Close() // nginx ignores it, too
	return readAnswer(response)
}

// hopHeaders are the headers that belong to the connection to us.
var hopHeaders = []string{
	"Connection", "Content-Length", "Content-Type", "Expect", "Host", "Keep-Alive", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
}

// forwarded returns the headers for the script: those that nginx sent, and the mark.
func forwarded(h http.Header) http.Header {
	to := make(http.Header, len(h)+2)
	for name, values := range h {
		if !slices.Contains(hopHeaders, name) {
			to[name] = values
		}
	}
	if _, ok := to["User-Agent"]; !ok {
		to["User-Agent"] = nil // else net/http sends its own
	}
	to[Header] = []string{"1"}
	return to
}

// checkHeaders refuses what net/http would refuse to send, because its error would not say what is wrong.
func checkHeaders(h http.Header) error {
	for name, values := range h {
		for _, v := range values {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				return fmt.Errorf("header %s has a control character, so it cannot be sent to the script", name)
			}
		}
	}
	return nil
}

// whyNoAnswer describes an error of net/http, whose own text may quote what the script sent.
func (s *Script) whyNoAnswer(err error) error {
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %v", s.Timeout)
	case errors.Is(err, context.Canceled):
		return errors.New("not waited for, because mailauthd stops")
	case errors.As(err, &network): // without addresses: the local port is always another one
		return network.Err
	case errors.As(err, &certificate):
		return certificate
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("connection closed before the end of the response head")
	}
	return fmt.Errorf("no valid HTTP response with a head of at most %d bytes", MaxHead)
}
