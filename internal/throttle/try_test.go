package throttle

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"mailauthd/internal/redisdb"
	"mailauthd/internal/testprogram"
)

func inspectable(address string) redisdb.Config {
	return redisdb.Config{
		Addresses: []string{address},
		Prefix:    redisdb.DefaultPrefix,
		Timeout:   patient,
		Secret:    []byte("a secret of sixteen bytes or more"),
	}
}

// An inspection runs the scripts, and leaves nothing behind.
func TestTryLeavesNothing(t *testing.T) {
	for name, address := range map[string]func(t *testing.T) string{
		"miniredis": func(t *testing.T) string { return miniredis.RunT(t).Addr() },
		"redis":     func(t *testing.T) string { return redisdb.Unix + testRedis(t) },
	} {
		t.Run(name, func(t *testing.T) {
			config := inspectable(address(t))
			if _, err := redisdb.Inspect(t.Context(), config, Try); err != nil {
				t.Fatal(err)
			}
			db := direct(t, config.Addresses[0])
			if keys := db.Keys(t.Context(), "*").Val(); len(keys) > 0 {
				t.Errorf("left %q", keys)
			}
		})
	}
}

func testRedis(t *testing.T, args ...string) (socket string) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts redis-server")
	}
	return testprogram.Redis(t, args...)
}

func direct(t *testing.T, address string) *redis.Client {
	t.Helper()
	db := redis.NewClient(&redis.Options{Addr: strings.TrimPrefix(address, redisdb.Unix), Protocol: 2})
	t.Cleanup(func() { db.Close() })
	return db
}

var aclRule = regexp.MustCompile(`(?s)\nuser mailauthd on >PASSWORD (.*?)\n\.Ed`)

// manualACL returns the ACL rules of the manual page.
func manualACL(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../../contrib/man/mailauthd.8")
	if err != nil {
		t.Fatal(err)
	}
	m := aclRule.FindSubmatch(page)
	if m == nil {
		t.Fatal("the manual page has no ACL rules")
	}
	return strings.Fields(string(m[1]))
}

// The ACL rules of the manual page are enough, and each of them is needed.
func TestManualHasLeastACL(t *testing.T) {
	address := redisdb.Unix + testRedis(t)
	admin := direct(t, address)
	rules := manualACL(t)
	config := inspectable(address)
	config.Username, config.Password = "mailauthd", "hunter2"
	inspect := func(rules []string) (redisdb.Report, error) {
		t.Helper()
		args := append([]any{"ACL", "SETUSER", "mailauthd", "reset", "on", ">hunter2"}, anys(rules)...)
		if err := admin.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
		admin.ScriptFlush(t.Context())
		return redisdb.Inspect(t.Context(), config, Try)
	}
	if r, err := inspect(rules); err != nil || r.Role != "master" || len(r.Warnings) != 1 || !strings.HasPrefix(r.Warnings[0], "Redis saves nothing") {
		t.Fatalf("%+v, %v", r, err)
	}
	for i, rule := range rules {
		without := append(append([]string{}, rules[:i]...), rules[i+1:]...)
		if rule == "-@all" || rule == "resetchannels" { // defaults, the second since Redis 7.0
			continue
		}
		r, err := inspect(without)
		text := strings.Join(r.Warnings, "\n")
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, "mailauthd(8) lists") && !strings.Contains(text, "could not be seen") {
			t.Errorf("without %s: %v, %q", rule, err, r.Warnings)
		}
	}
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
