package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	waitLogins = 14 // at once; more than pair_limit, and fewer than may wait for a hash from one network
	waitUser   = "target@domain02.com"
)

// TestAuthWaitIsTheSameWithCache sends different wrong passwords at once. Each login waits for its hash, while
// earlier ones fail. So Auth-Wait must grow, with a cache as without.
func TestAuthWaitIsTheSameWithCache(t *testing.T) {
	t.Parallel()
	hash := doveadmPW(t, mark+"-unguessed", "-s", "SHA512-CRYPT", "-r", "50000")
	var waits [2][]int
	for i, cache := range []string{"", "[cache]\nsize = 1000\n"} {
		waits[i] = authWaits(t, cache, hash)
	}
	t.Logf("without a cache %v, with one %v", waits[0], waits[1])
	without, with := slices.Max(waits[0]), slices.Max(waits[1])
	if without-with > 1 || with-without > 1 {
		t.Errorf("the longest Auth-Wait is %d s without a cache, and %d s with one", without, with)
	}
	// The number of logins that have failed before may differ by one. A failure adds less than 2.5 seconds.
	for i := range waitLogins {
		if d := waits[0][i] - waits[1][i]; d < -3 || d > 3 {
			t.Errorf("Auth-Wait %d of %d is %d s without a cache, and %d s with one", i+1, waitLogins, waits[0][i], waits[1][i])
		}
	}
}

// authWaits returns the values of Auth-Wait in seconds, sorted.
func authWaits(t *testing.T, cache, hash string) (waits []int) {
	t.Helper()
	s := newSite(t, tempDir(t))
	startMailauthd(t, s, "[auth]\nhash_concurrency = 1\n[throttle]\nauth_wait = true\npair_limit = 10\n"+cache+
		"\n[servers.dovecot1]\nhost = \"127.0.0.1\"\n"+domainTOML("domain02.com", "users")+userTOML(waitUser, hash))
	var logins sync.WaitGroup
	var mu sync.Mutex
	for i := range waitLogins {
		logins.Go(func() {
			header, _, err := loginRequest{
				account: account{waitUser, fmt.Sprint(mark, "-guess-", i)}, client: "192.0.2.1",
				more: pair("HTTP_AUTH_LOGIN_ATTEMPT", "1"),
			}.ask(s.socket)
			wait, _ := strconv.Atoi(header.Get("Auth-Wait"))
			if err != nil || !strings.HasPrefix(header.Get("Auth-Status"), "Invalid") || wait == 0 {
				t.Errorf("%v: answer %v", err, header)
			}
			mu.Lock()
			defer mu.Unlock()
			waits = append(waits, wait)
		})
	}
	logins.Wait()
	slices.Sort(waits)
	return waits
}
