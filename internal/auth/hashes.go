package auth

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/limit"
	"mailauthd/internal/users"
)

// Limits of logins that are checked against hashes.
const (
	// MaxHashing is the largest number of logins that compute a hash, or wait for a slot to do so.
	MaxHashing = 64
	// MaxHashWait is how long a login waits for a slot to compute a hash. nginx stops waiting after 60 s.
	MaxHashWait = 20 * time.Second
	// MaxHashTime is how long the passwords of one user are tried. After that no further one is begun.
	MaxHashTime = 10 * time.Second
)

// hashes proves a password by the hashes of an entry.
type hashes struct {
	a     *Authenticator
	entry *users.User
	known bool // false: the entry stands in for a name that has none, and every login is refused
	from  source
}

// proveHash checks the password of a name's user. If there is no such user, or the entry has no password, the answer and
// its time are those of a wrong password for another user of the domain.
func (a *Authenticator) proveHash(ctx context.Context, at *attempt, from source, entry *users.User, name string) verdict {
	u, known := a.entryOrDecoy(from, entry, name)
	if u == nil {
		return reject(authlog.UserUnknown, "%s", from.noSuchUser())
	}
	h := hashes{a, u, known, from}
	v := a.remembered(ctx, at, bounded{a, h, a.hashing, MaxHashWait, "compute a hash, hash_concurrency"})
	if v.cached != "" && v.outcome == authhttp.OK {
		v.matched = &u.Passwords[v.index]
	}
	return v
}

func (h hashes) callers() *limit.Group { return h.a.hashes }

// scope identifies the passwords of the entry, their order and their protocols, because a reload may change them.
func (h hashes) scope(*attempt) string {
	id := []byte("entry ")
	if !h.known {
		id = []byte("stand-in ")
	}
	for i := range h.entry.Passwords {
		p := &h.entry.Passwords[i]
		id = binary.BigEndian.AppendUint64(id, p.Hash.ID())
		id = append(id, strings.Join(p.Protocols, ",")...)
		id = append(id, ' ')
	}
	return string(id)
}

// prove tries the passwords of the entry, until one lets the login in.
func (h hashes) prove(ctx context.Context, at *attempt) verdict {
	v := reject(authlog.PasswordMismatch, mismatch, h.from.name)
	begin := time.Now()
	for i := range h.entry.Passwords {
		p := &h.entry.Passwords[i]
		if time.Since(begin) > MaxHashTime || ctx.Err() != nil {
			return tempFail("the hashes take too long: %d of %d passwords were tried", i, len(h.entry.Passwords))
		}
		if h.a.CountHash != nil {
			h.a.CountHash()
		}
		ok, err := p.Hash.Verify(at.Password)
		switch {
		case err != nil:
			return tempFail("%v", err)
		case !ok:
			continue
		case !isFor(p, at.login):
			v = reject(authlog.Policy, "password %q is not for this protocol", p.Label)
			continue
		}
		v = verdict{outcome: authhttp.OK, matched: p, index: i}
		if h.known && !at.keptOut() {
			return v
		}
	}
	if !h.known {
		return reject(authlog.UserUnknown, "%s", h.from.noSuchUser())
	}
	return v
}

const mismatch = "password does not match the entry in %s"

// isFor reports whether a password is good for the client's protocol.
func isFor(p *users.Password, l *login) bool {
	return p.Protocols == nil || slices.Contains(p.Protocols, string(l.Protocol))
}
