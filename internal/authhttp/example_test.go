package authhttp_test

import (
	"fmt"
	"net/http"
	"net/netip"

	"mailauthd/internal/authhttp"
)

func ExampleReadRequest() {
	h := http.Header{}
	h.Set("Auth-Method", "plain")
	h.Set("Auth-Protocol", "imap")
	h.Set("Auth-User", "bob@domain1.com")
	h.Set("Auth-Pass", "100%25%20secret")
	r, err := authhttp.ReadRequest(h)
	fmt.Println(r.Method, r.Protocol, r.User, r.Password, err)

	h.Set("Auth-Protocol", "http")
	_, err = authhttp.ReadRequest(h)
	fmt.Println(err)
	// Output:
	// plain imap bob@domain1.com 100% secret <nil>
	// unknown Auth-Protocol
}

func ExampleResponse_WriteHeader() {
	for _, r := range []authhttp.Response{
		{Outcome: authhttp.OK, Server: netip.MustParseAddrPort("127.0.0.1:143")},
		{Outcome: authhttp.Reject, Text: "Invalid login or password"},
	} {
		if err := r.Validate(); err != nil {
			fmt.Println(err)
			continue
		}
		h := make(http.Header)
		r.WriteHeader(h)
		fmt.Println(h)
	}
	// Output:
	// map[Auth-Port:[143] Auth-Server:[127.0.0.1] Auth-Status:[OK]]
	// map[Auth-Status:[Invalid login or password]]
}
