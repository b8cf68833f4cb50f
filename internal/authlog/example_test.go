package authlog_test

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"mailauthd/internal/authlog"
)

func ExampleLog() {
	dir, err := os.MkdirTemp("", "authlog")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "auth.log")

	log, err := authlog.Open(authlog.Config{File: file, Format: "legacy", Timezone: "Europe/Moscow"}, slog.Default())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()
	start := time.Date(2026, 11, 23, 9, 9, 42, 999_930_000, time.UTC)
	log.Write(&authlog.Event{
		Start: start, End: start.Add(15 * time.Millisecond),
		Method: "cram-md5", User: "bob@domain1.com", Salt: "<1.2@mail.example>", Protocol: "imap", ClientIP: "192.0.2.42", SSL: "on",
		Server: "axigen1", Backend: netip.MustParseAddrPort("127.0.0.1:143"), Status: "OK", Outcome: "ok",
	})
	content, err := os.ReadFile(file)
	fmt.Print(string(content), err)
	// Output:
	// 20261123 12:09:42'999930: Auth-Method:   cram-md5
	// 20261123 12:09:42'999930: Auth-User:     bob@domain1.com
	// 20261123 12:09:42'999930: Auth-Salt:     <1.2@mail.example>
	// 20261123 12:09:42'999930: Auth-Protocol: imap
	// 20261123 12:09:42'999930: Client-IP:     192.0.2.42
	// 20261123 12:09:42'999930: Auth-SSL:      on
	// 20261123 12:09:42'999930: backend_ip:    127.0.0.1
	// 20261123 12:09:42'999930: backend_port:  143
	// 20261123 12:09:43'014930: Auth-Status:   OK
	// <nil>
}

func ExampleEscape() {
	fmt.Println(authlog.Escape("bob\nAuth-Status: OK"))
	// Output: bob\x0aAuth-Status: OK
}
