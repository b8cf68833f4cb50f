package limit

import "slices"

// add counts a caller. The group's mutex is held, here and below.
func (g *Group) add(c Client) {
	g.callers++
	if !c.Trusted {
		n := g.networks[c.Network]
		n.callers++
		g.networks[c.Network] = n
		if !c.Known {
			g.unknown++
		}
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
	if !c.Known {
		g.unknown--
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

// admit reports whether the group has room for one more caller of the client, or has refused another one in its
// place.
func (g *Group) admit(c Client) bool {
	switch {
	case !c.Trusted && g.networks[c.Network].callers >= g.bounds.Network:
		return false
	case !c.known() && g.unknown >= g.bounds.Unknown:
		w := g.largest(false, nil)
		return w != nil && g.hasMore(w, c) && g.refuse(w)
	}
	return g.callers < g.bounds.Callers || g.refuse(g.victim(c, nil))
}

// victim is the caller that waits to whom it is fair to be refused in the client's place, nil if there is none. It is
// one of the limiter, or of the whole group if that is nil.
func (g *Group) victim(c Client, of *Limiter) *caller {
	room := g.bounds.Callers
	if of != nil {
		room = of.config.Waiting
	}
	// Known networks go first as long as they are content with a quarter of the room.
	first := func(c Client) bool { return c.Trusted || c.Known && g.networks[c.Network].callers <= room/4 }
	if w := g.largest(false, of); w != nil && (first(c) || g.hasMore(w, c)) {
		return w
	}
	if w := g.largest(true, of); w != nil && g.hasMore(w, c) && (c.known() || !first(w.client)) {
		return w
	}
	return nil
}

// refuseJoined refuses the newest caller of the client that waits for another one's result. It reports whether
// there was one.
func (g *Group) refuseJoined(c Client) bool {
	for _, w := range slices.Backward(g.waiting) {
		if w.limiter == nil && w.client == c {
			return g.refuse(w)
		}
	}
	return false
}

// refuse makes a caller that waits leave. It reports whether there is one.
func (g *Group) refuse(w *caller) bool {
	if w == nil {
		return false
	}
	g.dequeue(w)
	g.remove(w.client)
	close(w.refused)
	return true
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
