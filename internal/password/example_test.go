package password_test

import (
	"fmt"
	"strings"

	"mailauthd/internal/password"
)

func ExampleHash_Verify() {
	h, err := password.Policy{}.Parse("{BLF-CRYPT}$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC", "")
	fmt.Println(h, err)
	fmt.Println(h.Verify("myPassword"))
	fmt.Println(h.Verify("a guess"))
	// Output:
	// {BLF-CRYPT}*** <nil>
	// true <nil>
	// false <nil>
}

func ExamplePolicy_Parse() {
	_, err := password.Policy{}.Parse("{DES-CRYPT}rqXexS6ZhobKA", "")
	fmt.Println(err)
	h, err := password.Policy{AllowWeak: true}.Parse("{DES-CRYPT}rqXexS6ZhobKA", "")
	fmt.Println(h.Scheme(), err)
	// Output:
	// scheme DES-CRYPT is weak: set allow_weak_schemes = true in [auth]
	// DES-CRYPT <nil>
}

func ExampleHash_VerifyCRAMMD5() {
	// RFC 2195, section 2.
	const challenge, response = "<1896.697170952@postoffice.reston.mci.net>", "b913a602c7eda7a495b4e6e7334d3890"
	h, err := password.Policy{}.Parse("{PLAIN}tanstaaftanstaaf", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(h.VerifyCRAMMD5(challenge, response))
	// Output: true <nil>
}

func ExampleMake() {
	value, err := password.Make("SHA512-CRYPT", "bob@domain1.com", "secret", 10_000)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.HasPrefix(value, "{SHA512-CRYPT}$6$rounds=10000$")) // a random salt follows
	// Output: true
}

func ExampleSchemes() {
	for _, s := range password.Schemes()[:2] {
		fmt.Println(s.Name, s.Weak, s.Make)
	}
	// Output:
	// ARGON2ID false true
	// ARGON2I false true
}
