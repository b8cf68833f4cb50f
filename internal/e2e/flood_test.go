package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The flood, and the honest logins beside it.
const (
	floodRequests = 215                    // at a time: more than may wait for mail servers, fewer than listen.MaxRequests
	floodRefusal  = time.Second            // that the mail server takes to refuse a password
	floodPause    = 100 * time.Millisecond // of a connection after a temporary failure
	floodUsers    = 60                     // honest ones
	floodLogins   = 2 * floodUsers         // honest ones in a pass, one after the other,
	floodTime     = 10 * time.Second       // unless they take longer than this
	floodPasses   = 3                      // before slow logins are taken for a fault: the machine may be busy
	floodBetween  = 20 * time.Millisecond  // between two logins: each user is back after [cache] ttl
	floodAddress  = "203.0.113.66"         // of the flood
	honestAddress = "192.0.2.10"           // of the honest users: the throttle knows them from there
	floodUser     = "target@flood.example" // whose password is guessed
)

// The usual times are at least these, although a quiet machine is faster.
const (
	floodMedian = 5 * time.Millisecond
	floodTail   = 10 * time.Millisecond // 90% of the logins
)

func honestUser(i int) account {
	return account{fmt.Sprintf("honest%d@flood.example", i%floodUsers), mark + "-honest"}
}

// TestFloodAtServer sends wrong passwords on many connections from one client. The mail server is slow to refuse
// them. Logins from other known networks must be as fast as usual.
func TestFloodAtServer(t *testing.T) {
	for _, tt := range []struct {
		name, settings string
		server         func(t *testing.T) (toml string, asked func() int64)
	}{
		{"slow to refuse", "", floodedScripted},
		{"dovecot", "", floodedDovecot},
		{"slow to refuse, with cache", "[cache]\nsize = 1000\nttl = \"1s\"\nnegative_ttl = \"0s\"\n", floodedScripted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			throttle := throttleSection.FindString(readFile(t, repository, "conf", "mailauthd.toml"))
			if throttle == "" {
				t.Fatal("no [throttle] in conf/mailauthd.toml")
			}
			server, asked := tt.server(t)
			s, d := startPlain(t, throttle+tt.settings+server+
				"\n[domains.\"flood.example\"]\nservers = [\"flooded\"]\nverify = \"upstream\"\n")
			testFlood(t, s, d, asked)
		})
	}
}

// floodedScripted is a server that accepts the honest users at once. It counts them.
func floodedScripted(t *testing.T) (toml string, asked func() int64) {
	t.Helper()
	var good atomic.Int64
	server := startScripted(t, "imap", func(a account) scriptedReply {
		if a.password != mark+"-honest" {
			return scriptedReply{"NO [AUTHENTICATIONFAILED] wrong", floodRefusal}
		}
		good.Add(1)
		return scriptedReply{"OK welcome", 0}
	})
	return server.toml("flooded", ""), good.Load
}

// floodedDovecot is Dovecot with its default delay of failures.
func floodedDovecot(t *testing.T) (toml string, asked func() int64) {
	t.Helper()
	var accounts []account
	for i := range floodUsers {
		accounts = append(accounts, honestUser(i))
	}
	accounts = append(accounts, account{floodUser, mark + "-unguessed"})
	dovecot := prepareDovecot(t, 1, accounts, manyLogins)
	config := readFile(t, dovecot.dir, "dovecot.conf")
	delayed := strings.NewReplacer("auth_failure_delay = 0", "auth_failure_delay = 2 secs", "default_fields = nodelay=y", "").Replace(config)
	if strings.Contains(delayed, "nodelay=y") || !strings.Contains(delayed, "2 secs") {
		t.Fatal("dovecot.conf still answers failures at once")
	}
	writeFile(t, dovecot.dir, "dovecot.conf", delayed)
	dovecot.run(t)
	return serverTOML("flooded", dovecot), nil
}

func testFlood(t *testing.T, s site, d *daemon, asked func() int64) {
	usual := honestPass(t, s.socket, floodUsers)
	if len(usual.failed) > 0 {
		t.Fatalf("%d honest logins failed before the flood: %v", len(usual.failed), usual.failed[0])
	}
	f := startFlood(t, s.socket)
	good, slow := int64(floodUsers), true
	for n := 0; n < floodPasses && slow && !t.Failed(); n++ {
		p := honestPass(t, s.socket, floodLogins)
		good += int64(p.good())
		slow = p.median() > 2*max(usual.median(), floodMedian) || p.tail() > 2*max(usual.tail(), floodTail)
		t.Logf("%d of %d honest logins were good, median %v, 90%% within %v; before the flood %v and %v",
			p.good(), len(p.times), p.median(), p.tail(), usual.median(), usual.tail())
		if p.good()*100 < len(p.times)*99 {
			t.Errorf("%d of %d honest logins were good, want 99%%; the first other one: %v", p.good(), len(p.times), p.failed[0])
		}
	}
	f.stop()
	t.Logf("the flood: %d rejected, %d temporary failures", f.rejected.Load(), f.tempFailed.Load())
	if slow {
		t.Error("honest logins took more than twice as long as before the flood")
	}
	if asked != nil && asked() < good {
		t.Errorf("the mail server was asked for %d of %d good honest logins", asked(), good)
	}
	if d.said(t, "server set aside") {
		t.Error("the mail server was set aside")
	}
}

// loginPass is a number of honest logins.
type loginPass struct {
	times  []time.Duration
	failed []error // of those that were not good
}

// honestPass has the honest users log in, one after the other.
func honestPass(t *testing.T, socket string, n int) (p loginPass) {
	t.Helper()
	for begin := time.Now(); len(p.times) < n && time.Since(begin) < floodTime; time.Sleep(floodBetween) {
		start := time.Now()
		if _, err := askFastCGIFrom(honestAddress, socket, honestUser(len(p.times))); err != nil {
			p.failed = append(p.failed, err)
		}
		p.times = append(p.times, time.Since(start))
	}
	return p
}

func (p loginPass) good() int { return len(p.times) - len(p.failed) }

func (p loginPass) median() time.Duration { return median(p.times) }

// tail is the time within which 90% of the logins were answered.
func (p loginPass) tail() time.Duration {
	return slices.Sorted(slices.Values(p.times))[len(p.times)*9/10]
}

// flood is many connections with one login each, again and again.
type flood struct {
	over                       atomic.Bool
	all                        sync.WaitGroup
	sent, rejected, tempFailed atomic.Int64
}

// startFlood returns when each connection has sent its first request.
func startFlood(t *testing.T, socket string) *flood {
	t.Helper()
	f := new(flood)
	for range floodRequests {
		f.all.Go(func() {
			if err := f.play(socket); err != nil {
				t.Errorf("the flood was not answered: %v", err)
			}
		})
	}
	if !poll(clientTimeout, nil, func() bool { return f.sent.Load() >= floodRequests }) {
		t.Error("not all connections of the flood have sent a request")
	}
	return f
}

func (f *flood) stop() {
	f.over.Store(true)
	f.all.Wait()
}

func (f *flood) play(socket string) error {
	c, err := net.DialTimeout("unix", socket, clientTimeout)
	if err != nil {
		return err
	}
	defer c.Close()
	request := fastcgiLoginFrom(floodAddress, account{floodUser, mark + "-guessed"})
	for answers := bufio.NewReader(c); ; {
		_ = c.SetDeadline(time.Now().Add(clientTimeout))
		if _, err := io.WriteString(c, request); err != nil {
			return err
		}
		f.sent.Add(1)
		answer, err := readAnswer(answers)
		var wait time.Duration
		switch {
		case err != nil:
			return err
		case strings.Contains(answer, "Auth-Status: Invalid login or password\r\n"):
			f.rejected.Add(1)
		case strings.Contains(answer, "Auth-Status: "+tempFailure+"\r\n"):
			f.tempFailed.Add(1)
			wait = floodPause
		default:
			return fmt.Errorf("answer %q", answer)
		}
		time.Sleep(wait)
		if f.over.Load() {
			return nil
		}
	}
}
