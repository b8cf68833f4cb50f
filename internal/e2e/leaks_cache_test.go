package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// The precision of TestCacheTellsNoRightPassword, which is that of auth.BenchmarkRefusal.
const (
	leakRounds  = "20000" // of SHA512-CRYPT: a login from memory is many times as fast
	leakSamples = 11      // in each round
	leakTries   = 30      // rounds, before a difference is taken for real: the machine may be busy
	leakPercent = 5
	leakFloor   = 100 * time.Microsecond // differences below it tell nothing
	leakServer  = 20 * time.Millisecond  // that the mail server takes for any answer
)

// closedUsers has users who cannot log in, although the password is right.
type closedUsers struct {
	name   string
	domain string // more of the domain's table
	user   string // the user's table; HASH stands for the hash of the right password. Without it there is no such user
}

var closed = []closedUsers{
	{"nologin", "", "password = \"HASH\"\nnologin = true"},
	{"allow_nets", "", "password = \"HASH\"\nallow_nets = [\"198.51.100.0/24\"]"},
	{"deny_nets", "", "password = \"HASH\"\nallow_nets = [\"127.0.0.0/8\"]\ndeny_nets = [\"127.0.0.1\"]"},
	{"expires", "", "password = \"HASH\"\nexpires = 2020-01-01"},
	{"protocols", "", "password = \"HASH\"\nprotocols = [\"pop3\"]"},
	{"app password", "", "password = [{ hash = \"HASH\", label = \"phone\", protocols = [\"pop3\"] }]"},
	{"domain", "nologin = true", "password = \"HASH\""},
	{"no such user", "", ""},
	{"at the server", "verify = \"upstream\"", "nologin = true"},
}

func (c closedUsers) domainName() string { return strings.ReplaceAll(c.name, " ", "-") + ".example" }

// userName returns a name that exists, and nobody one that does not.
func (c closedUsers) userName(i int) string { return fmt.Sprintf("user%d@%s", i, c.domainName()) }
func (c closedUsers) nobody(i int) string   { return fmt.Sprintf("name%d@%s", i, c.domainName()) }

// toml returns the domain with its users. There is always a decoy, whose password is verified for names that do
// not exist.
func (c closedUsers) toml(hash string) string {
	var b strings.Builder
	verify := "verify = \"users\"\n"
	if strings.HasPrefix(c.domain, "verify") {
		verify = ""
	} else {
		b.WriteString(userTOML("stand-in@"+c.domainName(), hash))
	}
	fmt.Fprintf(&b, "\n[domains.%q]\nservers = [\"scripted\"]\n%s%s\n", c.domainName(), verify, c.domain)
	for i := 0; c.user != "" && i < leakSamples*leakTries; i++ {
		fmt.Fprintf(&b, "\n[users.%q]\n%s\n", c.userName(i), strings.ReplaceAll(c.user, "HASH", hash))
	}
	return b.String()
}

// leakPasswords all have the same length, because longer ones take longer.
var leakPasswords = map[string]string{"wrong": mark + "-wrong", "right": mark + "-right", "other": mark + "-other"}

// TestCacheTellsNoRightPassword checks that a user who may not log in gets the same answer to the right password
// as to a wrong one, in the same time, for the first login and later ones. A wrong password must take as long as
// for a name that does not exist.
func TestCacheTellsNoRightPassword(t *testing.T) {
	server := startScripted(t, "imap", func(a account) scriptedReply {
		if a.password == leakPasswords["right"] && strings.HasPrefix(a.user, "user") {
			return scriptedReply{"OK welcome", leakServer}
		}
		return scriptedReply{"NO [AUTHENTICATIONFAILED] no", leakServer}
	})
	hash := doveadmPW(t, leakPasswords["right"], "-s", "SHA512-CRYPT", "-r", leakRounds)
	toml := "[cache]\nsize = 1000\n" + server.toml("scripted", "")
	for _, c := range closed {
		toml += c.toml(hash)
	}
	s, _ := startPlain(t, toml)
	for _, c := range closed {
		t.Run(c.name, func(t *testing.T) { testLeak(t, s.socket, c) })
	}
}

// leakComparisons has pairs of steps that must take the same time.
var leakComparisons = [][2]string{
	{"user wrong first", "user right first"},
	{"user wrong first", "name wrong first"},
	{"user wrong again", "user right again"},
	{"user wrong again", "name wrong again"},
}

func testLeak(t *testing.T, socket string, c closedUsers) {
	best := map[[2]string]string{} // what is still different
	for _, pair := range leakComparisons {
		best[pair] = "not measured"
	}
	for round := 0; round < leakTries && len(best) > 0; round++ {
		times := measureLeak(t, socket, c, round*leakSamples)
		maps.DeleteFunc(best, func(pair [2]string, _ string) bool {
			a, b := median(times[pair[0]]), median(times[pair[1]])
			best[pair] = fmt.Sprintf("%s took %v, %s %v", pair[0], a, pair[1], b)
			return same(a, b)
		})
	}
	for _, difference := range slices.Sorted(maps.Values(best)) {
		t.Error(difference)
	}
}

func same(a, b time.Duration) bool {
	difference := (a - b).Abs()
	return difference <= leakFloor || 100*difference <= leakPercent*max(a, b)
}

// measureLeak tries each password twice, with new names: one password after the other, and in every second sample
// in reverse order. The right password is tried between two tries of a wrong one that is remembered, or the
// reverse. No password is right for a name that does not exist.
func measureLeak(t *testing.T, socket string, c closedUsers, first int) (times map[string][]time.Duration) {
	t.Helper()
	answers := map[string]bool{}
	times = map[string][]time.Duration{}
	try := func(step, name, which string) {
		header, took, err := loginRequest{account: account{name, leakPasswords[which]}}.ask(socket)
		if err != nil {
			t.Fatal(err)
		}
		times[step] = append(times[step], took)
		if answers[fmt.Sprint(header)] = true; len(answers) > 1 || header.Get("Auth-Status") == "OK" {
			t.Fatalf("%s: one of the answers %v", step, slices.Collect(maps.Keys(answers)))
		}
	}
	for i := first; i < first+leakSamples; i++ {
		order := []string{"wrong", "right"}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		for _, when := range []string{"first", "again"} {
			for _, which := range order {
				try("user "+which+" "+when, c.userName(i), which)
				try("name "+which+" "+when, c.nobody(i), strings.Replace(which, "right", "other", 1))
			}
		}
	}
	return times
}
