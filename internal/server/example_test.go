package server_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"mailauthd/internal/server"
)

func Example() {
	dir, err := os.MkdirTemp("", "server")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	config := filepath.Join(dir, "mailauthd.toml")
	text := fmt.Sprintf(`[listen]
fastcgi = ["unix:%s/fastcgi.sock"]

[log]
file = "%[1]s/auth.log"

[servers.dovecot1]
host = "192.0.2.1"

[domains."domain1.com"]
servers = ["dovecot1"]

[users."alice@domain1.com"]
password = "{PLAIN}sample-alice"
`, dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		panic(err)
	}

	s, err := server.Start(config, "1.0", slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	request := httptest.NewRequest(http.MethodGet, "/mail/auth.php", nil) // in place of one from the socket
	request.Header = http.Header{
		"Auth-Method":   {"plain"},
		"Auth-User":     {"alice@domain1.com"},
		"Auth-Pass":     {"sample-alice"},
		"Auth-Protocol": {"imap"},
		"Client-Ip":     {"198.51.100.7"},
	}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request)
	for _, name := range []string{"Auth-Status", "Auth-Server", "Auth-Port"} {
		fmt.Println(name, answer.Header().Get(name))
	}
	if err := s.Shutdown(); err != nil {
		panic(err)
	}
	// Output:
	// Auth-Status OK
	// Auth-Server 192.0.2.1
	// Auth-Port 143
}
