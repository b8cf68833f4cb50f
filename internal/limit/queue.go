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

// serve records that the client's network got a slot after a wait.
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

// dequeue removes w, and reports whether it was still waiting.
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

// admit reports whether the group has room for one more caller of the client. To make room, it may refuse another one.
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

// victim returns the caller that waits and is refused in place of one of the client, as the package comment says. It
// returns nil if there is none. If of is not nil, only its callers are considered.
func (g *Group) victim(c Client, of *Limiter) *caller {
	room := g.bounds.Callers
	if of != nil {
		room = of.config.Waiting
	}
	// A known network has priority while it has at most a quarter of the room.
	priority := func(c Client) bool { return c.Trusted || c.Known && g.networks[c.Network].callers <= room/4 }
	if w := g.largest(false, of); w != nil && (priority(c) || g.hasMore(w, c)) {
		return w
	}
	if w := g.largest(true, of); w != nil && g.hasMore(w, c) && (c.known() || !priority(w.client)) {
		return w
	}
	return nil
}

// refuseJoined refuses the newest caller of the client that waits for the result of another one. It reports whether
// there was one.
func (g *Group) refuseJoined(c Client) bool {
	for _, w := range slices.Backward(g.waiting) {
		if w.limiter == nil && w.client == c {
			return g.refuse(w)
		}
	}
	return false
}

// refuse refuses a caller that waits. It reports false for nil.
func (g *Group) refuse(w *caller) bool {
	if w == nil {
		return false
	}
	g.dequeue(w)
	g.remove(w.client)
	close(w.refused)
	return true
}

// largest returns the newest caller that waits, of the known or unknown network that has the most callers. It
// returns nil if there is none. Trusted clients have no network.
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

// hasMore reports whether w's network has at least two callers more than the client's. So after w has made room for
// the client, w's network still has as many.
func (g *Group) hasMore(w *caller, c Client) bool {
	own := 0
	if !c.Trusted {
		own = g.networks[c.Network].callers
	}
	return g.networks[w.client.Network].callers > own+1
}
