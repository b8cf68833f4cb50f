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

// events are what the golden files are made of. Some times are given in another
// zone than the log's.
func events(t testing.TB) []Event {
	start := time.Date(2026, 11, 23, 12, 9, 42, 999_930_000, moscow(t))
	end := start.Add(14_982 * time.Microsecond)
	return []Event{
		{ // the mail server let the user in: the example of the package comment
			Start: start, End: end,
			Method: "plain", User: "bob@domain1.com", Protocol: "imap", ClientIP: "192.0.2.42", SSL: "on",
			Server: "axigen1", Backend: netip.MustParseAddrPort("127.0.0.1:143"), Reply: "001 OK AUTHENTICATE completed",
			Status: "OK", Outcome: "ok",
		},
		{ // the user map did; no TLS, IPv6
			Start: start.UTC(), End: end.UTC(),
			Method: "plain", User: "alice@domain02.com", Protocol: "pop3", ClientIP: "2001:db8::42",
			Server: "dovecot1", Backend: netip.MustParseAddrPort("[2001:db8::1]:110"), Status: "OK", Outcome: "ok",
		},
		{ // IPv4 in IPv6's clothes
			Start: start, End: end,
			Method: "cram-md5", User: "alice@domain02.com", Salt: "<1896.697170952@mail.example.com>", Protocol: "smtp",
			ClientIP: "192.0.2.42", SSL: "on", Server: "dovecot1", Backend: netip.MustParseAddrPort("[::ffff:192.0.2.1]:25"),
			Status: "Invalid login or password", Outcome: "reject", Reason: PasswordMismatch, Error: "no match",
		},
		{ // the year began elsewhere
			Start: time.Date(2026, 12, 31, 20, 59, 59, 999_999_999, time.UTC), End: time.Date(2026, 12, 31, 21, 0, 0, 999, time.UTC),
			Method: "plain", User: "bob@domain1.com", Protocol: "imap", ClientIP: "192.0.2.42", SSL: "on",
			Server: "axigen1", Backend: netip.MustParseAddrPort("192.0.2.1:143"),
			Status: "Temporary authentication failure", Outcome: "tempfail", Reason: InternalFailure,
			Error: `server "axigen1": connect: dial tcp 192.0.2.1:143: connect: connection refused`,
		},
		{ // a request without its headers
			Start: start, End: start,
			Status: "Invalid login or password", Outcome: "reject", Reason: Policy, Error: "no Auth-Method header",
		},
		hostile(start, end),
		{ // at the limit and over it, the second in the middle of a character
			Start: start, End: end,
			Method: "plain", User: strings.Repeat("u", MaxValue), Salt: "s" + strings.Repeat("ä", MaxValue/2),
			Status: "Invalid login or password", Outcome: "reject", Reason: Policy, Error: "user name longer than 512 bytes",
		},
	}
}

// hostile has in each value something that could break a line, a terminal or a field.
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

// field is a name and what stands beside it in a log, escaped.
type field struct{ name, value string }

// legacyFields are what the legacy layout says of an event, in order.
func legacyFields(e Event) []field { return escaped(legacyValues(e)) }

// structuredFields are what logfmt and json say, in order.
func structuredFields(e Event, zone *time.Location) []field {
	return escaped(structuredValues(e, zone))
}

// legacyValues are legacyFields, not escaped.
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
	return append(list, field{"Auth-Status", e.Status})
}

// structuredValues are structuredFields, not escaped.
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
