package e2e

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// With these variables in its environment, the test binary is an attacker.
const (
	attackSocket = "E2E_ATTACK_SOCKET"
	attackName   = "E2E_ATTACK"
	allAttacks   = "all at once"
)

// How fast attackers go on.
const (
	hostileTime  = 150 * time.Millisecond // of each attack
	hostilePause = 5 * time.Millisecond   // of a peer before it connects again
)

// attack is what hostile peers repeat on a number of connections to the FastCGI socket. play returns when
// its connection can no longer be used.
type attack struct {
	name  string
	peers int
	play  func(c net.Conn)
}

// send writes the parts, until the peer closes the connection.
func send(c net.Conn, parts ...string) bool {
	for _, p := range parts {
		if _, err := io.WriteString(c, p); err != nil {
			return false
		}
	}
	return true
}

// sendAll writes the parts while it reads and discards the answers, until the peer closes the connection.
func sendAll(c net.Conn, parts ...string) {
	go func() { send(c, parts...) }()
	_, _ = io.Copy(io.Discard, c)
}

func attacks() []attack {
	begin := record(beginRequest, 1, keepConnection)
	piece := strings.Repeat("p", 1<<16-1)
	many := loginVariables("127.0.0.1", alice)
	for i := range 100 {
		many += pair("HTTP_X"+strconv.Itoa(i), "x")
	}
	list := []attack{
		{"65,535 ids", 1, func(c net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, c) }()
			for id := 1; id <= 65535 && send(c, record(beginRequest, id, keepConnection)); id++ {
			}
		}},
		{"params of 100 MiB", 8, func(c net.Conn) {
			send(c, begin)
			for n := 0; n < 100<<20 && send(c, record(paramsRecord, 1, piece)); n += len(piece) {
			}
		}},
		{"slow bytes", 64, func(c net.Conn) {
			for i := 0; send(c, begin[i%len(begin):i%len(begin)+1]); i++ {
				time.Sleep(20 * time.Millisecond)
			}
		}},
		{"answers that nobody reads", 8, func(c net.Conn) {
			for send(c, fastcgiLogin(alice)) {
			}
		}},
		{"a request, and idle", 300, func(c net.Conn) {
			send(c, fastcgiLogin(alice))
			_, _ = io.Copy(io.Discard, c) // until the deadline
		}},
		{"many small variables", 100, func(c net.Conn) {
			for send(c, fastcgiRequest(many)) {
				if _, err := readAnswer(c); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}},
		{"gone before the answer", 8, func(c net.Conn) { send(c, fastcgiLogin(alice)) }},
		{"refused and asking again", 8, func(c net.Conn) {
			wrong := fastcgiLogin(account{alice.user, bob.password})
			for send(c, wrong) {
				if _, err := readAnswer(c); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		}},
	}
	for name, in := range brokenInputs(begin) {
		list = append(list, attack{name, 2, func(c net.Conn) { sendAll(c, in) }})
	}
	return list
}

// brokenInputs returns requests that the FastCGI guard must refuse as soon as it has read them.
func brokenInputs(begin string) map[string]string {
	inputs := map[string]string{
		"no name":              fastcgiRequest(pair("", "value")),
		"only lengths of zero": fastcgiRequest(strings.Repeat("\x00", 60000)),
		"a length cut off":     fastcgiRequest("\x01\x80\x00"),
		"a length of 2 GiB":    fastcgiRequest("\xff\xff\xff\xff\xff\xff\xff\xffN"),
		"a header twice":       fastcgiRequest(pair("HTTP_AUTH_USER", "a") + pair("HTTP_AUTH_USER", "b")),
		"wrong version":        "\x02" + begin[1:],
		"not FastCGI":          "GET / HTTP/1.0\r\n\r\n",
		"unknown types":        strings.Repeat(record(99, 0, "")+record(98, 7, ""), 1000) + begin + record(99, 1, ""),
	}
	steps := []string{"", record(paramsRecord, 1, pair("A", "b")), record(paramsRecord, 1, ""), record(stdinRecord, 1, "x"), record(stdinRecord, 1, "")}
	so := begin
	for i, step := range steps {
		so += step
		inputs["abort at step "+strconv.Itoa(i)] = so + record(abortRequest, 1, "") + "\x00" // and an end
	}
	return inputs
}

// playAttacks plays the attack with this name, or all of them. It writes a byte to standard output when it
// begins and another one when the time is over.
func playAttacks(socket, name string) {
	over := make(chan struct{})
	var all sync.WaitGroup
	for _, a := range attacks() {
		if name != allAttacks && name != a.name {
			continue
		}
		for range a.peers {
			all.Go(func() { a.repeat(socket, over) })
		}
	}
	fmt.Print("b")
	time.Sleep(hostileTime)
	fmt.Print("e")
	close(over)
	all.Wait()
}

func (a attack) repeat(socket string, over <-chan struct{}) {
	for {
		c, err := net.Dial("unix", socket)
		if err == nil {
			_ = c.SetDeadline(time.Now().Add(hostileTime))
			a.play(c)
			c.Close()
		}
		select {
		case <-over:
			return
		case <-time.After(hostilePause):
		}
	}
}
