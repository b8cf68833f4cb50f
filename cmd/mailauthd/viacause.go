package main

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"syscall"

	"mailauthd/internal/authhttp"
)

// identity returns version and process of the mailauthd that answered, or nothing if something else did.
func (a *viaAnswer) identity() string { return a.header.Get(authhttp.Identity) }

// verdict says which service answered and, if it is no answer for nginx, the likely cause.
func (a *viaAnswer) verdict() []string {
	lines := []string{"answered by: something else" + a.software()}
	if id := a.identity(); id != "" {
		lines[0] = "answered by: mailauthd " + id
	}
	if a.header.Get("Auth-Status") == "" {
		lines = append(lines, "status "+a.status+": "+a.cause())
	}
	return lines
}

// software returns what a service that is not mailauthd says about itself.
func (a *viaAnswer) software() string {
	var named []string
	for _, name := range []string{"Server", "X-Powered-By", "Via"} {
		if value := a.header.Get(name); value != "" {
			named = append(named, name+": "+value)
		}
	}
	if named == nil {
		return ""
	}
	return " (" + strings.Join(named, ", ") + ")"
}

// cause returns the likely cause of an answer without Auth-Status, and what to do.
func (a *viaAnswer) cause() string {
	switch {
	case strings.Contains(a.body, "<?php") || strings.Contains(a.body, "<?="):
		return "the body is PHP source, because the web server has no handler for PHP there: turn the handler on, or let the web server ask mailauthd"
	case a.code == http.StatusForbidden && a.identity() != "":
		return "the secret is missing or wrong: [auth] secret of the running mailauthd must have the value that is sent in its header"
	case a.code == http.StatusForbidden:
		return "this client may not ask (Require in Apache, allow in nginx, allowed_clients), or the secret is wrong ([auth] secret)"
	case a.code == http.StatusNotFound:
		return "nothing is at this URL: compare it with nginx's auth_http, and with ProxyPass in Apache or location in nginx"
	case a.code == http.StatusInternalServerError:
		return "the script or the web server failed: see the web server's error log"
	case a.code == http.StatusBadGateway || a.code == http.StatusServiceUnavailable || a.code == http.StatusGatewayTimeout:
		return "the web server does not reach the service behind it: is mailauthd running, is the socket's path the same in both configurations, and may the web server write to it ([listen] owner, group, mode)? See its error log"
	case a.header.Get("Location") != "":
		return "nginx follows no redirect: give the URL that this one leads to"
	case a.code == http.StatusOK:
		return "without Auth-Status this is no answer of an authentication service: another page, or another virtual host, is at this URL"
	}
	return "no Auth-Status, so nginx would tell its client of an internal server error: see the web server's error log"
}

// hint says what to do about a request without an answer.
func (t target) hint(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return " (is mailauthd running, and is this the socket of fastcgi in [listen]?)"
	case errors.Is(err, fs.ErrPermission):
		return " (use sudo, or see owner, group and mode in [listen]: the web server must be able to write to the socket)"
	case errors.Is(err, syscall.ECONNREFUSED) && t.network == "unix":
		return " (a process has left the socket there: start mailauthd)"
	case errors.Is(err, syscall.ECONNREFUSED):
		return " (no process listens there: start the web server or mailauthd, or correct the address)"
	case errors.Is(err, context.DeadlineExceeded):
		return " (is the address right, and does a firewall drop the connection?)"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return " (nginx waits no longer: see the logs of the web server and of the service behind it)"
	case errors.Is(err, errUnanswered) && t.fastCGI, errors.Is(err, errNotFastCGI):
		return " (allowed_clients in [listen] may keep this client out, or the socket is not one for FastCGI: then give its http:// URL)"
	case errors.Is(err, errUnanswered), errors.Is(err, errNotHTTP):
		return " (allowed_clients in [listen] may keep this client out, or the socket is one for FastCGI: then use fcgi://HOST:PORT)"
	}
	return ""
}

// isReset reports whether the peer has closed the connection while data was on the way.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
