package mailaddr_test

import (
	"fmt"

	"mailauthd/internal/mailaddr"
)

func ExampleUser() {
	for _, name := range []string{"Bob@Bücher.example", "bob@XN--BCHER-KVA.example", "bob@bad domain"} {
		fmt.Println(mailaddr.User(name))
	}
	// Output:
	// bob@xn--bcher-kva.example <nil>
	// bob@xn--bcher-kva.example <nil>
	//  not a domain name: space, control or other character that no domain has
}

func ExampleCutExtension() {
	fmt.Println(mailaddr.CutExtension("bob+news@example.com", "+"))
	fmt.Println(mailaddr.CutExtension("bob-news@example.com", "+"))
	// Output:
	// bob@example.com true
	// bob-news@example.com false
}

func ExampleMask() {
	matches := mailaddr.Mask("*@example.com")
	fmt.Println(matches("Bob@Example.com"), matches("bob@example.org"))
	// Output: true false
}

func ExampleRecipient() {
	fmt.Println(mailaddr.Recipient("RCPT TO:<bob@example.com> NOTIFY=NEVER"))
	fmt.Println(mailaddr.Recipient("RCPT TO:<bob@[192.0.2.1]>"))
	// Output:
	// bob@example.com <nil>
	//  address literal in place of a domain
}
