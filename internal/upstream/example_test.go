package upstream_test

import (
	"fmt"
	"net/netip"

	"mailauthd/internal/upstream"
)

func ExampleMechanisms() {
	fmt.Println(upstream.Mechanisms())
	// Output: [SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 APOP PLAIN LOGIN IMAP-LOGIN USER]
}

func ExampleServer_Validate() {
	s := upstream.Server{
		Protocol:   "imap",
		Addr:       netip.MustParseAddrPort("192.0.2.1:143"),
		Mechanisms: []string{"PLAIN"},
	}
	fmt.Println(s.Validate())
	s.TLS.Mode = upstream.StartTLS
	fmt.Println(s.Validate())
	// Output:
	// PLAIN would send the password without TLS: set tls to "starttls" or "implicit", or allow_cleartext = true
	// <nil>
}

// The example of RFC 2195 section 2.
func ExampleCRAMMD5() {
	fmt.Println(upstream.CRAMMD5("tim", "tanstaaftanstaaf", []byte("<1896.697170952@postoffice.reston.mci.net>")))
	// Output: tim b913a602c7eda7a495b4e6e7334d3890
}
