package auth

import (
	"fmt"
	"net/netip"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/cache"
	"mailauthd/internal/route"
	"mailauthd/internal/throttle"
	"mailauthd/internal/users"
)

// verdict is a decision and why.
type verdict struct {
	outcome authhttp.Outcome
	reason  authlog.Reason
	detail  string // for the log
	reply   string // the mail server's own words, after a good login there

	server  *route.Server // that was asked; nil: none
	addr    netip.Addr    // where it was asked
	contact contact
	matched *users.Password // the one that was right
	index   int             // of it, in the user's entry

	cached  string   // "hit" or "stale" for an answer from memory
	pending *pending // to remember if the login is let in; nil: nothing

	waited    bool             // for a slot; then the throttle was asked again
	standing  throttle.Verdict // what the throttle said last
	throttled bool             // it rejected the login

	user, password string // for nginx to use at the server instead of the client's
	code, text     string // for the client instead of what the outcome says
}

// contact says whether mail servers were reached to prove a login.
type contact int

const (
	notAsked    contact = iota // there was no need, or no way on our side
	answered                   // one of them answered, whatever it said
	unreachable                // none of them could be reached, or all are set aside
)

// pending is a right password that is remembered only if the login is let in.
type pending struct {
	key    cache.Key
	answer cache.Answer
	epoch  int
}

func reject(reason authlog.Reason, format string, args ...any) verdict {
	return verdict{outcome: authhttp.Reject, reason: reason, detail: fmt.Sprintf(format, args...)}
}

func tempFail(format string, args ...any) verdict {
	return verdict{reason: authlog.InternalFailure, detail: fmt.Sprintf(format, args...)}
}

// instead returns a refusal that replaces v, at the same server and with what the throttle said.
func (v verdict) instead(refusal verdict) verdict {
	refusal.server, refusal.addr, refusal.contact = v.server, v.addr, v.contact
	refusal.standing, refusal.waited = v.standing, v.waited
	return refusal
}
