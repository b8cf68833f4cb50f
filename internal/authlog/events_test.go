package authlog

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

func moscow(t testing.TB) *time.Location {
	t.Helper()
	zone, err := Zone("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// events returns the events of the golden files. Some have times in another zone than the log.
func events(t testing.TB) []Event {
	start := time.Date(2026, 11, 23, 12, 9, 42, 999_930_000, moscow(t))
	end := start.Add(14_982 * time.Microsecond)
	return []Event{
		{ // accepted by the mail server: the example of the package comment
			Start: start, End: end,
			Method: "plain", User: "bob@domain1.com", Protocol: "imap", ClientIP: "192.0.2.42", SSL: "on",
			Server: "axigen1", Backend: netip.MustParseAddrPort("127.0.0.1:143"), Reply: "001 OK AUTHENTICATE completed",
			Status: "OK", Outcome: "ok",
		},
		{ // accepted by the user map; no TLS, IPv6
			Start: start.UTC(), End: end.UTC(),
			Method: "plain", User: "alice@domain02.com", Protocol: "pop3", ClientIP: "2001:db8::42",
			Server: "dovecot1", Backend: netip.MustParseAddrPort("[2001:db8::1]:110"), Status: "OK", Outcome: "ok",
		},
		{ // IPv4-mapped IPv6 address
			Start: start, End: end,
			Method: "cram-md5", User: "alice@domain02.com", Salt: "<1896.697170952@mail.example.com>", Protocol: "smtp",
			ClientIP: "192.0.2.42", SSL: "on", Server: "dovecot1", Backend: netip.MustParseAddrPort("[::ffff:192.0.2.1]:25"),
			Status: "Invalid login or password", Outcome: "reject", Reason: PasswordMismatch, Error: "no match",
		},
		{ // a new year in the log's zone only
			Start: time.Date(2026, 12, 31, 20, 59, 59, 999_999_999, time.UTC), End: time.Date(2026, 12, 31, 21, 0, 0, 999, time.UTC),
			Method: "plain", User: "bob@domain1.com", Protocol: "imap", ClientIP: "192.0.2.42", SSL: "on",
			Server: "axigen1", Backend: netip.MustParseAddrPort("192.0.2.1:143"),
			Status: "Temporary authentication failure", Outcome: "tempfail", Reason: InternalFailure,
			Error: `server "axigen1": connect: dial tcp 192.0.2.1:143: connect: connection refused`,
		},
		{ // rejected by the throttle
			Start: start, End: start,
			Method: "plain", User: "bob@domain1.com", Protocol: "smtp", ClientIP: "192.0.2.43", SSL: "on",
			Server: "axigen1", Backend: netip.MustParseAddrPort("192.0.2.1:25"),
			Status: "Invalid login or password", Outcome: "reject", Reason: Policy, Throttle: "pair",
			Error: "throttle: too many wrong passwords of this pair",
		},
		{ // a request without headers
			Start: start, End: start,
			Status: "Invalid login or password", Outcome: "reject", Reason: Policy, Error: "no Auth-Method header",
		},
		hostile(start, end),
		{ // a value at the limit, and one over it that is cut within a character
			Start: start, End: end,
			Method: "plain", User: strings.Repeat("u", MaxValue), Salt: "s" + strings.Repeat("ä", MaxValue/2),
			Status: "Invalid login or password", Outcome: "reject", Reason: Policy, Error: "user name longer than 512 bytes",
		},
	}
}

// hostile returns an event whose values try to break out of a line or field, or to control a terminal.
func hostile(start, end time.Time) Event {
	return Event{
		Start: start, End: end,
		Method:   "plain\x00",
		User:     "bob\r\n20261123 12:09:43'014912: Auth-Status:   OK\r\n",
		Salt:     "C0 \x1b[2J\x07\x7f\t, C1 \u0085\u009b",
		Protocol: "separators \u2028\u2029, direction \u202e, BOM \ufeff, no-break space \u00a0",
		ClientIP: "not UTF-8 \xff\xc3 p\xe4ss, UTF-8 pässwörd 🔑 \ufffd",
		SSL:      `literal \x41 \x4 \X41 \\x41 \n " a=b 'c' {"json":1}`,
		Server:   "axi gen=1",
		Backend:  netip.MustParseAddrPort("127.0.0.1:143"),
		Reply:    "001 OK \x1b]0;title\a\r",
		Status:   "no\nauth_status=OK", Outcome: "reject", Reason: UserUnknown,
		Error: "first line\nsecond \"line\"",
	}
}

// field is a name with its value, as the log has it.
type field struct{ name, value string }

// legacyFields returns the fields of an event in the legacy format, in order and escaped.
func legacyFields(e Event) []field { return escaped(legacyValues(e)) }

// structuredFields returns the fields of an event in logfmt and json, in order and escaped.
func structuredFields(e Event, zone *time.Location) []field {
	return escaped(structuredValues(e, zone))
}

// legacyValues is legacyFields without the escaping.
func legacyValues(e Event) []field {
	list := []field{
		{"Auth-Method", e.Method}, {"Auth-User", e.User}, {"Auth-Salt", e.Salt},
		{"Auth-Protocol", e.Protocol}, {"Client-IP", e.ClientIP}, {"Auth-SSL", e.SSL},
	}
	if e.Backend.IsValid() {
		list = append(list, backend(e, "backend_ip", "backend_port")...)
	}
	if e.Reply != "" {
		list = append(list, field{"Auth reply", e.Reply})
	}
	switch {
	case e.Throttle != "":
		list = append(list, field{"Reason", string(e.Reason) + " throttle=" + e.Throttle})
	case e.Reason != "":
		list = append(list, field{"Reason", string(e.Reason)})
	}
	return append(list, field{"Auth-Status", e.Status})
}

// structuredValues is structuredFields without the escaping.
func structuredValues(e Event, zone *time.Location) []field {
	list := []field{
		{"time", e.Start.In(zone).Format("2006-01-02T15:04:05.000000-07:00")},
		{"auth_method", e.Method}, {"auth_user", e.User}, {"auth_salt", e.Salt},
		{"auth_protocol", e.Protocol}, {"client_ip", e.ClientIP}, {"auth_ssl", e.SSL}, {"server", e.Server},
	}
	if e.Backend.IsValid() {
		list = append(list, backend(e, "backend_ip", "backend_port")...)
	}
	for _, f := range []struct {
		field
		always bool
	}{
		{field{"auth_reply", e.Reply}, false}, {field{"auth_status", e.Status}, true}, {field{"outcome", e.Outcome}, true},
		{field{"reason", string(e.Reason)}, false}, {field{"error", e.Error}, false},
		{field{"password_label", e.Label}, false}, {field{"throttle", e.Throttle}, false}, {field{"cache", e.Cache}, false},
	} {
		if f.always || f.value != "" {
			list = append(list, f.field)
		}
	}
	us := e.End.Sub(e.Start).Microseconds()
	return append(list, field{"duration_us", strconv.FormatInt(us, 10)})
}

func backend(e Event, ip, port string) []field {
	return []field{{ip, e.Backend.Addr().Unmap().String()}, {port, strconv.Itoa(int(e.Backend.Port()))}}
}

func escaped(list []field) []field {
	for i := range list {
		list[i].value = Escape(list[i].value)
	}
	return list
}
