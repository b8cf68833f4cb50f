package e2e

import (
	"fmt"
	"net"
	"net/textproto"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"
)

// The rounds are more and shorter than in TestThroughput, because the ratios compare measurements that follow each other.
const (
	loginRounds   = 12
	loginDuration = 500 * time.Millisecond
)

// loginContender is one line of the table: a responder to auth_http, and a user who logs in through it.
type loginContender struct {
	name      string
	responder *process // nil: nginx answers
	imap      int      // the port of the nginx mail {} that asks it
	user      account
	rates     []float64 // logins per second, one for each round
	logins    int
	cpu       time.Duration // that the responder spent on them
}

// TestIMAPLogins measures whole IMAP logins through nginx mail {}: connect, greeting, LOGIN, OK, close. The
// responders to auth_http differ. The first one is nginx with a fixed answer, so its rate is the limit.
func TestIMAPLogins(t *testing.T) {
	if !*throughput {
		t.Skip("a benchmark: make bench")
	}
	contenders, authLog := startLoginContenders(t)
	for round := range loginRounds {
		for i := range contenders {
			contenders[(i+round)%len(contenders)].load(t)
		}
	}
	answered := 0
	for _, c := range contenders {
		if c.responder != nil {
			answered += c.logins
		}
	}
	if logged := goodLogins(t, authLog); logged < answered {
		t.Errorf("%d good logins in auth.log, %d were answered", logged, answered)
	}
	printLoginTable(contenders)
}

// startLoginContenders starts an nginx mail proxy for each responder, and one mailauthd and one mail server for all.
func startLoginContenders(t *testing.T) ([]loginContender, string) {
	limit, fastcgi, plain := newSite(t, tempDir(t)), newSite(t, tempDir(t)), newSite(t, tempDir(t))
	server := startIMAPServer(t)
	ours := startMailauthd(t, fastcgi, fmt.Sprintf("[servers.dovecot1]\nhost = \"127.0.0.1\"\nimap = %d\n", server)+
		domainTOML("domain1.com", "upstream")+domainTOML("domain02.com", "users")+userTOML(alice.user, "{PLAIN}"+alice.password))
	plain.auth = fastcgi.http
	startNginxHTTP(t, limit, fixedAnswer(server))
	startNginxHTTP(t, fastcgi, contrib(t, "nginx/auth-fastcgi.conf"))
	for _, s := range []site{limit, fastcgi, plain} {
		startFront(t, s, replace(contrib(t, "nginx/mail.conf"), `(listen +993) ssl;`, "$1 ;"))
	}
	return []loginContender{
		{name: "nginx itself (return 204)", imap: limit.imap, user: alice},
		{name: "mailauthd, nginx", responder: ours.process, imap: fastcgi.imap, user: alice},
		{name: "mailauthd, plain HTTP", responder: ours.process, imap: plain.imap, user: alice},
		{name: "mailauthd, nginx, verify = upstream", responder: ours.process, imap: fastcgi.imap, user: bob},
	}, ours.authLog
}

// fixedAnswer returns the configuration of an nginx http {} that accepts every login.
func fixedAnswer(port int) string {
	return fmt.Sprintf(`server {
	listen 127.0.0.1:8008;
	access_log off;
	location = /mail/auth.php {
		add_header Auth-Status OK;
		add_header Auth-Server 127.0.0.1;
		add_header Auth-Port %d;
		return 204;
	}
}`, port)
}

// load logs in as fast as possible.
func (c *loginContender) load(t *testing.T) {
	t.Helper()
	spent := func() time.Duration { return 0 }
	if c.responder != nil {
		spent = func() time.Duration { return cpuTime(t, c.responder) }
	}
	var done atomic.Int64
	var clients sync.WaitGroup
	before, begin := spent(), time.Now()
	for range loadConnections {
		clients.Go(func() {
			for time.Since(begin) < loginDuration && !t.Failed() {
				if err := loginByIMAP(c.imap, c.user); err != nil {
					t.Errorf("%s: login %d: %v", c.name, done.Load()+1, err)
					return
				}
				done.Add(1)
			}
		})
	}
	clients.Wait()
	if t.Failed() {
		t.FailNow()
	}
	c.rates = append(c.rates, float64(done.Load())/time.Since(begin).Seconds())
	c.logins += int(done.Load())
	c.cpu += spent() - before
}

// loginByIMAP is one session of a mail client.
func loginByIMAP(port int, a account) error {
	conn, err := net.DialTimeout("tcp", loopback(port), clientTimeout)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(clientTimeout)); err != nil {
		return err
	}
	c := textproto.NewConn(conn)
	if _, err := c.ReadLine(); err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	if err := c.PrintfLine("a LOGIN %s %s", a.user, a.password); err != nil {
		return err
	}
	line, err := c.ReadLine()
	if err == nil && !strings.HasPrefix(line, "a OK") {
		err = fmt.Errorf("nginx said %q", line)
	}
	return err
}

func printLoginTable(contenders []loginContender) {
	fmt.Printf("\nwhole IMAP logins through nginx mail {}, %d at a time, %d rounds of %v each in turn, medians;\n"+
		"ratios to the first line, where nginx answers auth_http with constant headers, in the same round\n\n", loadConnections, loginRounds, loginDuration)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "auth_http\tlogins/s\tratio\tCPU µs/login\t")
	for _, c := range contenders {
		ratios, cpu := make([]float64, loginRounds), ""
		for i := range ratios {
			ratios[i] = c.rates[i] / contenders[0].rates[i]
		}
		if c.responder != nil {
			cpu = fmt.Sprintf("%.1f", float64(c.cpu.Microseconds())/float64(c.logins))
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%s\t\n", c.name, median(c.rates), median(ratios), cpu)
	}
	w.Flush()
}
