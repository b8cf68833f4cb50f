package route

import "iter"

// Health holds the breakers of a configuration's servers. It does not change once it is
// made, but for the breakers; a reload makes a new one from the old. A nil Health
// sets no server aside.
type Health struct {
	servers  []*Server
	breakers map[serverKey]*Breaker
}

// serverKey says which servers are the same one, before and after a reload.
type serverKey struct {
	name, host       string
	pop3, imap, smtp uint16
}

func (s *Server) key() serverKey { return serverKey{s.Name, s.Host, s.POP3, s.IMAP, s.SMTP} }

// NewHealth makes the breakers of servers. Those that previous, which may be nil, has
// already are the same ones; those of other servers go with it. The report
// is called with every change of a new breaker, and must not ask that breaker.
func NewHealth(servers []*Server, previous *Health, report func(Change)) *Health {
	h := &Health{servers: servers, breakers: make(map[serverKey]*Breaker, len(servers))}
	for _, s := range servers {
		b := previous.Of(s)
		if b == nil {
			b = &Breaker{server: s.Name, report: report}
		}
		h.breakers[s.key()] = b
	}
	return h
}

// Of is the breaker of a server, nil for one that is not of the configuration.
func (h *Health) Of(s *Server) *Breaker {
	if h == nil {
		return nil
	}
	return h.breakers[s.key()]
}

// Try yields those of servers, in their order, that are not set aside, each with a
// ticket. The loop ends with the first that answers; if its body never runs, all
// are out. Try drops the tickets.
func (h *Health) Try(servers []*Server) iter.Seq2[*Server, Ticket] {
	return func(yield func(*Server, Ticket) bool) {
		for _, s := range servers {
			if t, ok := h.Of(s).Allow(); ok && !yieldTicket(yield, s, t) {
				return
			}
		}
	}
}

func yieldTicket(yield func(*Server, Ticket) bool, s *Server, t Ticket) bool {
	defer t.Drop()
	return yield(s, t)
}

// First is the first of servers that is not set aside, for users that are sent to
// it without asking it.
func (h *Health) First(servers []*Server) (*Server, bool) {
	for _, s := range servers {
		if h.Of(s).Ready() {
			return s, true
		}
	}
	return nil, false
}
