package authlog

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Each target parses what an encoder wrote, and fails on everything that is not exactly the
// layout of one entry. So no value can pass for another line or field.

func FuzzLegacy(f *testing.F) {
	fuzzFormat(f, parseLegacy, "legacy", func(e Event, _ *time.Location) []field { return legacyValues(e) })
}

func FuzzLogfmt(f *testing.F) { fuzzFormat(f, parseLogfmt, "logfmt", structuredValues) }

func FuzzJSON(f *testing.F) { fuzzFormat(f, parseJSON, "json", structuredValues) }

// forgeries try to add another address or another entry to the log.
var forgeries = []string{
	"x Client-IP: 198.51.100.7",
	"x\nClient-IP:     198.51.100.7",
	"x\r\n20261123 12:09:42'999930: Client-IP:     198.51.100.7",
	`x" client_ip=198.51.100.7 z="`,
	`x\" client_ip=198.51.100.7`,
	`x","client_ip":"198.51.100.7`,
	"x\u2028{\"client_ip\":\"198.51.100.7\"}",
	`\x0aClient-IP:     198.51.100.7`,
	"x\x00\x1b]0;\x07\u202e\xff\x80\\x41",
	strings.Repeat("\n", MaxValue+1),
}

type (
	parser func(text string) (entry []field, rest string, err error)
	values func(e Event, zone *time.Location) []field
)

// fuzzFormat writes an event twice, so that the parser must also find where an entry ends.
func fuzzFormat(f *testing.F, parse parser, format string, want values) {
	for _, s := range forgeries {
		f.Add(s, s, s, s, s, uint16(143), uint32(1<<31), uint32(1<<31))
		f.Add("plain", s, "192.0.2.42", "", "OK", uint16(0), uint32(0), uint32(0))
	}
	f.Fuzz(func(t *testing.T, method, user, client, reply, status string, port uint16, second, us uint32) {
		e := fuzzEvent(method, user, client, reply, status, port, second, us)
		text := encodeAll(t, format, []Event{e, e})
		if !printable(strings.ReplaceAll(text, "\n", "")) {
			t.Errorf("not printable: %q", text)
		}
		got, _ := decode(t, text, time.Time{})
		wantEvents(t, got, []Event{e, e}, format)
		for rest := text; rest != ""; {
			entry, after, err := parse(rest)
			if err != nil {
				t.Fatalf("%v: %q", err, text)
			}
			checkFields(t, entry, want(e, moscow(t)))
			if after != "" && len(text) != 2*len(after) {
				t.Fatalf("an entry ends %d bytes before the end: %q", len(after), text)
			}
			rest = after
		}
	})
}

func fuzzEvent(method, user, client, reply, status string, port uint16, second, us uint32) Event {
	start := time.Unix(int64(second), int64(us%1e6)*1000)
	e := Event{
		Start: start, End: start.Add(time.Duration(us) * time.Microsecond),
		Method: method, User: user, Salt: reply, Protocol: method, ClientIP: client, SSL: status,
		Server: user, Reply: reply, Status: status, Outcome: "reject", Reason: UserUnknown,
		Error: client, Label: user, Throttle: "pair", Cache: "hit",
	}
	if port != 0 {
		e.Backend = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), port)
	}
	return e
}

// checkFields unescapes the fields that were read, and compares them with those of the event.
func checkFields(t *testing.T, got, want []field) {
	t.Helper()
	for i := range got {
		got[i].value = unescape(got[i].value)
	}
	for i, w := range want {
		if len(w.value) > MaxValue {
			want[i].value = w.value[:MaxValue] + "..."
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("read\n%q, want\n%q", got, want)
	}
}

var legacyEntryLine = regexp.MustCompile(`^(\d{8} \d\d:\d\d:\d\d'\d{6}: )(([A-Za-z_-]+|Auth reply):) *$`)

// parseLegacy reads lines up to the last line of an entry.
func parseLegacy(text string) (entry []field, rest string, err error) {
	for {
		line, after, ended := strings.Cut(text, "\n")
		if len(line) < 41 || !ended {
			return nil, "", fmt.Errorf("not a whole line: %q", line)
		}
		parts := legacyEntryLine.FindStringSubmatch(line[:41]) // 26 bytes of time, 15 up to the value
		if parts == nil {
			return nil, "", fmt.Errorf("line without time and name: %q", line)
		}
		entry, text = append(entry, field{parts[3], line[41:]}), after
		if parts[3] == "Auth-Status" {
			return entry, text, nil
		}
	}
}

var logfmtField = regexp.MustCompile(`^([a-z_]+)=([^\s"=]+|"(?:[^"\\]|\\.)*")( |\n)`)

// parseLogfmt reads one line.
func parseLogfmt(text string) (entry []field, rest string, err error) {
	for {
		parts := logfmtField.FindStringSubmatch(text)
		if parts == nil {
			return nil, "", fmt.Errorf("not a field: %q", text)
		}
		value := parts[2]
		if value[0] == '"' {
			if value, err = strconv.Unquote(value); err != nil {
				return nil, "", fmt.Errorf("%w: %s", err, parts[2])
			}
		}
		entry, text = append(entry, field{parts[1], value}), text[len(parts[0]):]
		if parts[3] == "\n" {
			return entry, text, nil
		}
	}
}

// parseJSON reads one line, which must hold exactly one object.
func parseJSON(text string) (entry []field, rest string, err error) {
	line, rest, ended := strings.Cut(text, "\n")
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') || !ended || !json.Valid([]byte(line)) {
		return nil, "", fmt.Errorf("not an object: %q, %v", line, err)
	}
	for d.More() {
		var value any
		name, err := d.Token()
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			return nil, "", err
		}
		entry = append(entry, field{fmt.Sprint(name), fmt.Sprint(value)})
	}
	return entry, rest, nil
}
