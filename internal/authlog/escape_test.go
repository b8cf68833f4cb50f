package authlog

import (
	"strconv"
	"strings"
	"testing"
)

func TestEscape(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"nothing to escape", `bob@domain1.com "a" 'b' c=d %41 ~`, `bob@domain1.com "a" 'b' c=d %41 ~`},
		{"UTF-8", "pässwörd 日本 🔑", "pässwörd 日本 🔑"},
		{"replacement character", "\ufffd", "\ufffd"},
		{"line ends", "a\r\nb", `a\x0d\x0ab`},
		{"NUL, tab, ESC, DEL", "\x00\t\x1b\x7f", `\x00\x09\x1b\x7f`},
		{"C1", "\u0085\u009b", `\xc2\x85\xc2\x9b`},
		{"line separator", "\u2028", `\xe2\x80\xa8`},
		{"direction override", "\u202e", `\xe2\x80\xae`},
		{"no-break space", "\u00a0", `\xc2\xa0`},
		{"Latin-1", "p\xe4ss", `p\xe4ss`},
		{"incomplete character", "\xf0\x9f\x94", `\xf0\x9f\x94`},
		{"surrogate", "\xed\xa0\x80", `\xed\xa0\x80`},
		{"overlong slash", "\xc0\xaf", `\xc0\xaf`},
		{"backslash", `a\b\n\\`, `a\b\n\\`},
		{"literal escape", `\x41`, `\x5cx41`},
		{"literal escape, upper case", `\xFE`, `\x5cxFE`},
		{"literal escape after a backslash", `\\x41`, `\\x5cx41`},
		{"invalid escapes", `\x4 \x \xg0 \x4g \X41 \u0041`, `\x4 \x \xg0 \x4g \X41 \u0041`},
		{"signs and underscores are not digits", `\x+1\x-1\x_1`, `\x+1\x-1\x_1`},
		{"half an escape before an escape", "\\x4\n", `\x4\x0a`},
		{"at the limit", strings.Repeat("x", MaxValue), strings.Repeat("x", MaxValue)},
		{"over the limit", strings.Repeat("x", MaxValue+1), strings.Repeat("x", MaxValue) + "..."},
		{"cut within a character", strings.Repeat("x", MaxValue-1) + "ä", strings.Repeat("x", MaxValue-1) + `\xc3...`},
		{"cut within a literal escape", strings.Repeat("x", MaxValue-3) + `\x41`, strings.Repeat("x", MaxValue-3) + `\x4...`},
		{"at the limit, all escaped", strings.Repeat("\n", MaxValue), strings.Repeat(`\x0a`, MaxValue)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Escape(tt.in); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// unescape is the inverse of Escape.
func unescape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		if len(s) >= 4 && s[:2] == `\x` {
			if c, err := strconv.ParseUint(s[2:4], 16, 8); err == nil {
				b.WriteByte(byte(c))
				s = s[4:]
				continue
			}
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}

func checkEscape(t *testing.T, s string) {
	t.Helper()
	got, want := Escape(s), s
	if len(s) > MaxValue {
		var cut bool
		if got, cut = strings.CutSuffix(got, "..."); !cut {
			t.Errorf("value of %d bytes is not marked as cut: %q", len(s), got)
		}
		want = s[:MaxValue]
	}
	if !printable(got) {
		t.Errorf("%q is not printable", got)
	}
	if back := unescape(got); back != want {
		t.Errorf("%q is escaped as %q, which unescapes to %q", want, got, back)
	}
}

// TestEscapeReversible tests all combinations of five parts of an escape.
func TestEscapeReversible(t *testing.T) {
	parts := []string{`\`, "x", "4", "F", "g", "\n", "\xff", "ä", "\u2028"}
	n := len(parts)
	for i := range n * n * n * n * n {
		var s string
		for range 5 {
			s += parts[i%n]
			i /= n
		}
		checkEscape(t, s)
	}
}

func FuzzEscape(f *testing.F) {
	for _, e := range events(f) {
		for _, field := range legacyFields(e) {
			f.Add(field.value)
		}
	}
	for _, s := range []string{"\r\n\x00\x1b", "\u0085\u2028\ufeff", "\xff\xc3", `\x41\\x41\x`, strings.Repeat("ä", MaxValue)} {
		f.Add(s)
	}
	f.Fuzz(checkEscape)
}

func TestUnescape(t *testing.T) {
	for _, s := range []string{"", "bob", "a\x00b\xff", `literal \x41`, `\x`, `\x4`, `\xzz\x`, "line\r\nline\u2028", `\\x41\`} {
		if got := Unescape(Escape(s)); got != s {
			t.Errorf("%q escaped and unescaped is %q", s, got)
		}
	}
}
