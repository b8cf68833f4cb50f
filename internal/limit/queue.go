package limit

import "slices"

// add counts a caller. The group's mutex is held, here and below.
func (g *Group) add(c Client) {
	g.callers++
	if !c.Trusted {
		n := g.networks[c.Network]
		n.callers++
		g.networks[c.Network] = n
	}
}

// serve notes that the client's network got a slot.
func (g *Group) serve(c Client) {
	g.served++
	if n, ok := g.networks[c.Network]; ok && !c.Trusted {
		n.served = g.served
		g.networks[c.Network] = n
	}
}

func (g *Group) remove(c Client) {
	g.callers--
	if c.Trusted {
		return
	}
	n := g.networks[c.Network]
	if n.callers--; n.callers == 0 {
		delete(g.networks, c.Network)
		return
	}
	g.networks[c.Network] = n
}

func (g *Group) enqueue(w *caller) {
	g.waiting = append(g.waiting, w)
	if w.limiter != nil {
		w.limiter.waiting++
	}
}

// dequeue reports whether w was still waiting.
func (g *Group) dequeue(w *caller) bool {
	i := slices.Index(g.waiting, w)
	if i < 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	if w.limiter != nil {
		w.limiter.waiting--
	}
	return true
}

// makeRoom refuses a caller that waits, so that the client finds room: one of the limiter, or of the whole
// group if that is nil. It reports whether there was one.
func (g *Group) makeRoom(c Client, of *Limiter) bool {
	w := g.largest(false, of)
	switch {
	case w == nil && c.known():
		w = g.largest(true, of)
		if w == nil || !g.hasMore(w, c) {
			return false
		}
	case w == nil || !c.known() && !g.hasMore(w, c):
		return false
	}
	g.refuse(w)
	return true
}

// refuseJoined refuses the newest caller of the client that waits for another one's result. It reports whether
// there was one.
func (g *Group) refuseJoined(c Client) bool {
	for _, w := range slices.Backward(g.waiting) {
		if w.limiter == nil && w.client == c {
			g.refuse(w)
			return true
		}
	}
	return false
}

func (g *Group) refuse(w *caller) {
	g.dequeue(w)
	g.remove(w.client)
	close(w.refused)
}

// largest is the newest caller that waits of the network that has the most callers, of known or of unknown
// networks; nil if there is none. Trusted clients have no network.
func (g *Group) largest(known bool, of *Limiter) (found *caller) {
	most := 0
	for _, w := range g.waiting {
		if w.client.Trusted || w.client.Known != known || of != nil && w.limiter != of {
			continue
		}
		if n := g.networks[w.client.Network].callers; n >= most {
			found, most = w, n
		}
	}
	return found
}

// hasMore reports whether w's network has so many callers that it still has no fewer than the client's
// when one of them has made room.
func (g *Group) hasMore(w *caller, c Client) bool {
	own := 0
	if !c.Trusted {
		own = g.networks[c.Network].callers
	}
	return g.networks[w.client.Network].callers > own+1
}
