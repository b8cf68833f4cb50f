package server

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mailauthd/internal/auth"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/config"
	"mailauthd/internal/listen"
	"mailauthd/internal/redisdb"
	"mailauthd/internal/route"
	"mailauthd/internal/throttle"
	"mailauthd/internal/users"
)

const (
	manual       = "../../contrib/man/mailauthd.8"
	configManual = "../../contrib/man/mailauthd.toml.5"
)

// manualSection returns a section of a manual page without its macros: each line of text, and each argument of a
// macro that marks a word. Words are separated by one space.
func manualSection(t *testing.T, page, section string) string {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(data), "\n.Sh "+section+"\n")
	text, _, _ = strings.Cut(text, "\n.Sh ")
	text = regexp.MustCompile(`(?m)^\.[A-Z][a-z] `).ReplaceAllString(text, "")
	if text = strings.Join(strings.Fields(text), " "); text == "" {
		t.Fatalf("%s has no section %s", page, section)
	}
	return text
}

var (
	manualMetric = regexp.MustCompile(`Li (mailauthd_\w+)`)
	descriptor   = regexp.MustCompile(`^Desc\{fqName: "(\w+)",.* constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)
	labelValue   = regexp.MustCompile(`="[^"]*"`)
)

// registered returns the names of all metrics, each with its labels.
func registered(t *testing.T) map[string][]string {
	t.Helper()
	descriptors := make(chan *prometheus.Desc, 100)
	newMetrics(new(Server)).registry.Describe(descriptors)
	close(descriptors)
	metrics := make(map[string][]string)
	for d := range descriptors {
		m := descriptor.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("unknown form of a descriptor: %s", d)
		}
		labels := labelValue.ReplaceAllString(m[2]+","+m[3], "")
		metrics[m[1]] = strings.FieldsFunc(labels, func(r rune) bool { return r == ',' })
	}
	return metrics
}

// The manual page lists the metrics that exist, and names each one's labels.
func TestManualHasEveryMetric(t *testing.T) {
	text := manualSection(t, manual, "METRICS")
	items := manualMetric.FindAllStringSubmatchIndex(text, -1)
	metrics := registered(t)
	for i, at := range items {
		name, end := text[at[2]:at[3]], len(text)
		if i+1 < len(items) {
			end = items[i+1][0]
		}
		labels, ok := metrics[name]
		if !ok {
			t.Errorf("%s has %s, which is not a metric, or is there twice", manual, name)
		}
		for _, label := range labels {
			if !slices.Contains(strings.Fields(text[at[3]:end]), label) {
				t.Errorf("%s: %s: the label %s is missing", manual, name, label)
			}
		}
		delete(metrics, name)
	}
	for name := range metrics {
		t.Errorf("%s does not have %s", manual, name)
	}
}

func seconds(d time.Duration) int { return int(d / time.Second) }

// manualLimits has what the section LIMITS says, with the numbers of the code.
func manualLimits() []string {
	const mib = 1 << 20
	return []string{
		fmt.Sprintf("A file has at most %d MiB.", config.MaxFileSize/mib),
		fmt.Sprintf("must be written within %d seconds.", seconds(config.MaxPipeTime)),
		fmt.Sprintf("At most %d errors are reported", config.MaxErrors),
		fmt.Sprintf("A user name has at most %d bytes, a password at most %d;", authhttp.MaxUser, authhttp.MaxPassword),
		fmt.Sprintf("upstream_password , has at most %d bytes,", authhttp.MaxUser),
		fmt.Sprintf("The whole response has at most %d bytes.", authhttp.MaxHead),
		fmt.Sprintf("At most %d logins compute a hash or wait to do so, each for at most %d seconds.",
			auth.MaxHashing, seconds(auth.MaxHashWait)),
		fmt.Sprintf("After %d seconds no other password", seconds(auth.MaxHashTime)),
		fmt.Sprintf("At most %d logins are at a mail server", auth.MaxAsking),
		fmt.Sprintf("A login takes at most %d seconds at all servers", seconds(auth.MaxUpstream)),
		fmt.Sprintf("could not be reached %d times in a row is set aside for %d second, which doubles with each failure up to %d seconds.",
			route.MaxFails, seconds(route.MinBackoff), seconds(route.MaxBackoff)),
		fmt.Sprintf("At most %d addresses of a host name", route.MaxAddrs),
		fmt.Sprintf("has at most %d connections for logins;", redisdb.MaxConnections),
		fmt.Sprintf("tried again after at most %d milliseconds, and later after at most %d seconds.",
			3*redisdb.MinRetry/2/time.Millisecond, (3*redisdb.MaxRetry/2+time.Second-1)/time.Second),
		fmt.Sprintf("At most %d failures and successes wait", throttle.MaxUnsent),
		fmt.Sprintf("has at most %d connections, %d from one TCP address, and at most %d FastCGI requests",
			listen.MaxConns, listen.MaxPeerConns, listen.MaxRequests),
	}
}

// Each number in the manual page's section on limits is that of the code.
func TestManualHasLimits(t *testing.T) {
	text := manualSection(t, configManual, "LIMITS")
	for _, limit := range manualLimits() {
		if !strings.Contains(text, limit) {
			t.Errorf("%s, LIMITS: want %q", configManual, limit)
		}
		text = strings.Replace(text, limit, "", 1)
	}
	if number := regexp.MustCompile(`.{0,40}\d.{0,40}`).FindString(text); number != "" {
		t.Errorf("%s, LIMITS: this test does not compare the number with the code: %q", configManual, number)
	}
	text = manualSection(t, configManual, "KEYS")
	for _, limit := range []string{
		fmt.Sprintf("with an absolute path of at most %d bytes.", listen.MaxPath),
		fmt.Sprintf("At most %d logins wait for one;", auth.MaxWaiting),
		fmt.Sprintf("A name without an address is looked up every %d seconds.", seconds(route.RetryInterval)),
		fmt.Sprintf("an array of at most %d such strings", users.MaxPasswords),
	} {
		if !strings.Contains(text, limit) {
			t.Errorf("%s, KEYS: want %q", configManual, limit)
		}
	}
}
