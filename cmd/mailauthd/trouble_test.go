package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/server"
	"mailauthd/internal/testport"
)

const troubleTOML = `[listen]
http = ["127.0.0.1:PORT"]
admin = ["unix:DIR/admin.sock"]
[log]
file = "DIR/auth.log"
[auth]
methods = ["plain"]
[throttle]
pair_limit = 1
[servers.axigen1]
host = "127.0.0.1"
imap = CLOSED
[domains."domain1.com"]
servers = ["axigen1"]
verify = "users"
[users."bob@domain1.com"]
password = "{PLAIN}right"
`

// troubles has what is changed in troubleTOML for each trouble of README.md's table.
var troubles = map[string][]string{
	"mailauthd is down": {"127.0.0.1:PORT", "192.0.2.1:1"}, // no address of this machine
	"wrong password":    nil,
	"throttled":         nil,
	"account disabled":  {`"{PLAIN}right"`, `"{PLAIN}right"` + "\nnologin = true\nreason = \"left in May\""},
	"domain not listed": {"domain1.com", "domain2.com"},
	"server down":       {`verify = "users"`, "", `password = "{PLAIN}right"`, ""},
	"server's certificate expired": {"imap = CLOSED", "[servers.axigen1.verify]\nprotocol = \"imap\"\n" +
		"tls = \"implicit\"\nca_file = \"DIR/ca.pem\"\nimap = TLS"},
	"database down": {`verify = "users"`, `verify = "vmail"`, `password = "{PLAIN}right"`, "",
		"[servers.axigen1]", "[passdb.vmail]\ndriver = \"pgsql\"\nconnect = \"host=127.0.0.1 port=CLOSED sslmode=require dbname=mail\"\n" +
			"query = \"SELECT password FROM mailbox WHERE username = %{user}\"\n[servers.axigen1]"},
	"method off":                         nil,
	"rule by network":                    {`"{PLAIN}right"`, `"{PLAIN}right"` + "\ndeny_nets = [\"192.0.2.0/24\"]"},
	"password that nginx cannot be sent": {`"{PLAIN}right"`, `"{PLAIN}right"` + "\nupstream_password = \"secret \""},
}

var troubleRow = regexp.MustCompile("(?m)^\\| ([^|]+) \\| `mailauthd ([^`]+)` \\| `([^`]+)` \\|$")

// The table of README.md is right: each trouble is planted, and the command prints what the table says.
func TestTroublesOfReadme(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n## Why can't bob log in?\n")
	section, _, _ = strings.Cut(section, "\n## ")
	seen := 0
	for _, row := range troubleRow.FindAllStringSubmatch(section, -1) {
		trouble, ask, want := row[1], row[2], row[3]
		change, ok := troubles[trouble]
		if !ok {
			t.Errorf("README.md has a trouble that is not planted here: %s", trouble)
			continue
		}
		seen++
		t.Run(trouble, func(t *testing.T) {
			site := newTroubledSite(t, change)
			if out := site.ask(t, ask); !strings.Contains(out, want) {
				t.Errorf("mailauthd %s prints\n%s\nwant %q in it", ask, out, want)
			}
		})
	}
	if seen != len(troubles) {
		t.Errorf("README.md has %d troubles, want %d", seen, len(troubles))
	}
}

// troubledSite is a running mailauthd with a trouble.
type troubledSite struct{ dir, config, url string }

func newTroubledSite(t *testing.T, change []string) *troubledSite {
	t.Helper()
	dir, err := os.MkdirTemp("", "bob") // t.TempDir may be too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	port := testport.Free(t)
	text := strings.NewReplacer(change...).Replace(troubleTOML)
	text = strings.NewReplacer("DIR", dir, "PORT", fmt.Sprint(port), "CLOSED", fmt.Sprint(testport.Free(t)),
		"TLS", fmt.Sprint(expiredServer(t, filepath.Join(dir, "ca.pem")))).Replace(text)
	site := &troubledSite{dir, filepath.Join(dir, "mailauthd.toml"), fmt.Sprintf("http://127.0.0.1:%d/", port)}
	if err := os.WriteFile(site.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := server.Start(site.config, "test", slog.New(slog.DiscardHandler))
	if err != nil { // a trouble that check finds, or that mailauthd is down
		return site
	}
	t.Cleanup(func() { s.Shutdown() })
	for i := range 4 { // sets a server aside, and throttles who guesses
		site.login(t, fmt.Sprint("wrong", i))
	}
	return site
}

// login asks as nginx does.
func (s *troubledSite) login(t *testing.T, password string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Auth-Method": "plain", "Auth-Protocol": "imap", "Auth-User": "bob@domain1.com", "Auth-Pass": password, "Client-IP": "192.0.2.7",
	} {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
}

// ask runs a command at the site, with a wrong password on standard input. It returns all that the command prints.
func (s *troubledSite) ask(t *testing.T, command string) string {
	t.Helper()
	stdin := filepath.Join(s.dir, "stdin")
	if err := os.WriteFile(stdin, []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(stdin)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	words := slices.Insert(strings.Fields(command), 1, "-config", s.config)
	if words[0] == "check" && os.Getuid() == 0 { // the user mailauthd, if there is one, cannot read the files
		words = slices.Insert(words, 1, "-user", "root")
	}
	var out strings.Builder
	run(words, in, &out, &out)
	return out.String()
}

// expiredServer returns the port of a server with TLS whose certificate has expired, and writes its CA to a file.
func expiredServer(t *testing.T, path string) (port int) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).Handshake()
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}
