package auth

import (
	"context"
	"slices"
	"strings"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/route"
)

// checkCertificate checks that nginx has verified the client certificate. The comparison is exact, because a header
// that a client injects with its PTR name (CVE-2026-28753) is in lower case: nginx's resolver makes it so.
func (a *Authenticator) checkCertificate(l *login) (verdict, bool) {
	if l.Cert.Verify != "SUCCESS" {
		return reject(authlog.Policy, "client certificate: Auth-SSL-Verify is not SUCCESS"), false
	}
	return verdict{}, true
}

// nameFromCertificate takes the user name from the certificate if the client sent none (RFC 4422 appendix A: an
// empty authorization identity).
func (a *Authenticator) nameFromCertificate(l *login) (verdict, bool) {
	name, ok := a.certificateName(l)
	if !ok {
		return reject(authlog.UserUnknown, "no user name, neither from the client nor in its certificate"), false
	}
	l.User, l.nameless = name, true
	return verdict{}, true
}

// certificateName returns the user name in the certificate, if UserFrom is set. A name with characters that cannot be
// sent to nginx does not count.
func (a *Authenticator) certificateName(l *login) (string, bool) {
	if a.UserFrom == "" {
		return "", false
	}
	name, ok := l.Cert.SubjectValue(a.UserFrom)
	return name, ok && authhttp.CheckUser(name) == nil
}

// certificate proves a login by the client's certificate: its user's entry lists it, or its name is that of the user.
type certificate struct{ a *Authenticator }

func (c certificate) prove(ctx context.Context, at *attempt) verdict {
	if at.entry != nil {
		u := at.entry.Settings()
		print := strings.ToLower(at.Cert.Fingerprint)
		if print != "" && slices.Contains(u.Fingerprints, print) {
			return verdict{outcome: authhttp.OK}
		}
		if at.Cert.Subject != "" && slices.Contains(u.Subjects, at.Cert.Subject) {
			return verdict{outcome: authhttp.OK}
		}
	}
	named, err := c.a.certificateNames(ctx, at.login)
	switch {
	case err != nil:
		return tempFail("user of the certificate: %v", err)
	case named:
		return verdict{outcome: authhttp.OK}
	case at.entry == nil:
		return reject(authlog.UserUnknown, "%s, and the certificate has another name", c.a.source(at.login).noSuchUser())
	}
	return reject(authlog.PasswordMismatch, "certificate is neither listed for the user nor has it the user's name")
}

// certificateNames reports whether the name in the certificate is that of the user. In a domain with verify = "users"
// it returns false for a user without an entry.
func (a *Authenticator) certificateNames(ctx context.Context, l *login) (bool, error) {
	name, ok := a.certificateName(l)
	if !ok || l.entry == nil && l.domain.Verify != route.VerifyUpstream {
		return false, nil
	}
	key, err := a.Canonical(name)
	if err != nil {
		return false, nil
	}
	key, _, err = a.lookup(ctx, key)
	return err == nil && (key == l.key || key == l.sent), err
}
