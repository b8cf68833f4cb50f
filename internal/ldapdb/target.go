package ldapdb

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"mailauthd/internal/route"
)

// target is one of the servers, which are asked in turn.
type target struct {
	uri              string
	network, address string
	host             string // the name that the certificate must have
	tls              bool   // from the first byte
	breaker          *route.Breaker
	notAfter         atomic.Int64 // when its certificate ends, in seconds since 1970; 0: none was seen
}

func parseURI(uri string) (*target, error) {
	scheme, rest, _ := strings.Cut(uri, "://")
	switch scheme {
	case "ldapi":
		path, err := url.PathUnescape(rest)
		if err != nil || !strings.HasPrefix(path, "/") {
			return nil, fmt.Errorf("uri %q: not the path of a socket, such as ldapi://%%2frun%%2fslapd%%2fldapi", uri)
		}
		return &target{uri: uri, network: "unix", address: path}, nil
	case "ldap":
		return parseHost(uri, "389", false)
	case "ldaps":
		return parseHost(uri, "636", true)
	}
	if strings.Contains(uri, "@") {
		return nil, errors.New("uri begins with neither ldap://, ldaps:// nor ldapi://")
	}
	return nil, fmt.Errorf("uri %q begins with neither ldap://, ldaps:// nor ldapi://", uri)
}

func parseHost(uri, port string, tls bool) (*target, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, errors.New("uri is damaged; write it like ldaps://dc1.example:636")
	}
	if u.User != nil {
		return nil, errors.New("uri has a user name; write it as auth_dn")
	}
	if u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("uri %q: only a host and a port are allowed, such as ldaps://dc1.example:636", uri)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	return &target{
		uri: uri, network: "tcp", address: net.JoinHostPort(u.Hostname(), port), host: u.Hostname(), tls: tls,
	}, nil
}

// local reports whether nobody else can read what is sent to the server.
func (t *target) local() bool {
	if t.network == "unix" || t.host == "localhost" {
		return true
	}
	ip := net.ParseIP(t.host)
	return ip != nil && ip.IsLoopback()
}

// saw notes when the server's certificate ends.
func (t *target) saw(state tls.ConnectionState) error {
	if len(state.PeerCertificates) > 0 {
		t.notAfter.Store(state.PeerCertificates[0].NotAfter.Unix())
	}
	return nil
}

// firstEnd returns when the first of the servers' certificates ends.
func (d *DB) firstEnd() (first time.Time) {
	for _, t := range d.targets {
		if at := t.notAfter.Load(); at != 0 && (first.IsZero() || at < first.Unix()) {
			first = time.Unix(at, 0)
		}
	}
	return first
}
