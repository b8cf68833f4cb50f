package crypt_test

import (
	"fmt"

	"mailauthd/internal/crypt"
)

func ExampleMD5() {
	const hash, salt, magic = "$1$CCCCCCCC$YF.So56GLoDKmLeZdudRb/", "CCCCCCCC", "$1$"
	fmt.Println(crypt.MD5("ecclesiastically", salt, magic) == hash)
	fmt.Println(crypt.MD5("something else", salt, magic) == hash)
	// Output:
	// true
	// false
}
