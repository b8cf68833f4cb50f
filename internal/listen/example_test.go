package listen_test

import (
	"fmt"

	"mailauthd/internal/listen"
)

func ExampleParse() {
	for _, s := range []string{"unix:/run/mailauthd/fastcgi.sock", "[::1]:9000", "systemd:fastcgi", "unix:fastcgi.sock"} {
		a, err := listen.Parse(s)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(a.Kind, a.Name)
	}
	// Output:
	// unix /run/mailauthd/fastcgi.sock
	// tcp [::1]:9000
	// systemd fastcgi
	// unix socket: want an absolute path of at most 96 bytes
}
