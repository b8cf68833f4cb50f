package authlog

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxValue is the largest length of a value in bytes, before escaping. Longer values are cut.
const MaxValue = 1024

// Formats lists the values of [Config.Format].
var Formats = []string{"legacy", "logfmt", "json"}

// encoder writes one event with one write.
type encoder func(e *Event) error

func newEncoder(format string, zone *time.Location, w io.Writer) (encoder, error) {
	switch format {
	case "legacy":
		return func(e *Event) error { return writeLegacy(w, zone, e) }, nil
	case "logfmt":
		return structured(slog.NewTextHandler(w, withoutLevel), zone), nil
	case "json":
		return structured(slog.NewJSONHandler(w, withoutLevel), zone), nil
	}
	return nil, fmt.Errorf("unknown format %q (known: %s)", format, strings.Join(Formats, ", "))
}

// legacyTime is followed by an apostrophe and microseconds, which time.Format cannot write.
const legacyTime = "20060102 15:04:05"

func writeLegacy(w io.Writer, zone *time.Location, e *Event) error {
	b := make([]byte, 0, 1<<10)
	start, end := stamp(e.Start.In(zone)), stamp(e.End.In(zone))
	line := func(at, name, value string) {
		b = append(append(b, at...), name...)
		b = append(b, ":              "[:15-len(name)]...) // the value begins at column 16
		b = append(append(b, Escape(value)...), '\n')
	}
	line(start, "Auth-Method", e.Method)
	line(start, "Auth-User", e.User)
	line(start, "Auth-Salt", e.Salt)
	line(start, "Auth-Protocol", e.Protocol)
	line(start, "Client-IP", e.ClientIP)
	line(start, "Auth-SSL", e.SSL)
	if e.Backend.IsValid() {
		line(start, "backend_ip", e.Backend.Addr().Unmap().String())
		line(start, "backend_port", strconv.Itoa(int(e.Backend.Port())))
	}
	if e.Reply != "" {
		line(end, "Auth reply", e.Reply)
	}
	if e.Reason != "" {
		line(end, "Reason", e.FullReason())
	}
	line(end, "Auth-Status", e.Status)
	_, err := w.Write(b)
	return err
}

// FullReason returns the value of a Reason line: the reason, and the counter that is over its limit if there is one.
func (e *Event) FullReason() string {
	if e.Throttle == "" {
		return string(e.Reason)
	}
	return string(e.Reason) + throttleKey + e.Throttle
}

// throttleKey is between a reason and the counter.
const throttleKey = " throttle="

func stamp(t time.Time) string {
	return t.Format(legacyTime) + fmt.Sprintf("'%06d: ", t.Nanosecond()/1000)
}

// withoutLevel drops the level and the message that slog adds to the event.
var withoutLevel = &slog.HandlerOptions{
	ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.LevelKey || a.Key == slog.MessageKey {
			return slog.Attr{}
		}
		return a
	},
}

func structured(h slog.Handler, zone *time.Location) encoder {
	return func(e *Event) error {
		var r slog.Record // slog omits its zero time; attrs has the time of the event
		r.AddAttrs(attrs(e, zone)...)
		return h.Handle(context.Background(), r)
	}
}

func attrs(e *Event, zone *time.Location) []slog.Attr {
	text := func(name, value string) slog.Attr { return slog.String(name, Escape(value)) }
	list := []slog.Attr{
		slog.String("time", e.Start.In(zone).Format("2006-01-02T15:04:05.000000Z07:00")),
		text("auth_method", e.Method),
		text("auth_user", e.User),
		text("auth_salt", e.Salt),
		text("auth_protocol", e.Protocol),
		text("client_ip", e.ClientIP),
		text("auth_ssl", e.SSL),
		text("server", e.Server),
	}
	if e.Backend.IsValid() {
		list = append(list,
			slog.String("backend_ip", e.Backend.Addr().Unmap().String()),
			slog.Int("backend_port", int(e.Backend.Port())))
	}
	if e.Reply != "" {
		list = append(list, text("auth_reply", e.Reply))
	}
	list = append(list, text("auth_status", e.Status), slog.String("outcome", e.Outcome))
	if e.Reason != "" {
		list = append(list, slog.String("reason", string(e.Reason)))
	}
	if e.Error != "" {
		list = append(list, text("error", e.Error))
	}
	if e.Label != "" {
		list = append(list, text("password_label", e.Label))
	}
	if e.Throttle != "" {
		list = append(list, slog.String("throttle", e.Throttle))
	}
	if e.Cache != "" {
		list = append(list, slog.String("cache", e.Cache))
	}
	return append(list, slog.Int64("duration_us", e.End.Sub(e.Start).Microseconds()))
}

// Escape makes a value printable on one line, as the package comment describes. A value that
// was cut ends with "...".
func Escape(s string) string {
	cut := len(s) > MaxValue
	if cut {
		s = s[:MaxValue]
	}
	if !needsEscape(s) && !cut {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if plain(r, n) && !(r == '\\' && looksEscaped(s)) {
			b.WriteString(s[:n])
		} else {
			for i := range n {
				fmt.Fprintf(&b, `\x%02x`, s[i])
			}
		}
		s = s[n:]
	}
	if cut {
		b.WriteString("...")
	}
	return b.String()
}

func needsEscape(s string) bool {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !plain(r, n) || r == '\\' && looksEscaped(s[i:]) {
			return true
		}
		i += n
	}
	return false
}

// plain reports whether a character is written unchanged: it is printable and valid UTF-8.
func plain(r rune, size int) bool {
	return unicode.IsPrint(r) && !(r == utf8.RuneError && size == 1)
}

// looksEscaped reports whether s, which begins with a backslash, would be read as an escape.
func looksEscaped(s string) bool {
	if len(s) < 4 || s[1] != 'x' {
		return false
	}
	_, err := strconv.ParseUint(s[2:4], 16, 8)
	return err == nil
}
