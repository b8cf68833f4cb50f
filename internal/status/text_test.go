package status

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

var update = flag.Bool("update", false, "write the golden file anew")

func TestMain(m *testing.M) {
	time.Local = time.UTC // the samples have times of day
	os.Exit(m.Run())
}

func textOf(t *testing.T, s *Snapshot, colours bool) string {
	t.Helper()
	var b strings.Builder
	if err := s.WriteText(&b, colours); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText(t *testing.T) {
	const golden = "testdata/status.golden"
	s := sample(quiet())
	s.Recent[0].Error = "two\nlines"
	s.Log.Error, s.Reloads.LastError = "no space left on device", "m.toml:3: listen.fastcg: unknown key"
	got := textOf(t, s, false)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if coloured := textOf(t, s, true); !strings.Contains(coloured, "\x1b[31mset aside since") || strings.Contains(got, "\x1b") {
		t.Errorf("colours\n%s", coloured)
	}
}

// What JSON has is what the text is made of, so that a command can print the text.
func TestJSONIsComplete(t *testing.T) {
	s := sample(busy())
	var b bytes.Buffer
	if err := s.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var read Snapshot
	if err := json.Unmarshal(b.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if textOf(t, &read, false) != textOf(t, s, false) || !reflect.DeepEqual(read.Minutes, s.Minutes) {
		t.Error("the text differs after JSON")
	}
	for _, want := range []string{`"start time": `, `"accepted conn": 123456`, `"listen queue": 0`, `"certificate days": 9`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s", want)
		}
	}
}

func isDomain1(domain string) bool { return domain == "domain1.com" }

func TestMask(t *testing.T) {
	for name, want := range map[string]string{
		"bob@domain1.com": "b…@domain1.com", "b@domain1.com": "b…@domain1.com", "élise@domain1.com": "é…@domain1.com", "a@b@domain1.com": "a…@domain1.com",
		"hunter2": "h…", "P@ssw0rd": "P…", "bob@domain1.com@x": "b…", "": "…", "@": "…", "@domain1.com": "…@domain1.com", "\xff@domain1.com": "…@domain1.com",
		"\n@domain1.com": "…@domain1.com",
	} {
		if got := maskUser(name, isDomain1); got != want {
			t.Errorf("user %q: %q, want %q", name, got, want)
		}
	}
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.x", "192.0.2.7/32": "192.0.2.x", "::ffff:192.0.2.7": "192.0.2.x", "2001:db8:1:2::3": "2001:db8:1:x",
		"2001:db8:1:2::/64": "2001:db8:1:x", "fe80::1%eth0": "fe80:x", "bob": "…", "": "…",
	} {
		if got := maskAddress(address); got != want {
			t.Errorf("address %q: %q, want %q", address, got, want)
		}
	}
}

// No format of a masked snapshot has a name or an address of a client, whatever else it has.
func TestMaskedSnapshotHasNoNames(t *testing.T) {
	s := sample(busy())
	s.Reloads.LastError = `users."user1@domain1.com".password: unknown scheme`
	s.Passdbs[0].LastError = `passdb "vmail": user "user1@domain1.com": search: context deadline exceeded`
	s.Mask(isDomain1)
	var js bytes.Buffer
	if err := s.WriteJSON(&js); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{js.String(), textOf(t, s, false), string(htmlOf(t, s, Query{Format: HTML, Full: true}))} {
		for _, name := range []string{"user1", "user4", "bob", "203.0.113.9", "198.51.19.135", "user@"} {
			if strings.Contains(text, name) {
				t.Errorf("%s in %s", name, text)
			}
		}
	}
}

func TestDays(t *testing.T) {
	for left, want := range map[time.Duration]int{36 * time.Hour: 1, 23 * time.Hour: 0, -time.Second: -1, -24 * time.Hour: -1, -25 * time.Hour: -2} {
		if got := Days(noon.Add(left), noon); got != want {
			t.Errorf("%v: %d days, want %d", left, got, want)
		}
	}
}

// Of a certificate that has ended, the number of days would not be understood.
func TestEndedCertificate(t *testing.T) {
	ended, last := -1, 0
	s := Snapshot{Servers: []Server{{Name: "box1", Protocol: "imap", Up: true, Days: &ended}, {Name: "box2", Protocol: "imap", Up: true, Days: &last}}}
	if got, want := s.Problems(), []string{"box1 imap: the certificate has ended", "box2 imap: the certificate ends soon"}; !slices.Equal(got, want) {
		t.Errorf("problems %q, want %q", got, want)
	}
	var text bytes.Buffer
	if err := s.WriteText(&text, false); err != nil || !strings.Contains(text.String(), "certificate has ended,") || !strings.Contains(text.String(), "certificate 0 days,") {
		t.Errorf("%v:\n%s", err, text.String())
	}
	if got := s.Servers[0].cells(); !slices.ContainsFunc(got, func(c cell) bool { return c.Text == "has ended" && strings.Contains(c.Class, "bad") }) {
		t.Errorf("cells %+v", got)
	}
}

// A terminal must not obey what clients have sent as names.
func TestPrintable(t *testing.T) {
	const name = "a\u009b31m\x1b[31m\u202e\u00adb\u00e4\U000e0041<>\xff"
	s := sample(quiet())
	s.Recent[0].User, s.Throttle[0].Name = name, name
	var js bytes.Buffer
	if err := s.WriteJSON(&js); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"text": textOf(t, s, false), "JSON": js.String()} {
		for _, r := range text {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%s has %U", what, r)
			}
		}
	}
	var read Snapshot
	if err := json.Unmarshal(js.Bytes(), &read); err != nil || read.Recent[0].User != strings.ToValidUTF8(name, "\ufffd") {
		t.Errorf("read back %q, %v", read.Recent[0].User, err)
	}
}
