package e2e

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/authlog"
)

const (
	fail2ban = repository + "/contrib/fail2ban"
	framed   = "198.51.100.7" // the address that an attacker would like to see banned
)

// banned returns the addresses that fail2ban's test tool finds in a log, in order.
func banned(t *testing.T, log, format, encoding string) []string {
	t.Helper()
	filter := fmt.Sprintf("%s/filter.d/mailauthd.conf[format=%s]", fail2ban, format)
	cmd := exec.Command(program(t, "fail2ban-regex"), "-e", encoding, "-o", "ip", log, filter)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return strings.Fields(string(out))
}

// TestFail2banGolden checks the golden logs. Each has two refused logins with a client's address: one by a wrong password,
// one by the throttle.
func TestFail2banGolden(t *testing.T) {
	t.Parallel()
	for _, format := range authlog.Formats {
		log := fmt.Sprintf("%s/internal/authlog/testdata/%s.golden", repository, format)
		if got, want := banned(t, log, format, "UTF-8"), []string{"192.0.2.42", "192.0.2.43"}; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", format, got, want)
		}
	}
}

// TestFail2banCannotFrame checks that fail2ban finds each refused login by the client's address, and nothing else.
// No client can make it find an address that the client has sent.
func TestFail2banCannotFrame(t *testing.T) {
	t.Parallel()
	events, want := hostileEvents()
	for _, format := range authlog.Formats {
		for _, encoding := range []string{"UTF-8", "ASCII"} { // fail2ban's is the system's, if the jail does not say
			t.Run(format+"/"+encoding, func(t *testing.T) {
				t.Parallel()
				got := banned(t, writeLog(t, format, events), format, encoding)
				for i := range min(len(got), len(want)) {
					if got[i] != want[i] {
						t.Fatalf("refused login %d: %s, want %s", i+1, got[i], want[i])
					}
				}
				if len(got) != len(want) {
					t.Errorf("%d refused logins, want %d", len(got), len(want))
				}
			})
		}
	}
}

func writeLog(t *testing.T, format string, events []authlog.Event) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "auth.log")
	log, err := authlog.Open(authlog.Config{File: path, Format: format, Timezone: "UTC"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for i := range events {
		log.Write(&events[i])
	}
	return path
}

// hostileEvents are logins of each outcome with each of the hostile texts, and the addresses of those
// that were refused.
func hostileEvents() (events []authlog.Event, refused []string) {
	n := 0
	add := func(text string, outcome authlog.Event) {
		n++
		e := outcome
		e.ClientIP = fmt.Sprintf("192.0.2.%d", n%250+1)
		if n > 250 {
			e.ClientIP = fmt.Sprintf("2001:db8::%x", n)
		}
		e.Start = time.Date(2025, 11, 23, 12, 0, n%60, 999_930_000, time.UTC)
		e.End = e.Start.Add(time.Millisecond)
		e.User, e.Salt, e.SSL, e.Error = text, text, text, text
		events = append(events, e)
		if e.Outcome == "reject" && e.Method != "none" {
			refused = append(refused, e.ClientIP)
		}
	}
	for _, text := range hostileTexts() {
		for _, outcome := range outcomes {
			add(text, outcome)
		}
	}
	return events, refused
}

// outcomes has an event for each answer that a login can get.
var outcomes = []authlog.Event{
	{Method: "plain", Protocol: "imap", Outcome: "ok", Status: "OK"},
	{Method: "plain", Protocol: "imap", Outcome: "ok", Status: "OK", Reply: "001 OK " + framed + ` "x" client_ip=` + framed},
	{Method: "plain", Protocol: "imap", Outcome: "reject", Status: "Invalid login or password", Reason: authlog.PasswordMismatch},
	{Method: "plain", Protocol: "imap", Outcome: "reject", Status: "[AUTHENTICATIONFAILED] No", Reason: authlog.Policy, Reply: "001 OK"},
	{Method: "", Protocol: "pop3", Outcome: "reject", Status: "[AUTH] OK is not what it is", Reason: authlog.UserUnknown},
	{Method: "plain", Protocol: "imap", Outcome: "tempfail", Status: "Temporary authentication failure", Reason: authlog.InternalFailure},
	{Method: "plain", Protocol: "imap", Outcome: "reject", Status: "Temporary authentication failure", Reason: authlog.Policy, Throttle: "pair"},
	{Method: "plain", Protocol: "imap", Outcome: "tempfail", Status: "[UNAVAILABLE] Temporary authentication failure", Reason: authlog.InternalFailure},
	{Method: "plain", Protocol: "pop3", Outcome: "tempfail", Status: "[SYS/TEMP] Temporary authentication failure", Reason: authlog.InternalFailure, Throttle: "user"},
	{Method: "none", Protocol: "smtp", Outcome: "reject", Status: "Relay access denied", Reason: authlog.Policy},
}

// hostileTexts returns values that try to end their field, in each format, and to go on with the refusal of another
// client. The shorter ones lack some fields, or the end.
func hostileTexts() []string {
	texts := []string{
		"", "x", "x Client-IP: " + framed, "Client-IP:     " + framed, `x\`, `x\\`, `x"`, `x\"`, "'", "=", `="`, "<HOST>", "outcome=reject", "none", "pässwörd\xff",
	}
	for _, end := range []string{"", `"`, `\"`, `\\"`, `"\`, `\x22`, `\u0022`, " ", "\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1e", "\u0085", "\u2028", "\u2029", "\x00", `\n`, `\x0a`} {
		texts = append(texts,
			end+" client_ip="+framed+" auth_ssl=on server=a auth_status=No outcome=reject ",
			end+` auth_salt="" auth_protocol=imap client_ip=`+framed+` auth_ssl=on server=a auth_status=No outcome=reject duration_us=1`,
			end+`,"client_ip":"`+framed+`","auth_ssl":"on","server":"a","auth_status":"No","outcome":"reject"}`,
			end+`,"auth_salt":"","auth_protocol":"imap","client_ip":"`+framed+`","auth_ssl":"on","server":"a","auth_status":"No","outcome":"reject","x":"`,
			end+" auth_method=plain auth_user=x auth_salt=x auth_protocol=imap client_ip="+framed+" auth_ssl=on server=a auth_status=No outcome=reject x",
			end+`,"auth_method":"plain","auth_user":"x","auth_salt":"x","auth_protocol":"imap","client_ip":"`+framed+`","auth_ssl":"on","server":"a","auth_status":"No","outcome":"reject"}`,
			end+legacyEntry("", end), end+legacyEntry("20251123 12:09:42'999930: ", end),
		)
	}
	return texts
}

// legacyEntry returns a refusal in the legacy layout, with a line end of the attacker's choice.
func legacyEntry(time, end string) string {
	lines := []string{"", "Auth-Method:   plain", "Auth-User:     x", "Auth-Salt:     ", "Auth-Protocol: imap",
		"Client-IP:     " + framed, "Auth-SSL:      on", "Reason:        policy", "Auth-Status:   Invalid login or password", ""}
	return strings.Join(lines, end+time)
}

// TestFail2banJail checks that fail2ban loads the jail, together with its own files.
func TestFail2banJail(t *testing.T) {
	t.Parallel()
	client := program(t, "fail2ban-client")
	dir := t.TempDir()
	for _, from := range []string{"/etc/fail2ban", fail2ban} {
		if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	log := writeFile(t, t.TempDir(), "auth.log", "")
	jail := strings.Replace(readFile(t, dir, "jail.d/mailauthd.conf"), "/var/log/mailauthd/auth.log", log, 1)
	writeFile(t, dir, "jail.d/mailauthd.conf", jail)
	out, err := exec.Command(client, "-c", dir, "--dump").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"['add', 'mailauthd', 'auto']", "['set', 'mailauthd', 'maxlines', 11]", "'addlogpath', '" + log + "'"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}
