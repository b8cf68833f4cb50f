package dovecot_test

import (
	"fmt"

	"mailauthd/internal/dovecot"
)

func ExampleTemplate_Bind() {
	query, err := dovecot.ParseTemplate("SELECT password FROM users WHERE name = %{user | username} AND domain = %d")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(query.Bind(dovecot.PostgreSQL()))
	fmt.Println(query.Args("bob@domain1.com"))
	// Output:
	// SELECT password FROM users WHERE name = $1 AND domain = $2 <nil>
	// [bob domain1.com]
}

func ExampleReader_User() {
	r := dovecot.Reader{Scheme: "PLAIN"}
	u, err := r.User("bob@domain1.com", []dovecot.Row{{"password": "one", "host": "axigen1"}, {"password": "two", "host": "axigen1"}})
	fmt.Println(u.Name, u.Passwords[0].Hash, len(u.Passwords), u.Settings().Servers, err)
	_, err = r.User("bob@domain1.com", []dovecot.Row{{"allow_nets": "domain1.com"}})
	fmt.Println(err)
	// Output:
	// bob@domain1.com {PLAIN}*** 2 [axigen1] <nil>
	// user "bob@domain1.com": field allow_nets: entry 1: want an address or a network, such as "192.0.2.7" or "192.0.2.0/24"
}
