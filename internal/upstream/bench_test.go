package upstream

import (
	"bufio"
	"encoding/base64"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/cache"
)

// bareLogin is the dialogue of an IMAP login without any check, limit or deadline: the minimum
// that a client has to do.
func bareLogin(s Server, user, password string) error {
	nc, err := net.Dial("tcp", s.Addr.String())
	if err != nil {
		return err
	}
	defer nc.Close()
	r := bufio.NewReader(nc)
	var line string
	for _, command := range []string{"", "001 AUTHENTICATE CRAM-MD5\r\n", "answer"} {
		if command == "answer" {
			challenge, _ := base64.StdEncoding.DecodeString(line[2 : len(line)-2])
			command = base64.StdEncoding.EncodeToString([]byte(CRAMMD5(user, password, challenge))) + "\r\n"
		}
		if _, err := nc.Write([]byte(command)); err != nil {
			return err
		}
		if line, err = r.ReadString('\n'); err != nil {
			return err
		}
	}
	if !strings.HasPrefix(line, "001 OK") {
		return errors.New(line)
	}
	_, err = nc.Write([]byte("002 LOGOUT\r\n"))
	return err
}

// BenchmarkLogin measures dialogues over loopback, one after the other. Blocks of cold, warm and
// bare logins alternate, so that all have the same load of the machine. The time of a warm login
// does not include opening its connection. The result is the median, because other programs may
// slow down any block.
func BenchmarkLogin(b *testing.B) {
	const block = 16
	f := newMultiServer(b, goodLogin("imap"))
	s := f.server("imap")
	cold, warm := NewPool(1, 0, 0), NewPool(2*block, block, 0)
	defer warm.Close()
	by := func(p *Pool) func() error {
		return func() error { _, err := p.Login(b.Context(), s, user, password); return err }
	}
	names := []string{"bare", "cold", "warm"}
	logins := []func() error{func() error { return bareLogin(s, user, password) }, by(cold), by(warm)}
	var took [3][]time.Duration
	if err := logins[2](); err != nil {
		b.Fatal(err)
	}
	for n := 0; b.Loop(); n++ {
		for i := range logins {
			i = (i + n) % len(logins) // the first one has the colder CPU caches
			warm.hold(b, s)
			until(b, "the server is at rest", func() bool { return f.open.Load() == block })
			start := time.Now()
			for range block {
				if err := logins[i](); err != nil {
					b.Fatal(err)
				}
			}
			took[i] = append(took[i], time.Since(start))
			warm.release(s)
		}
	}
	b.ReportMetric(0, "ns/op") // it would be the sum of three blocks and the pauses
	bare := median(took[0])
	for i, name := range names {
		b.ReportMetric(block/median(took[i]), name+"/s")
		b.ReportMetric(median(took[i])/bare, name+"/bare")
	}
}

// median returns the median in seconds.
func median(took []time.Duration) float64 {
	slices.Sort(took)
	return took[len(took)/2].Seconds()
}

// BenchmarkLink measures a login over a link with a round-trip time of 20 ms: cold, warm and from
// the cache. It reports the round trips that the login waits for.
func BenchmarkLink(b *testing.B) {
	for _, route := range []string{"imap", "imap starttls", "imap implicit", "pop3", "smtp", "smtp starttls"} {
		for _, way := range []string{"cold", "warm", "cached"} {
			b.Run(route+"/"+way, func(b *testing.B) { benchmarkLink(b, route, way) })
		}
	}
}

func benchmarkLink(b *testing.B, route, way string) {
	l := newLink(b, newMultiServer(b, goodLogin(route)).addr, 10*time.Millisecond)
	s := serverOn(route, longTimeout)
	s.Addr = l.addr
	p := NewPool(4, map[string]int{"warm": 1}[way], 0)
	defer p.Close()
	login := func() {
		if _, err := p.Login(b.Context(), s, user, password); err != nil {
			b.Fatal(err)
		}
	}
	if way == "cached" {
		login = remembered(login)
	}
	if way != "cold" {
		login()
	}
	var took time.Duration
	var n, trips int64
	for ; b.Loop(); n++ {
		p.ready(b)
		before, start := l.trips.Load(), time.Now()
		login()
		took += time.Since(start)
		trips += l.trips.Load() - before
	}
	b.ReportMetric(0, "ns/op") // it would include work that no login waits for
	b.ReportMetric(took.Seconds()*1000/float64(n), "ms/login")
	b.ReportMetric(float64(trips)/float64(n), "rtt/login")
}

// remembered returns a login that asks the cache first.
func remembered(login func()) func() {
	c := cache.New(cache.Config{Size: 10, TTL: time.Hour})
	return func() {
		k, now := c.Key(user, password), time.Now()
		if _, found := c.Lookup(k, now); found == cache.Hit {
			return
		}
		login()
		c.Store(k, user, cache.Answer{Good: true}, c.Epoch(), now)
	}
}

// ready waits until the pool has all its warm connections.
func (p *Pool) ready(b *testing.B) {
	b.Helper()
	until(b, "the pool is full", func() bool { return p.kept() == p.warm && len(p.slots) == p.warm })
}

// hold makes the pool open nothing in advance until release.
func (p *Pool) hold(b *testing.B, s Server) {
	b.Helper()
	p.ready(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle[keyOf(s)].retryAt = time.Now().Add(time.Hour)
}

func (p *Pool) release(s Server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.idle[keyOf(s)]
	l.retryAt = time.Time{}
	p.refill(l)
}
