package authhttp

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestUnescape(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"no escapes", "bob@domain1.com", "bob@domain1.com"},
		{"plus is a plus", "a+b", "a+b"},
		{"escaped plus", "a%2Bb", "a+b"},
		{"space", "a%20b", "a b"},
		{"raw space", "a b", "a b"},
		{"percent", "%25", "%"},
		{"percent twice", "%25%25", "%%"},
		{"decoded once", "%2520", "%20"},
		{"decoded once, longer", "%252525", "%2525"},
		{"percent before digits", "100%2541", "100%41"},
		{"NUL", "a%00b", "a\x00b"},
		{"LF and CR", "%0A%0D", "\n\r"},
		{"first and last byte", "%00%FF", "\x00\xff"},
		{"lower case hex", "%c3%a4", "ä"},
		{"upper case hex", "%C3%A4", "ä"},
		{"mixed case hex", "%aF%Fa", "\xaf\xfa"},
		{"UTF-8 of four bytes", "%F0%9F%94%91", "🔑"},
		{"raw UTF-8", "pässwörd", "pässwörd"},
		{"raw Latin-1", "p\xe4ss", "p\xe4ss"},
		{"raw and escaped byte in one character", "\xc3%A4", "ä"},
		{"older nginx: quote", "%22", `"`},
		{"older nginx: hash", "%23", "#"},
		{"older nginx: question mark", "%3F", "?"},
		{"older nginx: DEL", "%7F", "\x7f"},
		{"older nginx: high bytes", "%80%FE", "\x80\xfe"},
		{"raw quote, hash, question mark", `"#?`, `"#?`},
		{"special in shells and URLs", `&;$()'\=/`, `&;$()'\=/`},

		{"not hex", "%zz", "%zz"},
		{"half hex", "%4z", "%4z"},
		{"other half hex", "%z4", "%z4"},
		{"percent at the end", "abc%", "abc%"},
		{"percent alone", "%", "%"},
		{"one digit at the end", "%2", "%2"},
		{"escape at the end", "abc%41", "abcA"},
		{"percent before an escape", "%%41", "%A"},
		{"many percents", "%%%%", "%%%%"},
		{"after an invalid escape", "%z%41", "%zA"},
		{"invalid escape, then a valid one", "%4%41", "%4A"},
		{"sign is not a digit", "%+1%-1", "%+1%-1"},
		{"space is not a digit", "% 1%1 ", "% 1%1 "},
		{"0x is not a prefix", "%0x41", "%0x41"},
		{"neighbours of the digits in ASCII", "%/0%:0%@0%G0%`0%g0", "%/0%:0%@0%G0%`0%g0"},
		{"Unicode escape is invalid", "%u0041", "%u0041"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Unescape(tt.in); got != tt.want {
				t.Errorf("Unescape(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// escapers report, for each version of nginx, whether it escapes a byte of a user name or password.
var escapers = map[string]func(c byte) bool{
	"newer nginx": func(c byte) bool { return c <= ' ' || c == '%' },
	"older nginx": func(c byte) bool { return c <= ' ' || strings.IndexByte(`%"#?`, c) >= 0 || c >= 0x7f },
}

func escape(s string, escaped func(byte) bool) string {
	var b strings.Builder
	for i := range len(s) {
		if escaped(s[i]) {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// TestUnescapeInverse tests all pairs of bytes, so that each byte also follows an escape.
func TestUnescapeInverse(t *testing.T) {
	for name, escaped := range escapers {
		for i := range 256 * 256 {
			s := string([]byte{byte(i >> 8), byte(i)})
			if got := Unescape(escape(s, escaped)); got != s {
				t.Errorf("%s: %q, escaped and unescaped, is %q", name, s, got)
			}
		}
	}
}

var validEscape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

func FuzzUnescape(f *testing.F) {
	for _, s := range []string{"", "bob@domain1.com", "%2520", "%", "%2", "%zz", "%%41", "a+b", "\x00\xff%C3%a4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, escaped := range escapers {
			if got := Unescape(escape(s, escaped)); got != s {
				t.Errorf("%s: %q, escaped and unescaped, is %q", name, s, got)
			}
		}
		want := validEscape.ReplaceAllStringFunc(s, func(e string) string {
			b, _ := hex.DecodeString(e[1:])
			return string(b)
		})
		if got := Unescape(s); got != want {
			t.Errorf("Unescape(%q) = %q, want %q", s, got, want)
		}
	})
}
