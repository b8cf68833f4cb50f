package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"mailauthd/internal/auth"
	"mailauthd/internal/password"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

func ExampleAuthenticator_Answer() {
	hash, err := password.Policy{}.Parse("{PLAIN}sample-alice", "alice@domain1.com")
	if err != nil {
		panic(err)
	}
	list, err := users.New([]users.User{{Name: "alice@domain1.com", Passwords: []users.Password{{Hash: hash}}}})
	if err != nil {
		panic(err)
	}

	servers := []*route.Server{{Name: "dovecot1", Host: "192.0.2.1", IMAP: 143}}
	authenticator := auth.New(auth.Config{
		Methods:         []string{"plain"},
		FailureMessage:  "Invalid login or password",
		HashConcurrency: 1,
		Servers:         servers,
		Domains:         route.NewTable([]*route.Domain{{Name: "domain1.com", Servers: servers, Verify: route.VerifyUsers}}),
		Users:           list,
	}, route.NewResolver(nil))
	authenticator.Now = time.Now

	for _, password := range []string{"sample-alice", "wrong"} {
		response, event := authenticator.Answer(context.Background(), http.Header{
			"Auth-Method":   {"plain"},
			"Auth-User":     {"alice@domain1.com"},
			"Auth-Pass":     {password},
			"Auth-Protocol": {"imap"},
			"Client-Ip":     {"198.51.100.7"},
		})
		fmt.Printf("%s: %s; the log has server %s, reason %q\n", response.Outcome, response.Status(), event.Server, event.Reason)
	}
	// Output:
	// ok: OK; the log has server dovecot1, reason ""
	// reject: Invalid login or password; the log has server dovecot1, reason "password_mismatch"
}
