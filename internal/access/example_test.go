package access_test

import (
	"fmt"
	"net/netip"
	"time"

	"mailauthd/internal/access"
)

func ExampleRules_Refusal() {
	everybody := access.Rules{AllowNets: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	bob := access.Rules{Protocols: []string{"imap"}}

	client := access.Client{IP: "192.0.2.42", Protocol: "pop3", TLS: true, Now: time.Now()}
	fmt.Println(bob.Under(everybody).Refusal(client))
	client.Protocol, client.IP = "imap", "198.51.100.7"
	fmt.Println(bob.Under(everybody).Refusal(client))
	// Output:
	// protocol is not in protocols false
	// client is not in allow_nets false
}
