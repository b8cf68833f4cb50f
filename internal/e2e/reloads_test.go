package e2e

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The load of TestReloadsUnderLoad.
const (
	reloadLogins  = 100_000 // with -throughput
	fewerReloads  = 15_000  // logins without: the log still rotates by its size
	reloadClients = 16
	reloadEvery   = 10 * time.Millisecond
	rotateEvery   = time.Second
	brokenEvery   = 10 // of the configurations
	reloadMemory  = 64 // MiB, of mailauthd at its peak
	compressTime  = 20 * time.Second
)

// mover is a user whose server and port change with every reload.
var mover = account{"mover@domain02.com", mark + "-mover"}

// markedLogin is a kind of login, with the answers that the configurations allow.
type markedLogin struct {
	account
	status   string
	backends []string // Auth-Server:Auth-Port is one of them
}

const invalid = "Invalid login or password"

var markedLogins = []markedLogin{
	{alice, "OK", []string{"127.0.0.1:143"}},
	{mover, "OK", []string{"127.0.0.1:1001", "127.0.0.2:1002"}},
	{account{alice.user, mover.password}, invalid, []string{":"}},
	{account{"nobody@domain02.com", alice.password}, invalid, []string{":"}},
}

// reloadRun is the load. Each login has a client address of its own, which marks it in the log.
type reloadRun struct {
	site      site
	daemon    *daemon
	client    http.Client
	next      atomic.Int64
	answers   []string // by login: status and backend
	rotations int
}

// smallLog configures a log that also rotates itself, and keeps all files.
const smallLog = "max_size = 1\nmax_age = 0\nmax_backups = 0\ncompress = true\n\n"

func moverTOML(host string, port int) string {
	return smallLog + aliceTOML + fmt.Sprintf("\n[servers.moving]\nhost = %q\nimap = %d\n", host, port) +
		userTOML(mover.user, "{PLAIN}"+mover.password) + "servers = [\"moving\"]\n"
}

// TestReloadsUnderLoad keeps reloading the configuration and rotating the log while users log in through nginx. A
// valid configuration must answer each login, and the log must have each login once.
func TestReloadsUnderLoad(t *testing.T) {
	logins := fewerReloads
	if *throughput {
		logins = reloadLogins
	}
	r := &reloadRun{answers: make([]string, logins)}
	r.client = http.Client{Timeout: clientTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: reloadClients}}
	defer r.client.CloseIdleConnections()
	r.site, r.daemon = startPlain(t, moverTOML("127.0.0.1", 1001))
	startNginxHTTP(t, r.site, contrib(t, "nginx/auth-fastcgi.conf"))
	sockets := openSockets(t, r.daemon.process)
	over := make(chan struct{})
	var clients, changes sync.WaitGroup
	changes.Go(func() { every(reloadEvery, over, r.reloader(t)) })
	changes.Go(func() { every(rotateEvery, over, func() { r.rotate(t) }) })
	begin := time.Now()
	for range reloadClients {
		clients.Go(func() { r.logIn(t) })
	}
	clients.Wait()
	took := time.Since(begin)
	close(over)
	changes.Wait()
	r.checkLog(t)
	r.report(t, took, sockets)
}

// every calls f at intervals, until over is closed.
func every(d time.Duration, over <-chan struct{}, f func()) {
	ticker := time.NewTicker(d)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			f()
		case <-over:
			return
		}
	}
}

// reloader replaces the configuration by the next one at once, and sends SIGHUP. The broken one has no users.
func (r *reloadRun) reloader(t *testing.T) func() {
	base := mailauthdTOML(t, r.site, r.daemon.authLog)
	good := []string{base + moverTOML("127.0.0.1", 1001), base + moverTOML("127.0.0.2", 1002)}
	broken := base + smallLog + "[servers.dovecot1]\nhost = \"127.0.0.1\"\n" + domainTOML("domain02.com", "users") + "broken = true\n"
	i := 0
	return func() {
		text := good[i%len(good)]
		if i++; i%brokenEvery == 0 {
			text = broken
		}
		if err := replaceFile(r.daemon.config, text); err != nil {
			t.Error(err)
		}
		r.daemon.signal(t, syscall.SIGHUP)
	}
}

func replaceFile(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// rotate renames the log and sends SIGUSR1, as logrotate does.
func (r *reloadRun) rotate(t *testing.T) {
	switch err := os.Rename(r.daemon.authLog, fmt.Sprintf("%s.%d", r.daemon.authLog, r.rotations+1)); {
	case errors.Is(err, fs.ErrNotExist): // nobody has logged in since
		return
	case err != nil:
		t.Error(err)
	}
	r.rotations++
	r.daemon.signal(t, syscall.SIGUSR1)
}

func markedAddress(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&0xff, i&0xff) }

// logIn logs in until the load is over.
func (r *reloadRun) logIn(t *testing.T) {
	for !t.Failed() {
		i := int(r.next.Add(1)) - 1
		if i >= len(r.answers) {
			return
		}
		want := markedLogins[i%len(markedLogins)]
		header, err := r.ask(t, markedAddress(i), want.account)
		if err != nil {
			t.Errorf("login %d: %v", i, err)
			return
		}
		backend := header.Get("Auth-Server") + ":" + header.Get("Auth-Port")
		r.answers[i] = header.Get("Auth-Status") + " " + backend
		if header.Get("Auth-Status") != want.status || !slices.Contains(want.backends, backend) {
			t.Errorf("login %d of %s was answered with %q, want %q and one of %q", i, want.user, r.answers[i], want.status, want.backends)
		}
	}
}

func (r *reloadRun) ask(t *testing.T, address string, a account) (http.Header, error) {
	request, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+r.site.auth+"/mail/auth.php", nil)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"Auth-Method": "plain", "Auth-Protocol": "imap", "Auth-Login-Attempt": "1",
		"Client-IP": address, "Auth-User": a.user, "Auth-Pass": a.password,
	} {
		request.Header.Set(name, value)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.Header, err
}

// checkLog checks that the files of the log have each login once, with the result that the client got.
func (r *reloadRun) checkLog(t *testing.T) {
	t.Helper()
	dir := filepath.Dir(r.daemon.authLog)
	compressed := func() bool { return len(glob(t, dir, "auth-*.log")) == 0 }
	if !poll(compressTime, r.daemon.done, compressed) {
		t.Fatalf("not compressed after %v: %q", compressTime, glob(t, dir, "auth-*.log"))
	}
	logged := map[string]string{}
	for _, e := range readEntries(t, glob(t, dir, "auth*.log*")) {
		address := e["Client-IP"]
		if _, twice := logged[address]; twice {
			t.Errorf("the login from %s is in the log twice", address)
		}
		logged[address] = fmt.Sprintf("%s %s %s:%s", e["Auth-User"], e["Auth-Status"], e["backend_ip"], e["backend_port"])
	}
	if len(logged) != len(r.answers) {
		t.Errorf("%d logins are in the log, %d were answered", len(logged), len(r.answers))
	}
	for i, answer := range r.answers {
		want := markedLogins[i%len(markedLogins)].user + " " + answer
		// The log has the server of a login that is refused, too.
		if got := logged[markedAddress(i)]; got != want && !(strings.HasSuffix(want, " :") && strings.HasPrefix(got, strings.TrimSuffix(want, ":"))) {
			t.Errorf("login %d is in the log as %q, want %q", i, got, want)
		}
		if t.Failed() {
			return
		}
	}
}

func (r *reloadRun) report(t *testing.T, took time.Duration, sockets int) {
	t.Helper()
	m := metrics(t, r.site)
	done, refused := m[`mailauthd_reloads_total{result="done"}`], m[`mailauthd_reloads_total{result="refused"}`]
	own := len(glob(t, filepath.Dir(r.daemon.authLog), "auth-*.log.gz"))
	_, peak := memory(t, r.daemon.process)
	fmt.Printf("%d logins in %.1f s, %.0f per second; %.0f reloads and %.0f refused; the log rotated %d times from outside, %d times by size; %.1f MiB at the peak\n",
		len(r.answers), took.Seconds(), float64(len(r.answers))/took.Seconds(), done, refused, r.rotations, own, peak)
	if done < 2 || refused == 0 || r.rotations == 0 || own == 0 {
		t.Error("something of this did not happen")
	}
	if peak > reloadMemory {
		t.Errorf("mailauthd took %.1f MiB, more than %d", peak, reloadMemory)
	}
	r.client.CloseIdleConnections()
	if n := openSockets(t, r.daemon.process); n > sockets+2*reloadClients { // and connections of nginx
		t.Errorf("%d sockets are open, %d were before", n, sockets)
	}
}
