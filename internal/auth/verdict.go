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

// verdict is a decision and its reason.
type verdict struct {
	outcome authhttp.Outcome
	reason  authlog.Reason
	detail  string // for the log
	reply   string // the mail server's line that accepted the login

	server  *route.Server // the server that was asked; nil: none
	addr    netip.Addr    // the address at which it was asked
	contact contact
	matched *users.Password // the password that was right
	index   int             // the index of matched in the user's entry

	cached  string   // "hit" or "stale" for an answer from the cache
	pending *pending // stored if the login succeeds; nil: nothing

	waited    bool             // the login has waited for a slot, and the throttle was asked again
	standing  throttle.Verdict // the last verdict of the throttle
	throttled bool             // the throttle rejected the login

	user, password string // for nginx to use at the server, instead of the client's
	code, text     string // for the client, instead of those of the outcome
}

// contact is whether mail servers were reached to prove a login.
type contact int

const (
	notAsked    contact = iota // none had to be asked, or a limit of this process prevented it
	answered                   // one of them answered, whatever the answer was
	unreachable                // none of them could be reached, or all are set aside
)

// pending is a right password that is stored only if the login succeeds.
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
