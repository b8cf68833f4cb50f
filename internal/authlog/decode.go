package authlog

import (
	"bytes"
	"net/netip"
	"strconv"
	"time"
)

// MaxLine is the largest length of a line that can be read, in bytes. The longest that is written has some values of
// [MaxValue] bytes, all of them escaped.
const MaxLine = 128 << 10

// maxTexts is the largest number of values of at most maxText bytes that a Decoder stores, because they come again.
const (
	maxTexts = 4096
	maxText  = 256
)

// Skipped counts what a Decoder could not read.
type Skipped struct {
	Torn    int `json:"torn"`    // entries that are not whole, and those of auth.php, which does not write how a login ended
	Foreign int `json:"foreign"` // lines of another layout
}

// Decoder reads the lines of auth.log. The formats may change from entry to entry.
type Decoder struct {
	Skipped Skipped
	Entries int // that were whole

	since  time.Time
	clock  Clock
	take   func(*Event)
	event  Event
	server netip.Addr // of event
	port   uint16     // of event
	old    bool       // whether event was before since
	legacy legacyEntry
	texts  map[string]string
	buffer []byte
}

// NewDecoder makes a Decoder that calls take for each entry that was not before since. The event is valid only until take
// returns. It has what the format has: in "legacy" there is no name of the server, and no error. Its times are in zone, which
// must be the one that the log was written in. Its values are not escaped, but one that was too long is cut.
func NewDecoder(since time.Time, zone *time.Location, take func(*Event)) *Decoder {
	return &Decoder{since: since, clock: Clock{Zone: zone}, take: take}
}

// Line reads the next line, without its end.
func (d *Decoder) Line(b []byte) {
	switch {
	case bytes.HasPrefix(b, jsonStart):
		d.End()
		d.oneLine(b, eachJSON)
	case bytes.HasPrefix(b, logfmtStart):
		d.End()
		d.oneLine(b, eachLogfmt)
	default:
		d.legacyLine(b)
	}
}

// Every line of these formats begins with the time.
var (
	jsonStart   = []byte(`{"time":"`)
	logfmtStart = []byte(`time=`)
)

// End ends a file. An entry cannot go on in the next one.
func (d *Decoder) End() {
	if d.legacy.open {
		d.Skipped.Torn++
		d.legacy.open = false
	}
}

// lineReader calls set for each value of a line, until that returns false. It reports whether it could read all of the line.
type lineReader func(b []byte, buffer *[]byte, set func(key, value []byte) bool) bool

// oneLine reads an entry of one line.
func (d *Decoder) oneLine(b []byte, read lineReader) {
	d.begin()
	switch ok := read(b, &d.buffer, d.set); {
	case d.old:
		d.Entries++
	case !ok || d.event.End.IsZero():
		d.Skipped.Torn++
	default:
		d.end()
	}
}

func (d *Decoder) begin() {
	d.event, d.server, d.port, d.old = Event{}, netip.Addr{}, 0, false
}

// maxYear is the last year of an entry. JSON cannot hold times after the year 9999.
const maxYear = 9000

func (d *Decoder) end() {
	if y := d.event.Start.Year(); y < 1970 || y > maxYear {
		d.Skipped.Torn++
		return
	}
	d.Entries++
	if d.event.Start.Before(d.since) {
		return
	}
	if d.server.IsValid() {
		d.event.Backend = netip.AddrPortFrom(d.server, d.port)
	}
	d.take(&d.event)
}

// set sets a value of an entry of one line, and reports whether to go on. Unknown keys may come from a later release. The
// last one is the duration, from which End is known.
func (d *Decoder) set(key, value []byte) (more bool) {
	e, err := &d.event, error(nil)
	switch string(key) {
	case "time":
		e.Start, err = time.Parse(time.RFC3339Nano, string(value))
		e.Start = e.Start.In(d.clock.Zone)
		d.old = err == nil && e.Start.Before(d.since) && !d.since.IsZero()
	case "auth_method":
		e.Method = d.text(value)
	case "auth_user":
		e.User = d.text(value)
	case "auth_salt":
		e.Salt = Unescape(string(value))
	case "auth_protocol":
		e.Protocol = d.text(value)
	case "client_ip":
		e.ClientIP = d.text(value)
	case "auth_ssl":
		e.SSL = d.text(value)
	case "server":
		e.Server = d.text(value)
	case "backend_ip":
		err = d.backend(value)
	case "backend_port":
		err = d.backendPort(value)
	case "auth_reply":
		e.Reply = d.text(value)
	case "auth_status":
		e.Status = d.text(value)
	case "outcome":
		e.Outcome = d.text(value)
	case "reason":
		e.Reason = Reason(d.text(value))
	case "error":
		e.Error = d.text(value)
	case "password_label":
		e.Label = d.text(value)
	case "throttle":
		e.Throttle = d.text(value)
	case "cache":
		e.Cache = d.text(value)
	case "duration_us":
		var us int64
		us, err = strconv.ParseInt(string(value), 10, 64)
		e.End = e.Start.Add(time.Duration(us) * time.Microsecond)
	}
	return err == nil && !d.old
}

func (d *Decoder) backend(value []byte) (err error) {
	d.server, err = netip.ParseAddr(d.text(value))
	return err
}

func (d *Decoder) backendPort(value []byte) error {
	port, err := strconv.ParseUint(string(value), 10, 16)
	d.port = uint16(port)
	return err
}

// text returns a value that is likely to come again.
func (d *Decoder) text(b []byte) string {
	if s, ok := d.texts[string(b)]; ok {
		return s
	}
	s := Unescape(string(b))
	if len(b) <= maxText {
		if d.texts == nil || len(d.texts) >= maxTexts {
			d.texts = make(map[string]string)
		}
		d.texts[string(b)] = s
	}
	return s
}

// LineTime returns the time at which a line begins, in any format, and reports whether there is one.
func (d *Decoder) LineTime(b []byte) (at time.Time, ok bool) {
	if rest, ok := bytes.CutPrefix(b, jsonStart); ok {
		return parseTime(rest, '"')
	}
	if rest, ok := bytes.CutPrefix(b, logfmtStart); ok {
		return parseTime(rest, ' ')
	}
	line, kind := ParseLine(b)
	if kind != GoodLine {
		return at, false
	}
	micros, ok := d.clock.At(&line)
	return time.UnixMicro(micros), ok
}

func parseTime(b []byte, end byte) (time.Time, bool) {
	text, _, _ := bytes.Cut(b, []byte{end})
	at, err := time.Parse(time.RFC3339Nano, string(text))
	return at, err == nil
}
