package authlog

import (
	"net/netip"
	"time"
)

// Reason is the reason why a login was refused, in Dovecot's terms.
type Reason string

// The reasons.
const (
	PasswordMismatch   Reason = "password_mismatch"
	UserUnknown        Reason = "user_unknown"
	UserDisabled       Reason = "user_disabled"
	Policy             Reason = "policy"
	SchemeNotAvailable Reason = "scheme_not_available"
	InternalFailure    Reason = "internal_failure"
	Script             Reason = "script" // not Dovecot's: the script in [shadow] url refused the login, and does not say why
)

// TempFail is the outcome of a temporary failure. Its cause is also logged to standard error.
const TempFail = "tempfail"

// Event describes one request and the decision on it.
type Event struct {
	Start, End time.Time

	Method, User, Salt, Protocol, ClientIP, SSL string // as nginx sent them, unescaped

	Server  string         // the name of the mail server in the configuration, empty if none was found
	Passdb  string         // the name of the database that the user is looked for in, empty for the map
	Backend netip.AddrPort // the address of the mail server, zero if none was found
	Reply   string         // the mail server's reply, if the login succeeded there, now or when it was remembered

	Status   string // Auth-Status: "OK", or the text that the client was told
	Outcome  string // "ok", "reject" or TempFail
	Reason   Reason
	Error    string // details for the administrator
	Label    string // the label of the password that was right, if it has one
	Throttle string // the counter that is over its limit, if any: "pair", "network" or "user"
	Cache    string // "hit" for an answer from the cache, "stale" for an expired one while the server is down
}
