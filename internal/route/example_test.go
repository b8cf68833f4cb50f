package route_test

import (
	"errors"
	"fmt"

	"mailauthd/internal/route"
)

func ExampleTable_Find() {
	table := route.NewTable([]*route.Domain{{Name: "domain1.com"}, {Name: "*.example.com"}})
	for _, name := range []string{"domain1.com", "mail.domain1.com", "a.b.example.com", "example.com"} {
		if d := table.Find(name); d != nil {
			fmt.Println(name, "is in", d.Name)
		} else {
			fmt.Println(name, "is not configured")
		}
	}
	// Output:
	// domain1.com is in domain1.com
	// mail.domain1.com is not configured
	// a.b.example.com is in *.example.com
	// example.com is not configured
}

func ExampleChoose() {
	servers := []*route.Server{{Name: "axigen1"}, {Name: "axigen2"}, {Name: "axigen3"}}
	for _, user := range []string{"alice@domain1.com", "bob@domain1.com"} {
		fmt.Print(user)
		for _, s := range route.Choose(servers, route.PolicyHash, user) {
			fmt.Print(" ", s.Name)
		}
		fmt.Println()
	}
	// Output:
	// alice@domain1.com axigen2 axigen1 axigen3
	// bob@domain1.com axigen1 axigen2 axigen3
}

func ExampleHealth_Try() {
	servers := []*route.Server{
		{Name: "axigen1", VerifyProtocol: "same"},
		{Name: "axigen2", VerifyProtocol: "same"},
	}
	health := route.NewHealth(servers, nil, func(c route.Change) {
		fmt.Println(c.Server, c.Protocol, c.To, c.Err)
	})
	login := func(server *route.Server) error { // axigen1 is down
		if server.Name == "axigen1" {
			return errors.New("connection refused")
		}
		return nil
	}
	for range route.MaxFails + 1 {
		for server, ticket := range health.Try(servers, "imap") {
			if err := login(server); err != nil {
				ticket.Failed(err)
				continue
			}
			ticket.Answered()
			fmt.Println(server.Name, "answered")
			break
		}
	}
	// Output:
	// axigen2 answered
	// axigen2 answered
	// axigen1 imap open connection refused
	// axigen2 answered
	// axigen2 answered
}
