package route

import "iter"

// Health holds the breakers of a configuration's servers: one for each protocol that a server is asked by,
// because what it does not offer by one must not close the others. It does not change once it is made, but
// for the breakers; a reload makes a new one from the old. A nil Health sets no server aside.
type Health struct {
	servers  []*Server
	breakers map[breakerKey]*Breaker
}

// breakerKey says which servers are the same one, before and after a reload.
type breakerKey struct {
	name, host       string
	pop3, imap, smtp uint16
	protocol         string // that the server is asked by
}

func (s *Server) breakerKey(protocol string) breakerKey {
	return breakerKey{s.Name, s.Host, s.POP3, s.IMAP, s.SMTP, s.CheckProtocol(protocol)}
}

// NewHealth makes the breakers of servers. Those that previous, which may be nil, has
// already are the same ones; those of other servers go with it. The report
// is called with every change of a new breaker, and must not ask that breaker.
func NewHealth(servers []*Server, previous *Health, report func(Change)) *Health {
	h := &Health{servers: servers, breakers: make(map[breakerKey]*Breaker, len(servers))}
	for _, s := range servers {
		for _, protocol := range s.CheckProtocols() {
			b := previous.Of(s, protocol)
			if b == nil {
				b = &Breaker{server: s.Name, protocol: protocol, report: report}
			}
			h.breakers[s.breakerKey(protocol)] = b
		}
	}
	return h
}

// Of returns the breaker of a server for clients that speak a protocol, nil for a server that is not of the
// configuration.
func (h *Health) Of(s *Server, protocol string) *Breaker {
	if h == nil {
		return nil
	}
	return h.breakers[s.breakerKey(protocol)]
}

// Try yields those of servers, in their order, that are not set aside for clients of a protocol, each with
// a ticket. The loop ends with the first that answers; if its body never runs, all are set aside. Try drops
// the tickets.
func (h *Health) Try(servers []*Server, protocol string) iter.Seq2[*Server, Ticket] {
	return func(yield func(*Server, Ticket) bool) {
		for _, s := range servers {
			if t, ok := h.Of(s, protocol).Allow(); ok && !yieldTicket(yield, s, t) {
				return
			}
		}
	}
}

func yieldTicket(yield func(*Server, Ticket) bool, s *Server, t Ticket) bool {
	defer t.Drop()
	return yield(s, t)
}

// First returns the first of servers that is not set aside for clients of a protocol, for users that are
// sent to it without asking it.
func (h *Health) First(servers []*Server, protocol string) (*Server, bool) {
	for _, s := range servers {
		if h.Of(s, protocol).Ready() {
			return s, true
		}
	}
	return nil, false
}
