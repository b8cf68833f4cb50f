package listen

// Stats are figures of a listening socket. Those that only grow count since it was opened.
type Stats struct {
	Conns    int    // open connections
	Accepted uint64 // connections
	Refused  uint64 // of these, closed at once: not in AllowedClients, or too many and all busy
	Evicted  uint64 // closed to make room for another one
	Queue    int    // complete FastCGI requests that wait for a slot
}

// Stats returns the figures.
func (l *connections[C]) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Conns = l.count.Len()
	if a, ok := l.Listener.(*allowed); ok {
		n := a.closed.Load()
		s.Accepted += n
		s.Refused += n
	}
	return s
}

// Stats returns the figures.
func (l *FastCGI) Stats() Stats {
	s := l.connections.Stats()
	s.Queue = int(l.wanted.Load())
	return s
}
