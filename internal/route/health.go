package route

import "iter"

// Health holds the breakers of a configuration's servers. A server has one for each protocol on
// which it is asked, because a failure of one protocol must not set it aside for the others. The
// set of breakers is immutable; a reload makes a new Health from the old one. A nil Health sets
// no server aside.
type Health struct {
	servers  []*Server
	breakers map[breakerKey]*Breaker
}

// breakerKey identifies a breaker across reloads.
type breakerKey struct {
	name, host       string
	pop3, imap, smtp uint16
	protocol         string // on which the server is asked
}

func (s *Server) breakerKey(protocol string) breakerKey {
	return breakerKey{s.Name, s.Host, s.POP3, s.IMAP, s.SMTP, s.CheckProtocol(protocol)}
}

// NewHealth makes the breakers of servers. Breakers that previous, which may be nil, has for
// the same servers are taken over. A new breaker calls report with each of its changes; report
// must not call that breaker.
func NewHealth(servers []*Server, previous *Health, report func(Change)) *Health {
	h := &Health{servers: servers, breakers: make(map[breakerKey]*Breaker, len(servers))}
	for _, s := range servers {
		for _, protocol := range s.CheckProtocols() {
			b := previous.Of(s, protocol)
			if b == nil {
				b = NewBreaker(s.Name, protocol, report)
			}
			h.breakers[s.breakerKey(protocol)] = b
		}
	}
	return h
}

// Of returns the breaker of a server for clients that speak a protocol. It is nil for a server
// that is not in the configuration.
func (h *Health) Of(s *Server, protocol string) *Breaker {
	if h == nil {
		return nil
	}
	return h.breakers[s.breakerKey(protocol)]
}

// Try yields the servers that are not set aside for clients of a protocol, in the order of its
// argument, each with a ticket. The caller leaves the loop when a server has answered. If the
// body of the loop never runs, all servers are set aside. Try drops the tickets.
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

// First returns the first of servers that is not set aside for clients of a protocol. It is for
// users whose server is not asked.
func (h *Health) First(servers []*Server, protocol string) (*Server, bool) {
	for _, s := range servers {
		if h.Of(s, protocol).Ready() {
			return s, true
		}
	}
	return nil, false
}
