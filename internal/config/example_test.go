package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mailauthd/internal/config"
)

func ExampleLoad() {
	dir, err := os.MkdirTemp("", "config")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "mailauthd.toml")
	const text = `[listen]
fastcgi = ["127.0.0.1:9000"]

[servers.dovecot1]
host = "192.0.2.1"
imap = 70000

[domains."domain1.com"]
servers = ["dovecot1"]
`
	for _, text := range []string{text, strings.Replace(text, "70000", "143", 1)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			panic(err)
		}
		if c, err := config.Load(file); err != nil {
			fmt.Println(strings.ReplaceAll(err.Error(), dir+"/", ""))
		} else {
			fmt.Println(c.Listen.FastCGI, c.Domains.Find("domain1.com").Servers[0].Name)
		}
	}
	// Output:
	// mailauthd.toml:6: servers.dovecot1.imap: want a port from 1 to 65535
	// [127.0.0.1:9000] dovecot1
}
