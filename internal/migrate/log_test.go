package migrate

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/config"
	"mailauthd/internal/logfile"
)

// request is a login as auth.php logs it. The times are in microseconds.
type request struct {
	start, gap         int64 // of the first line; between two header lines
	user, protocol, ip string
	method             string  // "plain" if empty
	reply              string  // the server's
	took               []int64 // each of the dialogues; none: the server refused
}

// logLine is a line of an old log without its time.
type logLine struct {
	at         int64
	name, text string
}

var ports = map[string]string{"imap": "143", "pop3": "110", "smtp": "25"}

func (r request) lines() []logLine {
	method, at := r.method, r.start
	if method == "" {
		method = "plain"
	}
	list := []logLine{{at, "Auth-Method", method}}
	add := func(after int64, name, text string) {
		at += after
		list = append(list, logLine{at, name, text})
	}
	gap := max(r.gap, 20)
	add(gap, "Auth-User", r.user)
	add(gap, "Auth-Salt", "")
	add(gap, "Auth-Protocol", r.protocol)
	add(gap, "Client-IP", "192.0.2.1")
	add(gap, "Auth-SSL", "on")
	if r.ip == "" {
		return list
	}
	add(gap, "backend_ip", r.ip)
	add(gap, "backend_port", ports[r.protocol])
	for i, took := range r.took {
		add(took, "Auth reply", r.reply+"\r\n")
		if i == 0 {
			add(gap, "backend_port", ports[r.protocol])
		}
	}
	return list
}

// oldLog is the log of requests that auth.php has answered at the same time.
func oldLog(requests ...request) string {
	var all []logLine
	for _, r := range requests {
		all = append(all, r.lines()...)
	}
	slices.SortStableFunc(all, func(a, b logLine) int { return int(a.at - b.at) })
	var b strings.Builder
	for _, l := range all {
		b.WriteString(stamped(l))
	}
	return b.String()
}

func stamped(l logLine) string {
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC).Add(time.Duration(l.at) * time.Microsecond)
	return fmt.Sprintf("%s'%06d: %-15s%s\n", at.Format("20060102 15:04:05"), at.Nanosecond()/1000, l.name+":", l.text)
}

// logins describes what was read: for each login its user, protocol and server, what is doubtful, and how often.
func logins(l *Log) []string {
	var list []string
	for _, key := range slices.Sorted(maps.Keys(l.logins)) {
		flags, login, reply := parseKey(key)
		text := fmt.Sprintf("%d %s %s %s:%s", *l.logins[key], login.user, login.protocol, login.server, login.port)
		if flags&flagNotOK != 0 {
			text += " not OK: " + reply
		}
		if flags&flagDoubt != 0 {
			text += " ambiguous"
		}
		list = append(list, text)
	}
	return list
}

func read(t *testing.T, logs ...string) *Log {
	t.Helper()
	l := NewLog(time.Time{}, time.UTC)
	for _, log := range logs {
		if err := l.Read(strings.NewReader(log)); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

const okIMAP, okPOP3 = "001 OK AUTHENTICATE completed", "+OK Logged in."

func TestOverlappingRequests(t *testing.T) {
	twice := []int64{50_000, 50_000}
	bob := request{user: "bob@domain1.com", protocol: "imap", ip: "192.0.2.1", reply: okIMAP, took: twice}
	amy := request{start: 10_000, user: "amy@domain2.com", protocol: "imap", ip: "192.0.2.2", reply: okIMAP, took: twice}
	bobIn, amyIn := "1 bob@domain1.com imap 192.0.2.1:143", "1 amy@domain2.com imap 192.0.2.2:143"
	amyPOP3 := "1 amy@domain2.com pop3 192.0.2.2:110"
	with := func(r request, change func(*request)) request { change(&r); return r }
	for _, tt := range []struct {
		name     string
		requests []request
		want     []string
		failed   int
	}{
		{"one after the other", []request{bob, with(amy, func(r *request) { r.start = 1e6 })}, []string{amyIn, bobIn}, 0},
		{"while another waits for its server", []request{bob, amy}, []string{amyIn, bobIn}, 0},
		{"answered in another order", []request{
			with(bob, func(r *request) { r.took = []int64{500_000, 500_000} }), amy}, []string{amyIn, bobIn}, 0},
		{"header lines mixed, the same protocol", []request{
			bob, with(amy, func(r *request) { r.start = 5; r.ip = bob.ip })},
			[]string{"1 amy@domain2.com imap 192.0.2.1:143", bobIn}, 0},
		{"header lines mixed, other servers", []request{bob, with(amy, func(r *request) { r.start = 5 })},
			[]string{"1 amy@domain2.com imap 192.0.2.2:143 ambiguous", bobIn + " ambiguous"}, 0},
		{"refused long before", []request{with(bob, func(r *request) { r.took = nil }), with(amy, func(r *request) { r.start = 10e6 })},
			[]string{amyIn}, 1},
		{"refused at the same time", []request{with(bob, func(r *request) { r.took = nil }), amy},
			[]string{amyIn + " ambiguous", bobIn + " ambiguous"}, 0},
		{"refused at the same time, another protocol", []request{
			with(bob, func(r *request) { r.took = nil }), with(amy, func(r *request) { r.protocol, r.reply = "pop3", okPOP3 })},
			[]string{amyPOP3}, 1},
		{"refused during a second dialogue", []request{bob, with(amy, func(r *request) { r.start = 60_000; r.took = nil })},
			[]string{bobIn}, 1},
		{"unknown domain just before", []request{with(bob, func(r *request) { r.ip = "" }), amy}, []string{amyIn}, 1},
		{"not OK", []request{with(bob, func(r *request) { r.reply = "001 BAD" })}, []string{bobIn + " not OK: 001 BAD"}, 0},
		{"not OK while another waits", []request{with(bob, func(r *request) { r.reply = "001 BAD" }), with(amy, func(r *request) { r.took = nil })},
			[]string{amyIn + " not OK: 001 BAD ambiguous", bobIn + " not OK: 001 BAD ambiguous"}, 0},
		{"ports mixed", []request{bob, with(amy, func(r *request) { r.start, r.protocol, r.reply = 120, "pop3", okPOP3 })},
			[]string{amyPOP3, bobIn}, 0},
		{"the same user twice", []request{bob, with(bob, func(r *request) { r.start = 10_000; r.took = nil })}, []string{bobIn}, 1},
		{"asked once", []request{with(bob, func(r *request) { r.took = twice[:1] }), amy}, []string{amyIn, bobIn}, 0},
		{"challenge, long after a refusal", []request{with(bob, func(r *request) { r.took = nil }),
			with(amy, func(r *request) { r.start, r.reply = 10e6, "+ PDk5QHg+" })}, []string{amyIn + " not OK: +"}, 1},
		{"slow server", []request{with(bob, func(r *request) { r.took = []int64{5e6, 5e6} }),
			with(amy, func(r *request) { r.start = 1e6; r.took = []int64{5e6, 5e6} })}, []string{amyIn, bobIn}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := oldLog(tt.requests...)
			l := read(t, log)
			if got := logins(l); !slices.Equal(got, tt.want) || l.failed != tt.failed || l.group.orphans != 0 {
				t.Errorf("logins %q, %d failed, %d orphans; want %q, %d failed:\n%s", got, l.failed, l.group.orphans, tt.want, tt.failed, log)
			}
		})
	}
}

// Whatever order the lines of many requests are in, each login is counted once, and none is lost.
func TestManyOverlappingRequests(t *testing.T) {
	var requests []request
	for i := range int64(200) {
		requests = append(requests, request{start: i * 7_000, gap: 20 + i%5*1500, user: fmt.Sprintf("u%d@domain1.com", i),
			protocol: "imap", ip: "192.0.2.1", reply: okIMAP, took: []int64{30_000 + i%11*9_000, 40_000}})
	}
	l := read(t, oldLog(requests...))
	if got := logins(l); len(got) != len(requests) || l.failed != 0 || slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, "ambiguous") }) {
		t.Errorf("%d logins, %d failed, want %d without doubt", len(got), l.failed, len(requests))
	}
}

func TestLayouts(t *testing.T) {
	const ours = `20261123 12:09:42'999930: Auth-Method:   plain
20261123 12:09:42'999930: Auth-User:     b%6fb\x20x@domain1.com
20261123 12:09:42'999930: Auth-Salt:     
20261123 12:09:42'999930: Auth-Protocol: imap
20261123 12:09:42'999930: Client-IP:     192.0.2.42
20261123 12:09:42'999930: Auth-SSL:      on
20261123 12:09:42'999930: backend_ip:    127.0.0.1
20261123 12:09:42'999930: backend_port:  143
`
	const reply = "20261123 12:09:43'014912: Auth reply:    001 OK AUTHENTICATE completed\n"
	const in = "20261123 12:09:43'014912: Auth-Status:   OK\n"
	const out = "20261123 12:09:43'014912: Auth-Status:   Invalid login or password\n20261123 12:09:43'014912: Reason:        password_mismatch\n"
	const who = "b%6fb x@domain1.com imap 127.0.0.1:143"
	php := oldLog(request{user: "b%6fb%20x@domain1.com", protocol: "imap", ip: "127.0.0.1", reply: okIMAP, took: []int64{1000, 1000}})
	for _, tt := range []struct {
		name, log string
		want      []string
		failed    int
		lines     Lines
	}{
		{"auth.php", php, []string{"1 bob x@domain1.com imap 127.0.0.1:143"}, 0, Lines{}},
		{"mailauthd", ours + reply + in, []string{"1 " + who}, 0, Lines{}},
		{"mailauthd, from memory", ours + in, []string{"1 " + who}, 0, Lines{}},
		{"mailauthd, refused", ours + out, nil, 1, Lines{}},
		{"mailauthd, Reason before Auth-Status", strings.Replace(ours+out, "Auth-Status", "Reason: x\n20261123 12:09:43'014912: Auth-Status", 1), nil, 1, Lines{}},
		{"mailauthd after auth.php", php + ours + in + ours + out + ours + reply + in, []string{
			"1 bob x@domain1.com imap 127.0.0.1:143", "2 " + who}, 1, Lines{}},
		{"microseconds padded with spaces", strings.ReplaceAll(php, "'000", "'   "), []string{"1 bob x@domain1.com imap 127.0.0.1:143"}, 0, Lines{}},
		{"CR LF", strings.ReplaceAll(php, "\n", "\r\n"), []string{"1 bob x@domain1.com imap 127.0.0.1:143"}, 0, Lines{}},
		{"spaces at the ends cut off", strings.ReplaceAll(php, " \n", "\n"), []string{"1 bob x@domain1.com imap 127.0.0.1:143"}, 0, Lines{}},
		{"begins within an entry", php[strings.Index(php, "Client-IP")-26:], nil, 0, Lines{Orphans: 7}},
		{"ends within a line", php[:strings.Index(php, "@")], nil, 1, Lines{Torn: 1}},
		{"disk full", strings.Replace(php, "b%6fb%20x@domain1.com\n", "bo", 1), []string{}, 0, Lines{Torn: 1, Orphans: 1}},
		{"other lines", "PHP Warning:  fsockopen()\n" + php + "20260131 12:00\n20260131 12:00:00'000000: Auth\n" + strings.Repeat("x", MaxLine+1) + "\n",
			[]string{"1 bob x@domain1.com imap 127.0.0.1:143"}, 0, Lines{Torn: 1, Foreign: 2, Long: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := NewLog(time.Time{}, time.UTC)
			if err := l.Read(strings.NewReader(tt.log)); err != nil && tt.want != nil {
				t.Fatal(err)
			}
			l.lines.Orphans = l.group.orphans
			if got := logins(l); !slices.Equal(got, tt.want) || l.failed != tt.failed || l.lines != tt.lines {
				t.Errorf("logins %q, %d failed, %+v; want %q, %d, %+v:\n%s", got, l.failed, l.lines, tt.want, tt.failed, tt.lines, tt.log)
			}
		})
	}
}

func TestLoginsAreBounded(t *testing.T) {
	l := NewLog(time.Time{}, time.UTC)
	name := strings.Repeat("x", 4000)
	for i := range int64(maxStored/4000 + 10) {
		log := oldLog(request{user: fmt.Sprintf("%s%d", name, i), protocol: "imap", ip: "192.0.2.1", reply: okIMAP, took: []int64{1000}})
		if err := l.Read(strings.NewReader(log)); err != nil {
			t.Fatal(err)
		}
	}
	if l.stored > maxStored || l.notStored == 0 {
		t.Errorf("%d bytes stored, %d logins not", l.stored, l.notStored)
	}
}

func TestCompressedLog(t *testing.T) {
	log := oldLog(request{user: "bob@domain1.com", protocol: "imap", ip: "192.0.2.1", reply: okIMAP, took: []int64{1000, 1000}})
	var b bytes.Buffer
	for range 2 { // gzip files may be joined
		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(log)); err != nil || w.Close() != nil {
			t.Fatal(err)
		}
	}
	if got, want := logins(read(t, b.String())), []string{"2 bob@domain1.com imap 192.0.2.1:143"}; !slices.Equal(got, want) {
		t.Errorf("logins %q, want %q", got, want)
	}
	half := b.Bytes()[:b.Len()*3/4]
	damaged := bytes.Clone(b.Bytes())
	damaged[len(damaged)*3/4] ^= 0xff
	for name, file := range map[string][]byte{"cut": half, "damaged": damaged} {
		l := NewLog(time.Time{}, time.UTC)
		if err := l.Read(bytes.NewReader(file)); !errors.Is(err, logfile.ErrCut) {
			t.Errorf("%s: %v, want %v", name, err, logfile.ErrCut)
		}
		if len(l.logins) != 1 {
			t.Errorf("%s: %d logins, want the one before", name, len(l.logins))
		}
	}
}

// load loads a configuration in which domain1.com and others are listed.
func load(t testing.TB, text string) *config.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mailauthd.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A script that reads too few lines of the server logs a challenge, which is another one in each login. That is one
// difference and not thousands, and hides no other one.
func TestChallengeForReply(t *testing.T) {
	c := load(t, routerConfig)
	var requests []request
	for i := range int64(2 * MaxGroups) {
		requests = append(requests, request{start: i * 1e6, user: "bob@domain1.com", protocol: "imap", ip: "192.0.2.1",
			reply: fmt.Sprintf("+ PDE%dQHg+", i), took: []int64{1000, 1000}})
	}
	evil := request{start: 1000e6, user: "bob@evildomain1.com", protocol: "imap", ip: "192.0.2.1", reply: "+ PDk5QHg+", took: []int64{1000, 1000}}
	moved := request{start: 1001e6, user: "amy@domain1.com", protocol: "smtp", ip: "192.0.2.9", reply: "334 PDk5QHg+", took: []int64{1000, 1000}}
	l := read(t, oldLog(append(requests, evil, moved)...))
	if len(l.logins) != 3 {
		t.Errorf("%d logins stored, want 3", len(l.logins))
	}
	var got []string
	for _, g := range l.Report(c).Groups.Groups {
		got = append(got, fmt.Sprintf("%s %s: %v", g.Kind, g.What, g.Count))
	}
	want := []string{"look_alike evildomain1.com of domain1.com: 1 login of 1 user",
		`other_server of domain1.com: 192.0.2.9:25, now 192.0.2.1:25 (server "a"): 1 login of 1 user`,
		"unproven : 400 logins of 1 user"}
	if !slices.Equal(got, want) {
		t.Errorf("groups %q, want %q", got, want)
	}
}
