package auth

import (
	"slices"
	"strings"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/mailaddr"
)

// identify wants a verified client certificate, and takes the user name from it if the
// client did not say one (RFC 4422 appendix A: an empty authorization identity).
func (a *Authenticator) identify(l *login) (verdict, bool) {
	if l.Cert.Verify != "SUCCESS" {
		return reject(authlog.Policy, "client certificate: Auth-SSL-Verify is not SUCCESS"), false
	}
	if l.User != "" {
		return verdict{}, true
	}
	name, ok := a.certificateName(l)
	if !ok {
		return reject(authlog.UserUnknown, "no user name, neither from the client nor in its certificate"), false
	}
	l.User, l.nameless = name, true
	return verdict{}, true
}

// certificateName is the user name in the certificate, if names are taken from there.
// It could not be sent on with these characters, like any user name.
func (a *Authenticator) certificateName(l *login) (string, bool) {
	if a.UserFrom == "" {
		return "", false
	}
	name, ok := l.Cert.SubjectValue(a.UserFrom)
	return name, ok && authhttp.CheckUser(name) == nil
}

// verifyCertificate lets a user in whose entry lists the certificate, or whose name is
// the one in it.
func (a *Authenticator) verifyCertificate(l *login) verdict {
	if u := l.user; u != nil {
		print := strings.ToLower(l.Cert.Fingerprint)
		if print != "" && slices.Contains(u.Fingerprints, print) {
			return verdict{outcome: authhttp.OK}
		}
		if l.Cert.Subject != "" && slices.Contains(u.Subjects, l.Cert.Subject) {
			return verdict{outcome: authhttp.OK}
		}
	}
	if a.certificateNames(l) {
		return verdict{outcome: authhttp.OK}
	}
	if l.user == nil {
		return reject(authlog.UserUnknown, "no such user in the map, and the certificate has another name")
	}
	return reject(authlog.PasswordMismatch, "certificate is neither listed for the user nor has it the user's name")
}

// certificateNames tells whether the name in the certificate is that of the user. In
// a domain whose users are all in the map, a certificate makes nobody a user.
func (a *Authenticator) certificateNames(l *login) bool {
	name, ok := a.certificateName(l)
	if !ok || l.user == nil && l.domain.Verify == "users" {
		return false
	}
	key, err := mailaddr.User(a.complete(name))
	if err != nil {
		return false
	}
	if u := a.Users.Lookup(key); u != nil {
		key = u.Name
	}
	return key == l.key
}
