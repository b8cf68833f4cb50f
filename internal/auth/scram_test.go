package auth

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/authhttp"
)

// startSCRAM is a mail server that asks for SCRAM's proof, and refuses it. It counts the proofs that it gets.
func startSCRAM(t *testing.T) (addr net.Addr, proofs <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got, done := make(chan string, 10), make(chan struct{})
	go func() {
		defer close(done)
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			serveSCRAM(c, got)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr(), got
}

func serveSCRAM(c net.Conn, got chan<- string) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	lines := bufio.NewScanner(c)
	fmt.Fprint(c, "* OK hi\r\n")
	lines.Scan() // AUTHENTICATE SCRAM-SHA-256
	fmt.Fprint(c, "+ \r\n")
	lines.Scan()
	first, _ := base64.StdEncoding.DecodeString(lines.Text())
	_, nonce, _ := strings.Cut(string(first), ",r=")
	fmt.Fprintf(c, "+ %s\r\n", base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "r=%sx,s=c2FsdA==,i=4096", nonce)))
	if lines.Scan() {
		got <- lines.Text()
		fmt.Fprint(c, "001 NO wrong\r\n")
		lines.Scan()
	}
}

// SCRAM's iterations take the processor as hashes do, so they need a slot as well.
func TestSCRAMNeedsASlot(t *testing.T) {
	addr, proofs := startSCRAM(t)
	a := newUpstreamAuth(t, addr.(*net.TCPAddr).AddrPort())
	server := a.Domains.Find("up.example").Servers[0]
	server.Mechanisms = []string{"SCRAM-SHA-256"}
	in := ask{user: "tim@up.example", pass: right}.header()

	free := occupy(t, a.hashing)
	server.Timeout = 200 * time.Millisecond
	if r, e := answer(t, a, in); r.Outcome != authhttp.TempFail || !strings.Contains(e.Error, "gave up waiting") {
		t.Errorf("without a slot: %v (%s)", r.Outcome, e.Error)
	}
	for range a.hashing.Config().Slots {
		free()
	}
	if len(proofs) > 0 {
		t.Error("the proof was computed without a slot")
	}
	server.Timeout = 10 * time.Second
	if r, e := answer(t, a, in); r.Outcome != authhttp.Reject || len(proofs) != 1 {
		t.Errorf("with a slot: %v (%s), %d proofs", r.Outcome, e.Error, len(proofs))
	}
	wantIdle(t, a)
}
