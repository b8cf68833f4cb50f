package users_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mailauthd/internal/password"
	"mailauthd/internal/tomledit"
	"mailauthd/internal/users"
)

func ExampleMap_Find() {
	hash, err := password.Policy{}.Parse("{PLAIN}secret", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := users.New([]users.User{{
		Name:      "bob@domain1.com",
		Passwords: []users.Password{{Hash: hash}},
		Extra:     &users.Settings{Aliases: []string{"info@domain1.com"}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	u, err := m.Find(context.Background(), "info@domain1.com")
	fmt.Println(u.Name, err)
	u, err = m.Find(context.Background(), "nobody@domain1.com")
	fmt.Println(u, err)
	fmt.Println(m.Decoy("nobody@domain1.com").Name) // verify its passwords, and refuse the login
	// Output:
	// bob@domain1.com <nil>
	// <nil> <nil>
	// bob@domain1.com
}

func ExampleReadPasswdFile() {
	const file = `# user:password:uid:gid:gecos:home:shell:extra_fields
bob@domain1.com:$6$salt$key::::::allow_nets=192.0.2.0/24
alice@domain02.com
`
	entries, problems, err := users.ReadPasswdFile(strings.NewReader(file), users.PasswdLimits{})
	for _, e := range entries {
		fmt.Println(e, e.AllowNets)
	}
	fmt.Println(problems, err)
	// Output:
	// line 2: user "bob@domain1.com" [192.0.2.0/24]
	// [line 3: has no password: want user:password] <nil>
}

func ExampleWriteAtomic() {
	dir, err := os.MkdirTemp("", "users")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "mailauthd.toml")
	if err := os.WriteFile(file, []byte("[users.\"bob@domain1.com\"]\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	err = users.WriteAtomic(file, file, func(old []byte) ([]byte, error) {
		return tomledit.Set(old, []string{"users", "bob@domain1.com"}, "nologin", "true")
	})
	content, _ := os.ReadFile(file)
	fmt.Print(string(content), err)
	// Output:
	// [users."bob@domain1.com"]
	// nologin = true
	// <nil>
}
