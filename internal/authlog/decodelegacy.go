package authlog

import (
	"bytes"
	"time"
)

// legacyEntry is what has been read of an entry of several lines. mailauthd writes them in one piece.
type legacyEntry struct {
	open bool
	last Field
}

// legacyLine reads a line of the format "legacy".
func (d *Decoder) legacyLine(b []byte) {
	line, kind := ParseLine(b)
	micros, ok := int64(0), false
	if kind == GoodLine {
		micros, ok = d.clock.At(&line)
	}
	switch {
	case kind == ForeignLine:
		d.End()
		d.Skipped.Foreign++
	case !ok:
		d.tornLine()
	case line.Field == FieldMethod:
		d.End()
		d.begin()
		d.legacy = legacyEntry{open: true}
		d.event.Start = time.UnixMicro(micros).In(d.clock.Zone)
		d.event.Method = d.text(line.Value)
	case line.Field == FieldOther:
	case !d.legacy.open: // the entry has been counted as torn
	case !d.legacy.follows(line.Field) || !d.setLegacy(&line):
		d.tornLine()
	case line.Field == FieldStatus:
		d.legacy.open = false
		d.event.End = time.UnixMicro(micros).In(d.clock.Zone)
		d.event.Outcome = outcome(&d.event)
		d.end()
	}
}

// tornLine ends an entry, of which there may be no other line.
func (d *Decoder) tornLine() {
	d.Skipped.Torn++
	d.legacy.open = false
}

// follows reports whether a line of this field can come next. Up to Auth-SSL there are all of them, then some are left out.
func (l *legacyEntry) follows(f Field) bool {
	last := l.last
	l.last = f
	switch {
	case last < FieldSSL:
		return f == last+1
	case last == FieldReason:
		return f == FieldStatus
	case last == FieldBackend:
		return f == FieldPort
	}
	return f > last && f != FieldPort
}

func (d *Decoder) setLegacy(line *Line) (ok bool) {
	e, err := &d.event, error(nil)
	switch line.Field {
	case FieldUser:
		e.User = d.text(line.Value)
	case FieldSalt:
		e.Salt = Unescape(string(line.Value))
	case FieldProtocol:
		e.Protocol = d.text(line.Value)
	case FieldClient:
		e.ClientIP = d.text(line.Value)
	case FieldSSL:
		e.SSL = d.text(line.Value)
	case FieldBackend:
		err = d.backend(line.Value)
	case FieldPort:
		err = d.backendPort(line.Value)
	case FieldReply:
		e.Reply = d.text(line.Value)
	case FieldReason:
		reason, throttle, _ := bytes.Cut(line.Value, []byte(throttleKey))
		e.Reason, e.Throttle = Reason(d.text(reason)), d.text(throttle)
	case FieldStatus:
		e.Status = d.text(line.Value)
		return e.Reason != "" || e.Status != "" && e.Status != "O" // what a full disk may leave of OK
	}
	return err == nil
}

// outcome finds out how a login ended, which is not in the format "legacy".
func outcome(e *Event) string {
	switch {
	case e.Status == "OK" && e.Reason == "":
		return "ok"
	case e.Reason == InternalFailure:
		return TempFail
	}
	return "reject"
}
