package main

import (
	"fmt"
	"time"

	"mailauthd/internal/authlog"
	"mailauthd/internal/status"
)

// ends warns of certificates that end soon.
type ends struct {
	*call
	days int  // before the end of a certificate; 0: never warn
	soon bool // one ends within these days
}

// check warns if the certificate of what ends soon, or has ended. A zero time is no certificate.
func (e *ends) check(what string, notAfter time.Time) {
	now := time.Now()
	if e.days == 0 || notAfter.IsZero() || notAfter.Sub(now) > time.Duration(e.days)*24*time.Hour {
		return
	}
	e.soon = true
	text := fmt.Sprintf("ends in %d days", status.Days(notAfter, now))
	if notAfter.Before(now) {
		text = "has ended"
	}
	fmt.Fprintf(e.stderr, "%s: the certificate %s, on %s: renew it\n", authlog.Escape(what), text, notAfter.Format(time.DateOnly))
}
