package auth

import (
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/users"
)

// credentials finds the name and password with which nginx logs in to the server, if those of the client
// cannot be used. The first of these passwords counts: the user's
// upstream_password; what the client sent, if that is a password; the cleartext in the
// map; the server's master login.
func (a *Authenticator) credentials(l *login, v verdict) verdict {
	server, _ := l.destination(v)
	name := l.serverLogin()
	if name != l.User || l.nameless { // nginx has another name, or none
		v.user = name
	}
	switch clear, ok := cleartext(l, v); {
	case l.entry != nil && l.entry.Settings().UpstreamPassword != "":
		v.password = l.entry.Settings().UpstreamPassword
	case l.Method == authhttp.Plain && l.master == nil: // nginx has it
	case ok:
		v.password = clear
	case server.Master != nil && server.Master.Ambiguous(name):
		return v.instead(reject(authlog.Policy, "no master login for a name that contains the separator: the server could take it for another user"))
	case server.Master != nil:
		v.user, v.password = server.Master.Login(name), server.Master.Password
	case l.Protocol == authhttp.SMTP: // nginx logs in to an SMTP server only if told to
	case l.Method == authhttp.External: // a certificate cannot be guessed, so it may be told from a wrong one
		return v.instead(tempFail(noPassword, server.Name, server.Name))
	default:
		return v.instead(reject(authlog.Policy, noPassword, server.Name, server.Name))
	}
	return v
}

const noPassword = "nginx needs a password to log in to server %q: the user has neither one in cleartext nor upstream_password, and there is no [servers.%s.master]"

// cleartext returns the password that was right if it is known in cleartext, or else any other of the user's.
func cleartext(l *login, v verdict) (string, bool) {
	if v.matched != nil && l.master == nil {
		if clear, ok := v.matched.Hash.Cleartext(); ok {
			return clear, true
		}
	}
	if l.entry == nil {
		return "", false
	}
	return anyCleartext(l.entry)
}

func anyCleartext(u *users.User) (string, bool) {
	for i := range u.Passwords {
		if clear, ok := u.Passwords[i].Hash.Cleartext(); ok {
			return clear, true
		}
	}
	return "", false
}
