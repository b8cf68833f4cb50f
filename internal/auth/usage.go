package auth

import "mailauthd/internal/limit"

// Usage is how much of the limits is in use, for people who look at it.
type Usage struct {
	Hashes  Slots            // logins that compute a hash
	Checks  Slots            // logins at mail servers and passdbs; those that wait for one count as in use, too
	Servers map[string]Slots // connections for logins, by server
	Passdbs map[string]Slots // by passdb
}

// Slots is how much of one limit is in use.
type Slots struct{ InUse, Waiting, Max int }

// Usage returns how much of the limits is in use now.
func (a *Authenticator) Usage() Usage {
	u := Usage{
		Hashes:  slotsOf(a.hashing),
		Checks:  Slots{Max: MaxAsking},
		Servers: make(map[string]Slots, len(a.servers)),
		Passdbs: make(map[string]Slots, len(a.passdbs)),
	}
	u.Checks.InUse, u.Checks.Waiting = a.asking.Callers()
	for name, s := range a.servers {
		u.Servers[name] = slotsOf(s.slots)
	}
	for name, p := range a.passdbs {
		u.Passdbs[name] = slotsOf(p.slots)
	}
	return u
}

func slotsOf(l *limit.Limiter) Slots {
	taken, waiting := l.Usage()
	return Slots{taken, waiting, l.Config().Slots}
}
