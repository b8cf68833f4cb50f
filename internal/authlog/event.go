package authlog

import (
	"net/netip"
	"time"
)

// Reason says why a login was not let in, in Dovecot's words.
type Reason string

// The reasons.
const (
	PasswordMismatch   Reason = "password_mismatch"
	UserUnknown        Reason = "user_unknown"
	UserDisabled       Reason = "user_disabled"
	Policy             Reason = "policy"
	SchemeNotAvailable Reason = "scheme_not_available"
	InternalFailure    Reason = "internal_failure"
)

// TempFail is the outcome whose cause standard error gets as well.
const TempFail = "tempfail"

// Event is what is known of one request when it has been decided.
type Event struct {
	Start, End time.Time

	Method, User, Salt, Protocol, ClientIP, SSL string // as nginx sent them, unescaped

	Server  string         // its name in the configuration, if one was found
	Backend netip.AddrPort // where it is, if one was found
	Reply   string         // the mail server's own words, after a good login there

	Status   string // Auth-Status: "OK", or the text that the client was told
	Outcome  string // "ok", "reject" or TempFail
	Reason   Reason
	Error    string // details for the administrator
	Label    string // of the password that was right, if it has one
	Throttle string // which counter is over its limit: "pair", "network" or "user"
	Cache    string // "hit" for an answer from memory, "stale" for an old one while the server is out
}
