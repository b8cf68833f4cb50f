package e2e

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
)

// hangingLogins are more than mailauthd has at a time.
const hangingLogins = 400

// TestHangingServer: a mail server that takes connections and never says a word must not keep
// who does not need it.
func TestHangingServer(t *testing.T) {
	l, err := net.Listen("tcp", loopback(freePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	hanging := make(chan net.Conn, hangingLogins)
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			hanging <- c
		}
	}()
	s, d := startPlain(t, aliceTOML+fmt.Sprintf("\n[servers.hanging]\nhost = \"127.0.0.1\"\nimap = %d\n", l.Addr().(*net.TCPAddr).Port)+
		"\n[domains.\"hanging.example\"]\nservers = [\"hanging\"]\n")
	t.Cleanup(func() { // before mailauthd is stopped, which waits for them
		l.Close()
		for len(hanging) > 0 {
			(<-hanging).Close()
		}
	})
	usual := honest(t, s.socket, hostileLogins, nil)
	refused := make(chan string, hangingLogins)
	for i := range hangingLogins {
		c, err := net.Dial("unix", s.socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := io.WriteString(c, fastcgiLogin(account{"u" + strconv.Itoa(i) + "@hanging.example", mark})); err != nil {
			t.Fatal(err)
		}
		go func() {
			answer, err := readAnswer(c)
			if err == nil {
				refused <- answer
			}
		}()
	}
	if !poll(clientTimeout, d.done, func() bool { return len(hanging) == 100 && len(refused) == hangingLogins-200 }) {
		t.Errorf("%d logins hang and %d are refused of %d, want 100 and 200", len(hanging), len(refused), hangingLogins)
	}
	took := honest(t, s.socket, hostileLogins, nil)
	_, peak := memory(t, d.process)
	t.Logf("an honest login took %v, and %v beside %d that hang; %.1f MiB", usual, took, len(hanging), peak)
	if took > 5*max(usual, slowestUsual) || peak > hostileMemory {
		t.Errorf("an honest login took %v, and %v beside those that hang; %.1f MiB", usual, took, peak)
	}
	for range len(refused) {
		if answer := <-refused; !strings.Contains(answer, "Auth-Status: Temporary") {
			t.Fatalf("answer %q", answer)
		}
	}
}
