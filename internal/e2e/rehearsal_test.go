package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

const (
	rehearsedLogins   = 200
	rehearsingClients = 4
)

// The users of an old site, by what becomes of their logins.
var (
	dave    = account{"dave@evildomain1.com", mark + "-dave"}         // a look-alike of domain1.com
	erin    = account{"erin@mail.domain1.com", mark + "-erin"}        // a subdomain
	frank   = account{"frank@domain02.com", mark + " with & in 100%"} // characters that auth.php quotes
	chloe   = account{"chloe@domain003.com", mark + "-chloe"}         //
	quentin = account{"quentin@domain1.com", mark + `\quote`}         // characters that auth.php does not quote
	gina    = account{"gina@domain02.com", mark + "$HOME"}            //
	zoe     = account{"zoe@domain02.com", mark + "-zoe"}              // does not exist
	ann     = account{"ann@example.net", mark + "-ann"}               // of a domain that is not ours
)

// rehearsed is one kind of login, and how it ends for the mail client.
type rehearsed struct {
	kind     string
	account  account
	old, now bool // whether the client gets into its mailbox
}

var rehearsal = []rehearsed{
	{"good", bob, true, true},
	{"good", alice, true, true},
	{"good", chloe, true, true},
	{"good", frank, true, true},
	{"wrong", account{bob.user, mark + "-wrong"}, false, false},
	{"wrong", account{alice.user, mark + "-wrong"}, false, false},
	{"wrong", zoe, false, false},
	{"unknown domain", ann, false, false},
	{"look-alike", dave, true, false},
	{"subdomain", erin, true, false},
	{"quoting", quentin, false, true},
	{"quoting", gina, false, true},
}

// TestRehearsal is the switch from auth.php to mailauthd as README.md has it, with the same logins before, during the
// shadow run, and after.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	o := startOldSite(t, []account{bob, dave, erin, quentin}, []account{alice, chloe, frank, gina})
	byScript := func(r rehearsed, l login) bool {
		return r.old || r.kind == "quoting" && l.protocol == "imap" // auth.php took Dovecot's refusal for success
	}
	o.rehearse(t, "by auth.php", 1, byScript) // one after the other, so that the lines of its log are not mixed

	dir := filepath.Join(tempDir(t), "new")
	wantRun(t, 0, "", "migrate", "php", "-o", dir, o.script)
	made := readFile(t, filepath.Join(dir, "mailauthd.toml"))
	made = strings.NewReplacer("/run/mailauthd", dir, "/var/log/mailauthd", dir).Replace(made) // these may not exist here
	writeFile(t, dir, "mailauthd.toml", made)
	wantRun(t, 0, "configuration OK: 2 servers, 3 domains", "check", asSelf(), "-config", filepath.Join(dir, "mailauthd.toml"))
	d := prepareMailauthd(t, o.site, "")
	main := fmt.Sprintf("include = [%q]\n", filepath.Join(dir, "servers.toml")) + mailauthdTOML(t, o.site, d.authLog)
	shadow := fmt.Sprintf("[shadow]\nurl = \"http://%s/mail/auth.php\"\nlog = %q\n", o.beside, filepath.Join(dir, "shadow.log"))
	writeFile(t, filepath.Dir(d.config), filepath.Base(d.config), main+shadow)
	wantDifferences(t, map[string]int{
		"look_alike": rehearsals("look-alike", ""),
		"subdomain":  rehearsals("subdomain", ""),
		"not_ok":     rehearsals("wrong", "imap") + rehearsals("quoting", "imap"),
	}, "migrate", "log", "-config", d.config, o.log)

	d.start(t, o.site)
	o.serveBy(t, o.scriptAt(o.beside)+o.relocateApache(t, contrib(t, "apache/mailauthd-unix.conf")))
	o.rehearse(t, "by both", rehearsingClients, byScript)
	wantVia(t, d, "http://"+o.auth+"/mail/auth.php", alice.password, 0, `\nAuth-Status: OK\n(?s:.*)\nanswered by: mailauthd `)
	wantCompared(t, o.site, rehearsedLogins+1)
	wantDifferences(t, map[string]int{
		"look_alike": rehearsals("look-alike", ""),
		"subdomain":  rehearsals("subdomain", ""),
		"quoting":    rehearsals("quoting", "pop3") + rehearsals("quoting", "smtp"),
		"not_ok":     rehearsals("wrong", "imap"),
	}, "shadow", "-config", d.config)

	writeFile(t, filepath.Dir(d.config), filepath.Base(d.config), main)
	d.signal(t, syscall.SIGHUP)
	if !poll(readyTimeout, d.done, func() bool { return strings.Count(readFile(t, d.stderr), "configuration loaded") == 2 }) {
		t.Fatal("mailauthd has not loaded the configuration without [shadow]")
	}
	o.serveBy(t, o.relocateApache(t, contrib(t, "apache/mailauthd-unix.conf")))
	o.rehearse(t, "by mailauthd", rehearsingClients, func(r rehearsed, _ login) bool { return r.now })
}

// rehearsals is the number of logins of a kind by a protocol, or by all protocols if that is empty.
func rehearsals(kind, protocol string) (n int) {
	for i := range rehearsedLogins {
		if r, l := rehearsedLogin(i); r.kind == kind && (protocol == "" || l.protocol == protocol) {
			n++
		}
	}
	return n
}

func rehearsedLogin(i int) (rehearsed, login) {
	return rehearsal[i%len(rehearsal)], logins[i/len(rehearsal)%len(logins)]
}

// rehearse makes the logins, several at a time, and compares how they end.
func (o *oldSite) rehearse(t *testing.T, when string, atATime int, want func(rehearsed, login) bool) {
	t.Helper()
	next := make(chan int)
	var clients sync.WaitGroup
	for range atATime {
		clients.Go(func() {
			for i := range next {
				r, l := rehearsedLogin(i)
				got, err := o.logIn(l, r.account)
				if err != nil || got != want(r, l) {
					t.Errorf("%s: %s of %s by %s: %t, %v; want %t", when, r.kind, r.account.user, l.protocol, got, err, want(r, l))
				}
			}
		})
	}
	for i := range rehearsedLogins {
		next <- i
	}
	close(next)
	clients.Wait()
}

// wantRun runs a command of mailauthd, and compares its exit status and how its output begins.
func wantRun(t *testing.T, status int, output string, args ...string) session {
	t.Helper()
	got := runClient(t, "", binary, args...)
	if got.status != status || !strings.HasPrefix(got.output, output) {
		t.Errorf("mailauthd %s: exit status %d, want %d and %q; output:\n%s%s", strings.Join(args, " "), got.status, status, output, got.output, got.trace)
	}
	return got
}

// wantDifferences compares the numbers of logins by kind of difference in a report. There must be no other kinds.
func wantDifferences(t *testing.T, want map[string]int, args ...string) {
	t.Helper()
	var report struct {
		Differences []struct {
			Kind   string
			Logins int
		}
	}
	config := slices.Index(args, "-config")
	text := wantRun(t, 1, "{", slices.Insert(args, config, "-json")...).output
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int)
	for _, d := range report.Differences {
		got[d.Kind] += d.Logins
	}
	if !maps.Equal(got, want) {
		t.Errorf("mailauthd %s: %v, want %v; report:\n%s", strings.Join(args, " "), got, want, text)
	}
}

// wantCompared waits until as many requests have been compared with the script.
func wantCompared(t *testing.T, s site, n float64) {
	t.Helper()
	var got float64
	compared := func() bool {
		got = 0
		for name, value := range metrics(t, s) {
			if strings.HasPrefix(name, "mailauthd_shadow_requests_total{") {
				got += value
			}
		}
		return got >= n
	}
	if !poll(clientTimeout, nil, compared) || got != n {
		t.Errorf("%v requests compared with the script, want %v", got, n)
	}
}
