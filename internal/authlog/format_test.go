package authlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files anew")

// counter counts the calls of Write.
type counter struct {
	bytes.Buffer
	writes int
}

func (c *counter) Write(p []byte) (int, error) {
	c.writes++
	return c.Buffer.Write(p)
}

// encodeAll encodes events in one format, and checks that each is one write.
func encodeAll(t *testing.T, format string, events []Event) string {
	t.Helper()
	var c counter
	encode, err := newEncoder(format, moscow(t), &c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if err := encode(&events[i]); err != nil {
			t.Fatal(err)
		}
		if c.writes != i+1 {
			t.Fatalf("event %d: %d writes so far", i+1, c.writes)
		}
	}
	return c.String()
}

func TestGolden(t *testing.T) {
	for _, format := range Formats {
		t.Run(format, func(t *testing.T) {
			got := encodeAll(t, format, events(t))
			file := filepath.Join("testdata", format+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			diff(t, got, string(want))
		})
	}
}

// diff reports the first line that differs.
func diff(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("line %d:\n got %q\nwant %q", i+1, g[i], w[i])
		}
	}
	if len(g) != len(w) {
		t.Fatalf("%d lines, want %d", len(g), len(w))
	}
}

// TestLegacyExample compares with a log that auth.php itself wrote: the order of the lines,
// their layout, and the space before an empty value.
func TestLegacyExample(t *testing.T) {
	want := strings.Join([]string{
		"20261123 12:09:42'999930: Auth-Method:   plain",
		"20261123 12:09:42'999930: Auth-User:     bob@domain1.com",
		"20261123 12:09:42'999930: Auth-Salt:     ",
		"20261123 12:09:42'999930: Auth-Protocol: imap",
		"20261123 12:09:42'999930: Client-IP:     192.0.2.42",
		"20261123 12:09:42'999930: Auth-SSL:      on",
		"20261123 12:09:42'999930: backend_ip:    127.0.0.1",
		"20261123 12:09:42'999930: backend_port:  143",
		"20261123 12:09:43'014912: Auth reply:    001 OK AUTHENTICATE completed",
		"20261123 12:09:43'014912: Auth-Status:   OK",
		"",
	}, "\n")
	diff(t, encodeAll(t, "legacy", events(t)[:1]), want)
}

var legacyLine = regexp.MustCompile(`^\d{8} \d\d:\d\d:\d\d'\d{6}: (.{15})(.*)$`)

// TestLegacyColumns tests that every value begins at column 16 of the message, also an empty one.
func TestLegacyColumns(t *testing.T) {
	for _, e := range events(t) {
		lines := strings.SplitAfter(encodeAll(t, "legacy", []Event{e}), "\n")
		want := legacyFields(e)
		if len(lines) != len(want)+1 {
			t.Fatalf("%d lines, want %d", len(lines)-1, len(want))
		}
		for i, f := range want {
			m := legacyLine.FindStringSubmatch(strings.TrimSuffix(lines[i], "\n"))
			if m == nil || m[1] != fmt.Sprintf("%-15s", f.name+":") || m[2] != f.value {
				t.Errorf("line %q, want %s: %q", lines[i], f.name, f.value)
			}
		}
	}
}

func TestJSONFields(t *testing.T) {
	for _, e := range events(t) {
		out := encodeAll(t, "json", []Event{e})
		if !json.Valid([]byte(out)) {
			t.Fatalf("not JSON: %s", out)
		}
		if got, want := jsonFields(t, out), structuredFields(e, moscow(t)); !reflect.DeepEqual(got, want) {
			t.Errorf("got\n%q, want\n%q", got, want)
		}
	}
}

// jsonFields reads an object token by token, because a map would lose the order.
func jsonFields(t *testing.T, line string) (list []field) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	for d.Token(); d.More(); {
		name, err1 := d.Token()
		value, err2 := d.Token()
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		list = append(list, field{fmt.Sprint(name), fmt.Sprint(value)})
	}
	return list
}

func TestLogfmtFields(t *testing.T) {
	for _, e := range events(t) {
		out := encodeAll(t, "logfmt", []Event{e})
		if got, want := logfmtFields(t, out), structuredFields(e, moscow(t)); !reflect.DeepEqual(got, want) {
			t.Errorf("got\n%q, want\n%q", got, want)
		}
	}
}

func logfmtFields(t *testing.T, line string) (list []field) {
	t.Helper()
	for rest := strings.TrimSuffix(line, "\n"); rest != ""; rest = strings.TrimPrefix(rest, " ") {
		name, after, _ := strings.Cut(rest, "=")
		value, _, _ := strings.Cut(after, " ")
		rest = after[len(value):]
		if quoted, err := strconv.QuotedPrefix(after); err == nil {
			rest = after[len(quoted):]
			if value, err = strconv.Unquote(quoted); err != nil {
				t.Fatal(err)
			}
		}
		list = append(list, field{name, value})
	}
	return list
}

// TestPrintable tests that only the format's own line ends are not printable.
func TestPrintable(t *testing.T) {
	for _, format := range Formats {
		for _, e := range events(t) {
			out := encodeAll(t, format, []Event{e})
			lines := 1
			if format == "legacy" {
				lines = len(legacyFields(e))
			}
			if n := strings.Count(out, "\n"); n != lines || !strings.HasSuffix(out, "\n") {
				t.Errorf("%s: %d line ends, want %d", format, n, lines)
			}
			if !printable(strings.ReplaceAll(out, "\n", "")) {
				t.Errorf("%s: not printable: %q", format, out)
			}
		}
	}
}

func printable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

func TestEncoderError(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	for _, format := range Formats {
		encode, err := newEncoder(format, moscow(t), w)
		if err != nil {
			t.Fatal(err)
		}
		if err := encode(&events(t)[0]); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: error %v", format, err)
		}
	}
	if _, err := newEncoder("syslog", moscow(t), w); err == nil {
		t.Error("an unknown format was accepted")
	}
}
