package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The attack of TestGuessingSharedByHosts.
const (
	sharedHosts   = 3
	sharedGuesses = 100_000 // with -guessing
	fewerGuesses  = 4000
	guessersEach  = 4  // at a time on each host
	byNginx       = 20 // each so many guesses one goes through nginx mail {}
	mailSocket    = "imap.sock"

	// Concurrent guesses do not see each other. On average there is one such guess in all for each that is in flight at a
	// time, because few of them are of the same user.
	guessesInFlight = 3 * sharedHosts * guessersEach
)

// sharedAttack sends the same guesses to one machine or to several.
type sharedAttack struct {
	guesses  int
	machines machines
	nginx    bool // some guesses go through nginx
	next     atomic.Int64
	allowed  int
	took     time.Duration
}

// TestGuessingSharedByHosts spreads guesses over three hosts that share their counters, each with nginx and mailauthd in a
// network namespace. As many are allowed as by one machine. A network from which a user has logged in on one host is
// known on all.
func TestGuessingSharedByHosts(t *testing.T) {
	n := fewerGuesses
	if *guessing {
		n = sharedGuesses
	}
	routing := sharedRouting(n / guessesPerUser)
	plain, err := plainBinary()
	if err != nil {
		t.Fatal(err)
	}
	alone := &sharedAttack{guesses: n, machines: machines{startMachine(t, plain, nil, strings.Replace(routing, "shared = true\n", "", 1))}}
	alone.play(t)
	together := &sharedAttack{guesses: n}
	redis := together.start(t, plain, routing)
	hosts := together.machines
	hosts[0].check(t, home, victim, true) // before the guessing
	keys, bytes := redis.size(t)
	together.play(t)
	keysNow, bytesNow := redis.size(t)
	t.Logf("Redis keeps %d counters of %.0f bytes", keysNow-keys, float64(bytesNow-bytes)/float64(keysNow-keys))
	t.Logf("%d guesses: one machine allowed %d in %v, %d hosts allowed %d in %v, with %d round trips of Redis", n, alone.allowed, alone.took,
		sharedHosts, together.allowed, together.took, int(hosts.sum(t, "mailauthd_redis_round_trips_total", "")))
	if d := together.allowed - alone.allowed; d < -guessesInFlight || d > guessesInFlight {
		t.Errorf("%d hosts allowed %d guesses, and one machine %d: they differ by more than %d", sharedHosts, together.allowed, alone.allowed, guessesInFlight)
	}
	for _, m := range hosts {
		m.check(t, home, victim, true)
		m.check(t, "203.0.113.1", victim, false)
		if !together.nginx {
			continue
		}
		if err := logInByMail(mailSocketOf(m), home, victim); err != nil {
			t.Errorf("through nginx, from the known network: %v", err)
		}
		if err := logInByMail(mailSocketOf(m), "203.0.113.1", victim); !errors.Is(err, errRefused) {
			t.Errorf("through nginx, from a new network: %v", err)
		}
	}
}

// start starts Redis and the machines on hosts of their own, with nginx each. Where namespaces are not allowed, the machines
// share this one, without nginx.
func (a *sharedAttack) start(t *testing.T, binary, routing string) *redisServer {
	t.Helper()
	h, err := makeHosts(t, sharedHosts)
	if err != nil {
		t.Logf("no network namespaces: %v", err)
		redis := startRedis(t)
		for range sharedHosts {
			a.machines = append(a.machines, startMachine(t, binary, nil, redisTOML(t, "", redis.address())+routing))
		}
		a.machines.waitUp(t)
		return redis
	}
	redis, machines := h.start(t, binary, routing)
	for i, m := range machines {
		h.startNginx(t, i, m)
	}
	a.machines, a.nginx = machines, true
	return redis
}

// sharedRouting returns a map of users whose passwords are guessed, the victim among them.
func sharedRouting(users int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[throttle]\nshared = true\nhalf_life = \"8760h\"\n[servers.dovecot1]\nhost = \"127.0.0.1\"\n%s", domainTOML("domain02.com", "users"))
	b.WriteString(userTOML(victim.user, "{PLAIN}"+victim.password))
	for i := 1; i < users; i++ {
		b.WriteString(userTOML(guessedUser(i), "{PLAIN}"+mark))
	}
	return b.String()
}

func (a *sharedAttack) play(t *testing.T) {
	t.Helper()
	begin := time.Now()
	var guessers sync.WaitGroup
	for i := range sharedHosts * guessersEach {
		guessers.Go(func() { a.guess(t, a.machines[i%len(a.machines)]) })
	}
	guessers.Wait()
	a.took, a.allowed = time.Since(begin), a.machines.mismatches(t)
	refused := int(a.machines.sum(t, "mailauthd_logins_total", `reason="policy"`))
	if a.allowed+refused != a.guesses {
		t.Errorf("%d guesses were allowed and %d refused, of %d", a.allowed, refused, a.guesses)
	}
}

// guess sends guesses on one connection, as a web server would, and some through nginx.
func (a *sharedAttack) guess(t *testing.T, m *machine) {
	c, err := net.DialTimeout("unix", m.socket, clientTimeout)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	answers := bufio.NewReader(c)
	for !t.Failed() {
		i := int(a.next.Add(1)) - 1
		if i >= a.guesses {
			return
		}
		user := guessedUser(rand.New(rand.NewPCG(3, uint64(i))).IntN(a.guesses / guessesPerUser))
		if user == guessedUser(0) {
			user = victim.user
		}
		address, guess := guessAddress(i%(a.guesses/guessesPerAddress)), account{user, fmt.Sprint(mark, "-guess-", i)}
		if a.nginx && i%byNginx == 0 {
			if err := logInByMail(mailSocketOf(m), address, guess); !errors.Is(err, errRefused) {
				t.Errorf("guess %d through nginx: %v", i, err)
			}
			continue
		}
		_ = c.SetDeadline(time.Now().Add(clientTimeout))
		if _, err := io.WriteString(c, fastcgiLoginFrom(address, guess)); err != nil {
			t.Errorf("guess %d: %v", i, err)
			return
		}
		answer, err := readAnswer(answers)
		if err != nil || !strings.Contains(answer, "Auth-Status: "+invalid+"\r\n") {
			t.Errorf("guess %d was answered with %q, %v", i, answer, err)
		}
	}
}

func mailSocketOf(m *machine) string { return filepath.Join(filepath.Dir(m.socket), mailSocket) }

// startNginx starts nginx and a mail server on a host. Mail clients connect to a unix socket, and say by the PROXY protocol
// from where.
func (h *hosts) startNginx(t *testing.T, host int, m *machine) {
	t.Helper()
	const auth = "127.0.0.1:8008"
	dir := tempDir(t)
	fastcgi := replace(m.relocate(t, contrib(t, "nginx/auth-fastcgi.conf")), `listen +\S+;`, "listen "+auth+";")
	config := fmt.Sprintf(`mail {
auth_http %s/mail/auth.php;
proxy_pass_error_message on;
server { listen unix:%s proxy_protocol; set_real_ip_from unix:; protocol imap; }
}
`, auth, mailSocketOf(m)) + inHTTP(fastcgi)
	command := append(append(h.command(fmt.Sprint(host)), program(t, "nginx")), nginxArgs(t, dir, config)...)
	p := start(t, dir, "nginx", program(t, command[0]), command[1:]...)
	waitReady(t, p, mailSocketOf(m))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command = append(h.command(fmt.Sprint(host)), "env", imapAddress+"=127.0.0.1:143", self)
	start(t, dir, "imap", program(t, command[0]), command[1:]...)
	if !poll(readyTimeout, nil, func() bool { return logInByMail(mailSocketOf(m), home, victim) == nil }) {
		t.Fatal("nginx does not log in to the mail server")
	}
}

// With the variable imapAddress in its environment, the test binary is an IMAP server that accepts any password.
const imapAddress = "E2E_IMAP_ADDRESS"

func serveIMAPAt(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go serveIMAP(conn)
	}
}

var errRefused = errors.New("refused")

// logInByMail is one session of a mail client at an address that nginx learns by the PROXY protocol.
func logInByMail(socket, address string, a account) error {
	conn, err := net.DialTimeout("unix", socket, clientTimeout)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(clientTimeout)); err != nil {
		return err
	}
	c := textproto.NewConn(conn)
	if err := c.PrintfLine("PROXY TCP4 %s 127.0.0.1 1024 143", address); err != nil {
		return err
	}
	if _, err := c.ReadLine(); err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	if err := c.PrintfLine("a LOGIN %s %s", a.user, a.password); err != nil {
		return err
	}
	line, err := c.ReadLine()
	switch {
	case err != nil:
		return err
	case strings.HasPrefix(line, "a NO "+invalid):
		return errRefused
	case !strings.HasPrefix(line, "a OK"):
		return fmt.Errorf("nginx said %q", line)
	}
	return nil
}
