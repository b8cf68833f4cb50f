package tomledit_test

import (
	"fmt"

	"mailauthd/internal/tomledit"
)

var doc = []byte(`# our users
[users."bob@domain1.com"]
password = "{PLAIN}x" # change soon
`)

func ExampleSet() {
	edited, err := tomledit.Set(doc, []string{"users", "bob@domain1.com"}, "password", tomledit.Quote("{PLAIN}y"))
	fmt.Print(string(edited), err)
	// Output:
	// # our users
	// [users."bob@domain1.com"]
	// password = "{PLAIN}y" # change soon
	// <nil>
}

func ExampleUnset() {
	edited, err := tomledit.Unset(doc, []string{"users", "bob@domain1.com"}, "password")
	fmt.Print(string(edited), err)
	// Output:
	// # our users
	// [users."bob@domain1.com"]
	// <nil>
}

func ExampleAppend() {
	edited, err := tomledit.Append(doc, []tomledit.Table{{
		Path: []string{"users", "alice@domain02.com"},
		Keys: []tomledit.KeyValue{{Key: "nologin", Value: "true"}},
	}})
	fmt.Print(string(edited), err)
	// Output:
	// # our users
	// [users."bob@domain1.com"]
	// password = "{PLAIN}x" # change soon
	//
	// [users."alice@domain02.com"]
	// nologin = true
	// <nil>
}

func ExampleDelete() {
	_, err := tomledit.Delete(doc, []string{"users", "alice@domain02.com"})
	fmt.Println(err)
	// Output: no table users."alice@domain02.com"
}

func ExampleLines() {
	lines := tomledit.NewLines(doc)
	fmt.Println(lines.Line([]string{"users", "bob@domain1.com", "password"}))
	// Output: 3
}
