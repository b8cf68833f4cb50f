package e2e

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"mailauthd/internal/auth"
)

// hangingLogins is more than the number of logins that mailauthd has at mail servers at a time.
const hangingLogins = 400

// TestHangingServer checks that a mail server that accepts connections and sends nothing does not keep out users who
// do not need it. A single network takes three quarters of the server's connections.
func TestHangingServer(t *testing.T) {
	for name, tt := range map[string]struct {
		address        string
		hang, answered int
	}{
		"many networks": {"198.18.%d.%d", 100, hangingLogins - 100 - auth.MaxWaiting},
		"one network":   {"198.18.0.1", 75, hangingLogins - auth.MaxAsking/2},
	} {
		t.Run(name, func(t *testing.T) { hangServer(t, tt.address, tt.hang, tt.answered) })
	}
}

// hangServer checks how many logins are at the server, and how many are answered at once because there is no slot for them.
func hangServer(t *testing.T, address string, hang, answered int) {
	hanging := make(chan net.Conn, hangingLogins)
	l := serve(t, func(c net.Conn) { hanging <- c })
	s, d := startPlain(t, aliceTOML+fmt.Sprintf("\n[servers.hanging]\nhost = \"127.0.0.1\"\nimap = %d\n", l.port)+
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
		client := address
		if strings.Contains(address, "%") {
			client = fmt.Sprintf(address, i>>8, i&255)
		}
		if _, err := io.WriteString(c, fastcgiLoginFrom(client, account{"u" + strconv.Itoa(i) + "@hanging.example", mark})); err != nil {
			t.Fatal(err)
		}
		go func() {
			answer, err := readAnswer(c)
			if err == nil {
				refused <- answer
			}
		}()
	}
	if !poll(clientTimeout, d.done, func() bool { return len(hanging) == hang && len(refused) == answered }) {
		t.Errorf("%d logins hang and %d are refused of %d, want %d and %d", len(hanging), len(refused), hangingLogins, hang, answered)
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
