package config

import (
	"bytes"
	"runtime"
	"testing"
	"time"
)

// TestFailedLoadClosesPassdbs tests that no pool of connections is left by a load that ends before the last step.
func TestFailedLoadClosesPassdbs(t *testing.T) {
	pools := func() int {
		stacks := make([]byte, 1<<20)
		return bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("created by github.com/jackc/pgx/v5/pgxpool.NewWithConfig "))
	}
	path := withPassdb(t, sqlPassdb+passdbDomain+"[users.\"a@domain1.com\"]\nlogin = \"a\"\nlogin = \"b\"\n")
	before := pools()
	for range 10 {
		if _, err := Load(path); err == nil {
			t.Fatal("no error")
		}
	}
	for deadline := time.Now().Add(time.Minute); pools() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d pools are open, before %d", pools(), before)
		}
	}
}
