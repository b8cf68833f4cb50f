package migrate

import (
	"bytes"
	"slices"
)

// How long the lines of a request may lie apart, in microseconds.
const (
	headWait  = 1_000_000  // from one header line to the next; auth.php writes them within some 100 µs
	overlap   = 5_000      // a request whose last header line is older was not merely interrupted by another one
	replyWait = 60_000_000 // for the server's reply; nginx waits no longer (auth_http_timeout)
	firstMean = 100_000    // for the server's reply on average, as long as nothing is known
	minWindow = 50_000     // see grouper.window
	maxWindow = 2_000_000
)

// maxOpen is the largest number of entries that wait for further lines. Of any more the oldest is taken as it is.
const maxOpen = 4096

// grouper puts the lines of each request together. Each line of auth.php is written by itself, so the lines of several
// requests may be mixed.
type grouper struct {
	heads   []*entry // whose header lines are being written, oldest first
	waiting []*entry // for the server's reply, oldest first
	replied []*entry // have a reply, and may ask the server again, oldest first
	current *entry   // that of the line before
	whole   bool     // the entry before was mailauthd's, which writes an entry at once
	free    []*entry

	hasReply  bool // a reply was the line before
	replyAt   int64
	replyText []byte

	candidates []*entry // the result of mayGet

	mean  int64             // how long the server takes for a good reply, on average
	ports map[string]string // the usual port of each protocol

	emit    func(*entry)
	orphans int // lines that belong to no entry
}

// add takes the next line, which was written at the time now.
func (g *grouper) add(now int64, f field, value []byte) {
	if g.hasReply {
		g.addReply(now, f)
	}
	var e *entry
	switch f {
	case methodField:
		g.whole = g.whole && g.current == nil
		g.expire(now)
		e = g.begin(now)
	case portField:
		e = g.port(now, value)
	case replyField:
		g.hasReply, g.replyAt, g.replyText = true, now, append(g.replyText[:0], value...)
		return
	case statusField:
		e = g.status()
	case otherField:
		return
	default:
		e = g.head(now, f)
	}
	g.give(e, now, f, value)
}

// give gives a line to its entry.
func (g *grouper) give(e *entry, now int64, f field, value []byte) {
	if e == nil {
		g.orphans++
		return
	}
	if !e.settled || f == portField {
		e.set(now, f, value)
	}
	if f == statusField || f == replyField && !e.status {
		g.settle(e)
	}
	if g.current = e; f == statusField {
		g.current = nil
	}
}

// addReply takes the reply that was the line before. What follows tells whose it is: auth.php writes a backend_port line
// right after the first of its two replies, and mailauthd an Auth-Status line after the only one.
func (g *grouper) addReply(now int64, next field) {
	g.hasReply = false
	var e *entry
	switch {
	case (g.whole || next == statusField) && g.current != nil && slices.Contains(g.waiting, g.current):
		e = g.move(g.current)
		e.status = next == statusField
	case next == portField && now-g.replyAt <= headWait && !slices.ContainsFunc(g.heads, wantsPort):
		if e = g.firstReply(); e == nil {
			e = g.secondReply()
		}
	default:
		if e = g.secondReply(); e == nil {
			e = g.firstReply()
		}
	}
	g.give(e, g.replyAt, replyField, g.replyText)
}

func wantsPort(e *entry) bool { return e.stage == backendField }

// set notes a line. The port and the reply of the second dialogue are those of the first.
func (e *entry) set(now int64, f field, value []byte) {
	e.stage, e.last = f, now
	if f != saltField && f != clientField && f != sslField {
		e.values[f] = append(e.values[f][:0], value...)
	}
	if c := e.contests[f]; c != nil {
		if f == replyField && positive(value) {
			value = []byte("+OK") // other words make no difference
		} else if f == replyField && isChallenge(value) {
			value = []byte(challengeReply)
		}
		c.add(value)
	}
}

func (g *grouper) begin(now int64) *entry {
	if len(g.heads)+len(g.waiting)+len(g.replied) >= maxOpen {
		g.closeOldest()
	}
	var e *entry
	if n := len(g.free); n > 0 {
		e, g.free = g.free[n-1], g.free[:n-1]
	} else {
		e = new(entry)
	}
	e.reset()
	e.start, e.last = now, now
	g.heads = append(g.heads, e)
	return e
}

// head finds the entry of a header line. Of several it is the one that was written to first, unless that was too long ago.
func (g *grouper) head(now int64, f field) *entry {
	var next *entry
	recent := func(e *entry) bool { return now-e.last < overlap }
	for _, e := range g.heads {
		switch {
		case e.stage >= f:
		case next == nil, e.stage > next.stage, e.stage == next.stage && !recent(next) && (recent(e) || e == g.current):
			next = e
		}
	}
	if next == nil || g.whole || f == saltField || f == clientField || f == sslField {
		return next
	}
	for _, e := range g.heads {
		if e != next && e.stage == next.stage && !e.like(next) {
			g.contest(f, recent(e) || next != g.current, next, e)
		}
	}
	return next
}

// port finds the entry of a backend_port line. auth.php writes a second one right after the first reply, with the same port.
func (g *grouper) port(now int64, value []byte) *entry {
	again := func(e *entry) bool {
		return !e.again && now-e.last <= headWait && bytes.Equal(e.values[portField], value)
	}
	second := slices.IndexFunc(g.replied, again)
	if i := slices.Index(g.replied, g.current); i >= 0 && again(g.current) {
		second = i
	}
	first := slices.IndexFunc(g.heads, wantsPort)
	if i := slices.Index(g.heads, g.current); i >= 0 && wantsPort(g.current) {
		first = i
	}
	switch {
	case second < 0 && first < 0:
		return nil
	case second >= 0 && (first < 0 || g.replied[second] == g.current || !sameProtocol(g.heads[first], g.replied[second])):
		g.replied[second].again = true
		return g.replied[second]
	}
	e := g.heads[first]
	if !g.usualPort(e, value) {
		return nil // the second one of a request whose reply was taken for that of another
	}
	for _, other := range g.heads {
		if other != e && wantsPort(other) && !other.like(e) {
			g.contest(portField, false, e, other)
		}
	}
	g.heads = slices.Delete(g.heads, first, first+1)
	g.waiting = append(g.waiting, e)
	return e
}

// maxPorts is the largest number of protocols whose ports are known. nginx has three.
const maxPorts = 8

// usualPort reports whether a port is the usual one for the protocol of an entry. That is learned from lines that follow
// the one before of their request.
func (g *grouper) usualPort(e *entry, port []byte) bool {
	usual, ok := g.ports[string(e.values[protocolField])]
	switch {
	case usual == string(port):
		return true
	case e != g.current:
		return !ok
	case ok || len(g.ports) < maxPorts:
		e.doubt = e.doubt || ok // the map has changed, or the line is that of another request
		g.ports[string(e.values[protocolField])] = string(port)
	}
	return true
}

func sameProtocol(a, b *entry) bool {
	return bytes.Equal(a.values[protocolField], b.values[protocolField])
}

// firstReply finds an entry that waits for the reply. Of several it is the one that has waited about as long as usual. A
// request that was refused goes on waiting, because auth.php does not log that.
func (g *grouper) firstReply() *entry {
	all := g.mayGet(replyProtocol(g.replyText))
	if len(all) == 0 {
		return nil
	}
	next := all[0]
	for _, e := range all[1:] {
		if g.unusual(e) <= g.unusual(next) {
			next = e
		}
	}
	window := g.window()
	if !positive(g.replyText) && !isChallenge(g.replyText) || g.replyAt-next.last > window {
		window = replyWait // such a login is reported under its name, so nothing may be left to chance
	}
	sole := true
	for _, e := range all {
		if e != next && g.replyAt-e.last <= window {
			sole = false
			if !e.like(next) {
				g.contest(replyField, true, next, e)
			}
		}
	}
	if sole {
		g.learn(next)
	}
	return g.move(next)
}

// unusual returns how far the time that an entry has waited is from the mean.
func (g *grouper) unusual(e *entry) int64 {
	return max(g.replyAt-e.last-g.mean, g.mean-g.replyAt+e.last)
}

// window returns how long an entry may have waited for a reply to be likely for it.
func (g *grouper) window() int64 { return min(max(4*g.mean, minWindow), maxWindow) }

// learn counts a reply that is surely that of an entry.
func (g *grouper) learn(e *entry) { g.mean += (g.replyAt - e.last - g.mean) / 16 }

// secondReply finds an entry that waits for a second reply.
func (g *grouper) secondReply() *entry {
	protocol := replyProtocol(g.replyText)
	i := slices.IndexFunc(g.replied, func(e *entry) bool { return e.again && e.mayGet(protocol) })
	if i < 0 {
		return nil
	}
	return g.endAgain(i)
}

// mayGet returns the entries that wait for a reply of a protocol, oldest first.
func (g *grouper) mayGet(protocol string) []*entry {
	g.candidates = g.candidates[:0]
	for _, e := range g.waiting {
		if e.mayGet(protocol) {
			g.candidates = append(g.candidates, e)
		}
	}
	return g.candidates
}

// endAgain ends the second dialogue of an entry that has a reply already.
func (g *grouper) endAgain(i int) *entry {
	e := g.replied[i]
	e.again = false
	g.replied = slices.Delete(g.replied, i, i+1)
	g.release(e)
	return e
}

// move takes an entry that has got its reply from those that wait, to those that may ask the server again.
func (g *grouper) move(e *entry) *entry {
	if i := slices.Index(g.waiting, e); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		g.replied = append(g.replied, e)
		e.replied = true
	}
	return e
}

// status finds the entry of an Auth-Status line, which ends the entry of the line before.
func (g *grouper) status() *entry {
	e := g.current
	if e == nil || e.settled {
		return nil
	}
	for _, list := range []*[]*entry{&g.heads, &g.waiting, &g.replied} {
		if i := slices.Index(*list, e); i >= 0 {
			*list = slices.Delete(*list, i, i+1)
		}
	}
	g.whole, e.status = true, true
	return e
}
