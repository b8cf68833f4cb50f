package e2e

import (
	"bufio"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var guessing = flag.Bool("guessing", false, "TestGuessing, TestGuessingSharedByHosts and TestRedisFaults with all their guesses and logins, as in make bench; without, with a small part")

// The attack: each address tries ten passwords, each user is tried a hundred times.
const (
	guessesPerAddress = 10
	guessesPerUser    = 100

	guessHashes    = 2    // hash_concurrency
	guessMemory    = 100  // MiB at the peak, and
	hashMemory     = 4    // for each hash at a time so many times its own: the collector comes later
	hashesPerUser  = 32   // user_limit, and what decays meanwhile
	fewHashes      = 0.35 // of the guesses
	honestLogins   = 5    // before, of each honest user
	honestPause    = 20 * time.Millisecond
	honestFactor   = 20 // by which an honest login may take longer meanwhile: there are few in the small part
	honestNetworks = 250
)

// guessedHash describes the argon2id hashes of the users' passwords.
type guessedHash struct {
	name           string
	memory, passes int // KiB
	conns          int // at a time
	guesses, few   int // with the flag, and without
}

var guessedHashes = []guessedHash{
	{"256 KiB, 1 pass", 256, 1, 64, 1_000_000, 5000},     // as many as auth.MaxHashing: all are hashed, until their limits
	{"64 MiB, 3 passes", 64 << 10, 3, 400, 100_000, 800}, // more than listen.MaxRequests
}

// honestUsers are two of the users whose passwords are guessed. One logs in from a known network, the other by
// webmail, from a trusted network.
var honestUsers = []struct {
	address string
	account
}{
	{"192.0.2.1", account{guessedUser(0), mark + "-home"}},
	{"127.0.0.1", account{guessedUser(1), mark + "-webmail"}},
}

// away logs in from another network each time, which looks like guessing. Nobody guesses this user's password.
var away = account{"away@domain02.com", mark + "-away"}

// guessRun is one attack, and how it ended.
type guessRun struct {
	hash                       guessedHash
	guesses, addresses, users  int
	next                       atomic.Int64
	rejected, tempFailed       atomic.Int64
	took                       time.Duration
	before, meanwhile          [2][]time.Duration // logins of honestUsers
	awayGood, awayTempFailed   int
	policy, mismatches, hashes float64
	peak                       float64 // MiB
}

// TestGuessing guesses passwords of many users from many addresses at once. No guess succeeds, at most a third of
// the guesses need a hash, and logins from known networks are hardly slower.
func TestGuessing(t *testing.T) {
	var runs []*guessRun
	for _, h := range guessedHashes {
		n := h.few
		if *guessing {
			n = h.guesses
		}
		run := &guessRun{hash: h, guesses: n, addresses: n / guessesPerAddress, users: n / guessesPerUser}
		if t.Run(h.name, run.play) {
			runs = append(runs, run)
		}
	}
	printGuesses(runs)
}

func (r *guessRun) play(t *testing.T) {
	s, d := startPlain(t, r.routing(t))
	for range honestLogins {
		r.logIn(t, s.socket, &r.before)
	}
	over := make(chan struct{})
	var honest, guessers sync.WaitGroup
	honest.Go(func() {
		for {
			r.logIn(t, s.socket, &r.meanwhile)
			r.logInAway(t, s.socket)
			select {
			case <-over:
				return
			case <-time.After(honestPause):
			}
		}
	})
	begin := time.Now()
	for range r.hash.conns {
		guessers.Go(func() { r.guess(t, s.socket) })
	}
	guessers.Wait()
	r.took = time.Since(begin)
	close(over)
	honest.Wait()
	r.measure(t, s, d)
	r.check(t)
}

// routing returns a map of the users whose passwords are guessed, with the throttle of the sample configuration.
func (r *guessRun) routing(t *testing.T) string {
	t.Helper()
	throttle := throttleSection.FindString(readFile(t, repository, "conf", "mailauthd.toml"))
	if throttle == "" {
		t.Fatal("no [throttle] in conf/mailauthd.toml")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[auth]\nhash_concurrency = %d\n%s\n[servers.dovecot1]\nhost = \"127.0.0.1\"\n%s",
		guessHashes, throttle, domainTOML("domain02.com", "users"))
	for _, h := range honestUsers {
		b.WriteString(userTOML(h.user, pw(t, h.password)))
	}
	b.WriteString(userTOML(away.user, pw(t, away.password)))
	random := rand.NewChaCha8([32]byte{1})
	for i := len(honestUsers); i < r.users; i++ {
		b.WriteString(userTOML(guessedUser(i), r.hash.random(random)))
	}
	return b.String()
}

// random returns a hash with these costs, of a password that nobody knows.
func (h guessedHash) random(r *rand.ChaCha8) string {
	salt, key := make([]byte, 16), make([]byte, 32)
	r.Read(salt)
	r.Read(key)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("{ARGON2ID}$argon2id$v=19$m=%d,t=%d,p=1$%s$%s", h.memory, h.passes, encode(salt), encode(key))
}

// throttleSection matches the [throttle] section of a configuration file.
var throttleSection = regexp.MustCompile(`(?ms)^\[throttle\].*?^\n`)

// pw hashes as doveadm pw does.
func pw(t *testing.T, password string) string {
	t.Helper()
	s := runClient(t, password+"\n", binary, "pw", "-s", "ARGON2ID")
	if s.status != 0 {
		t.Fatalf("mailauthd pw: %s", s.trace)
	}
	return strings.TrimSpace(s.output)
}

func guessedUser(i int) string { return fmt.Sprintf("user%d@domain02.com", i) }

// guessAddress returns an address of the network for benchmarks, 198.18.0.0/15 (RFC 2544).
func guessAddress(i int) string {
	return netip.AddrFrom4([4]byte{198, byte(18 + i>>16), byte(i >> 8), byte(i)}).String()
}

// logIn logs in all honest users once.
func (r *guessRun) logIn(t *testing.T, socket string, times *[2][]time.Duration) {
	t.Helper()
	for i, h := range honestUsers {
		took, err := askFastCGIFrom(h.address, socket, h.account)
		if err != nil {
			t.Errorf("honest login of %s from %s: %v", h.user, h.address, err)
		}
		times[i] = append(times[i], took)
	}
}

// logInAway logs in as away. The login may be a temporary failure, but not rejected.
func (r *guessRun) logInAway(t *testing.T, socket string) {
	t.Helper()
	n := r.awayGood + r.awayTempFailed
	_, err := askFastCGIFrom(fmt.Sprintf("203.0.113.%d", n%honestNetworks), socket, away)
	switch {
	case err == nil:
		r.awayGood++
	case strings.Contains(err.Error(), "Auth-Status: Temporary authentication failure\r\n"):
		r.awayTempFailed++
	default:
		t.Errorf("honest login from a new network: %v", err)
	}
}

// guess sends guesses on one connection, as a web server would.
func (r *guessRun) guess(t *testing.T, socket string) {
	c, err := net.DialTimeout("unix", socket, clientTimeout)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	answers := bufio.NewReader(c)
	for !t.Failed() {
		i := int(r.next.Add(1)) - 1
		if i >= r.guesses {
			return
		}
		_ = c.SetDeadline(time.Now().Add(clientTimeout))
		victim := account{guessedUser(rand.New(rand.NewPCG(3, uint64(i))).IntN(r.users)), fmt.Sprint(mark, "-guess-", i)}
		if _, err := io.WriteString(c, fastcgiLoginFrom(guessAddress(i%r.addresses), victim)); err != nil {
			t.Errorf("guess %d: %v", i, err)
			return
		}
		answer, err := readAnswer(answers)
		switch {
		case err != nil:
			t.Errorf("guess %d: %v", i, err)
		case strings.Contains(answer, "Auth-Status: Invalid login or password\r\n"):
			r.rejected.Add(1)
		case strings.Contains(answer, "Auth-Status: Temporary authentication failure\r\n"):
			r.tempFailed.Add(1)
		default:
			t.Errorf("guess %d was answered with %q", i, answer)
		}
	}
}
