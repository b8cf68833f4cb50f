package logreport

import (
	"strings"

	"mailauthd/internal/authlog"
)

// explain says what a reason means, and what to do about it. The detail is the error in the log, which the format "legacy"
// does not have.
func explain(reason, detail string) string {
	text := reason
	if detail != "" {
		text += ": " + detail
	}
	word, counter, _ := strings.Cut(reason, " throttle=")
	advice := meaning(authlog.Reason(word), detail == "")
	if counter != "" {
		advice = "[throttle] holds the login back, because its counter " + counter + ` is over the limit: "mailauthd throttle reset" clears it`
	}
	if advice == "" {
		return text
	}
	return text + "\n    " + advice
}

// meaning says what a reason means. If isAll is false, the detail in the log says more than the reasons of many causes.
func meaning(reason authlog.Reason, isAll bool) string {
	switch {
	case reason == authlog.PasswordMismatch:
		return "the password was wrong"
	case reason == authlog.UserUnknown:
		return `no such user or domain: "mailauthd user show" prints what is known of a user`
	case reason == authlog.UserDisabled:
		return `the account is disabled or has expired: "mailauthd user enable" undoes nologin`
	case reason == authlog.Policy && isAll:
		return `a rule refused the login, such as allow_nets or [auth] methods: "mailauthd test-login" says which, and so do the log formats logfmt and json`
	case reason == authlog.SchemeNotAvailable:
		return "only a hash of the password is known, which this method cannot use: let the mail program use the method plain by TLS"
	case reason == authlog.InternalFailure && isAll:
		return "the login could not be decided, because a server or a database does not answer: standard error of mailauthd serve says which"
	case reason == authlog.Script:
		return "the script in [shadow] url refused the login, and does not say why"
	}
	return ""
}
