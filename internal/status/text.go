package status

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailauthd/internal/authlog"
)

// textColumn is where the values begin, if the names are not longer.
const textColumn = 24

// timeLayout is that of PHP-FPM's status page.
const timeLayout = "02/Jan/2006:15:04:05 -0700"

// Marks of a line of text.
const (
	plain = iota
	good
	bad
)

// line is one line of text.
type line struct {
	name, value string
	mark        int
}

// Name, Value and Bad are for the page.
func (l line) Name() string  { return l.name }
func (l line) Value() string { return authlog.Escape(l.value) }
func (l line) Bad() bool     { return l.mark == bad }

// WriteText writes the snapshot as lines of text, with colours for a terminal if they are wanted.
func (s *Snapshot) WriteText(w io.Writer, colours bool) error {
	lines := slices.Concat(s.ownLines(), s.loginLines(), s.serverLines(), s.listenerLines(), s.throttleLines(), s.stateLines(), s.recentLines())
	var b strings.Builder
	for _, l := range lines {
		value := authlog.Escape(l.value)
		if colours {
			value = coloured(value, l.mark)
		}
		fmt.Fprintf(&b, "%-*s %s\n", textColumn, authlog.Escape(l.name)+":", value)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// coloured marks a text by escape sequences (ECMA-48).
func coloured(text string, mark int) string {
	switch mark {
	case good:
		return "\x1b[32m" + text + "\x1b[0m"
	case bad:
		return "\x1b[31m" + text + "\x1b[0m"
	}
	return text
}

func (s *Snapshot) ownLines() []line {
	return []line{
		{name: "version", value: s.Version},
		{name: "start time", value: clock(s.StartTime)},
		{name: "start since", value: strconv.FormatInt(s.StartSince, 10)},
		{name: "accepted conn", value: strconv.FormatUint(s.AcceptedConn, 10)},
		{name: "listen queue", value: strconv.Itoa(s.ListenQueue)},
		{name: "active requests", value: strconv.FormatInt(s.ActiveRequests, 10)},
		{name: "max active requests", value: strconv.FormatInt(s.MaxActiveRequests, 10)},
	}
}

func (s *Snapshot) loginLines() (lines []line) {
	for i := range s.Logins {
		p := &s.Logins[i]
		value := fmt.Sprintf("%d, ok %d, reject %d, tempfail %d", p.Total, p.OK, p.Reject, p.TempFail)
		if p.Total > 0 {
			value += fmt.Sprintf("; median %s, p95 %s, max %s", took(p.Median), took(p.P95), took(p.Max))
		}
		lines = append(lines, line{name: "logins last " + p.Name, value: value, mark: markIf(p.TempFail > 0)})
		if why := p.why(); why != "" {
			lines = append(lines, line{name: "reasons last " + p.Name, value: why})
		}
	}
	return lines
}

// why returns the reasons of failed logins, the most frequent first.
func (p *Period) why() string {
	var list []string
	for _, r := range p.byFrequency() {
		list = append(list, fmt.Sprintf("%s %d", r, p.Reasons[r]))
	}
	if p.Throttled > 0 {
		list = append(list, fmt.Sprintf("throttled %d", p.Throttled))
	}
	if p.Cached > 0 {
		list = append(list, fmt.Sprintf("from the cache %d", p.Cached))
	}
	return strings.Join(list, ", ")
}

func (p *Period) byFrequency() []string {
	var names []string
	for name := range p.Reasons {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(p.Reasons[b], p.Reasons[a]), cmp.Compare(a, b))
	})
	return names
}

func (s *Snapshot) serverLines() (lines []line) {
	for i := range s.Servers {
		v := &s.Servers[i]
		lines = append(lines, line{"server " + v.Name + " " + v.Protocol, v.describe(), v.mark()})
	}
	for i := range s.Passdbs {
		v := &s.Passdbs[i]
		lines = append(lines, line{"passdb " + v.Name, v.describe(), v.mark()})
	}
	if r := s.Redis; r != nil {
		lines = append(lines, line{"redis", r.describe(), markOf(r.Up)})
	}
	return lines
}

func (r *Redis) describe() string {
	text := fmt.Sprintf("%s since %s, round trips %d, unsent %d, dropped %d", stateOf(r.Up), clock(r.Since), r.RoundTrips, r.Unsent, r.Dropped)
	if r.LastError != "" {
		text += ", last error " + r.LastError
	}
	return text
}

func (v *Server) mark() int { return markOf(v.Up && v.SetAside == 0) }

func markOf(up bool) int {
	if up {
		return good
	}
	return bad
}

func (v *Server) state() string { return stateOf(v.Up) }

func stateOf(up bool) string {
	if up {
		return "up"
	}
	return "set aside"
}

func (v *Server) describe() string {
	list := []string{v.state() + " since " + clock(v.Since)}
	if v.SetAside > 0 {
		list = append(list, fmt.Sprintf("servers set aside %d", v.SetAside))
	}
	if v.Retry > 0 {
		list = append(list, "next trial in "+took(v.Retry))
	}
	if v.ResponseTime > 0 {
		list = append(list, "response time "+took(v.ResponseTime))
	}
	if v.Days != nil {
		list = append(list, "certificate "+inDays(*v.Days))
	}
	list = append(list, "connections "+v.Slots.String())
	if v.LastError != "" {
		list = append(list, "last error "+clock(v.LastErrorAt)+": "+v.LastError)
	}
	return strings.Join(list, ", ")
}

// inDays writes the number of days until a certificate ends. It is negative if the certificate has ended.
func inDays(days int) string {
	if days < 0 {
		return "has ended"
	}
	return fmt.Sprintf("%d days", days)
}

func (s Slots) String() string {
	return fmt.Sprintf("%d of %d, waiting %d", s.InUse, s.Max, s.Waiting)
}

func (s *Snapshot) listenerLines() (lines []line) {
	for _, l := range s.Listeners {
		lines = append(lines, line{name: "listener " + l.Name, value: fmt.Sprintf("connections %d, accepted conn %d, refused %d, evicted %d, requests %d, listen queue %d",
			l.Connections, l.AcceptedConn, l.Refused, l.Evicted, l.Requests, l.Queue)})
	}
	return lines
}

func (s *Snapshot) throttleLines() (lines []line) {
	for _, h := range s.Throttle {
		lines = append(lines, line{"throttle " + h.Counter + " " + h.Name,
			fmt.Sprintf("%.0f of %d, next login in %s", h.Count, h.Limit, took(h.Wait)), bad})
	}
	return lines
}

func (s *Snapshot) stateLines() []line {
	cached := "off"
	if s.Cache.Size > 0 {
		cached = fmt.Sprintf("good %d, bad %d, size %d", s.Cache.Good, s.Cache.Bad, s.Cache.Size)
	}
	log := fmt.Sprintf("%s, size %d, lost %d", s.Log.File, s.Log.Size, s.Log.Lost)
	if s.Log.Error != "" {
		log += ", cannot be written: " + s.Log.Error
	}
	reloads := fmt.Sprintf("done %d, refused %d, last %s", s.Reloads.Done, s.Reloads.Refused, clock(s.Reloads.Last))
	if s.Reloads.LastError != "" {
		reloads += ", last error: " + s.Reloads.LastError
	}
	return []line{
		{name: "hashes", value: s.Hashes.String()},
		{name: "checks", value: s.Checks.String()},
		{name: "cache", value: cached},
		{"log", log, markIf(s.Log.Error != "")},
		{"reloads", reloads, markIf(s.Reloads.LastError != "")},
	}
}

func (s *Snapshot) recentLines() (lines []line) {
	for i := range s.Recent {
		f := &s.Recent[i]
		value := fmt.Sprintf("%s from %s by %s %s: %s, took %s", f.User, f.Client, f.Protocol, f.Method, f.why(), took(f.Took))
		if f.Error != "" {
			value += ", error " + f.Error
		}
		lines = append(lines, line{name: "failed " + clock(f.Time), value: value})
	}
	return lines
}

// why returns why the login failed.
func (f *Failure) why() string {
	why := f.Outcome + " " + f.Reason
	if f.Throttle != "" {
		why += " throttle=" + f.Throttle
	}
	return why
}

func markIf(isBad bool) int {
	if isBad {
		return bad
	}
	return plain
}

func clock(at int64) string { return time.Unix(at, 0).Format(timeLayout) }

// took writes seconds with three digits and their unit.
func took(seconds float64) string {
	switch {
	case seconds < 0.0000005:
		return "0 s"
	case seconds < 0.001:
		return digits(seconds*1e6) + " µs"
	case seconds < 1:
		return digits(seconds*1e3) + " ms"
	case seconds < 120:
		return digits(seconds) + " s"
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

func digits(n float64) string {
	switch {
	case n < 10:
		return strconv.FormatFloat(n, 'f', 2, 64)
	case n < 100:
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	return strconv.FormatFloat(n, 'f', 0, 64)
}
