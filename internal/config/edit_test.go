package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

const editMain = "include = [\"a.toml\", \"b.toml\"]\n" + minimal

func openSource(t *testing.T, path string) *Source {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// addUser appends a user's table to a document.
func addUser(name string) func(doc []byte) ([]byte, error) {
	return func(doc []byte) ([]byte, error) {
		return fmt.Appendf(doc, "[users.\"%s@domain1.com\"]\npassword = \"{PLAIN}x\"\n", name), nil
	}
}

// Two edits of different files may each be valid, but not both together. Only one of them may be
// written. Both edits of a pair are under way before the first may write.
func TestEditsOfDifferentFilesLockOutEachOther(t *testing.T) {
	main := write(t, "m.toml", editMain, "a.toml", "", "b.toml", "")
	for i, pair := range [][2]string{{"a.toml", "b.toml"}, {"a.toml", "m.toml"}, {"m.toml", "b.toml"}, {"a.toml", "b.toml"}, {"m.toml", "b.toml"}} {
		source := openSource(t, main)
		user := fmt.Sprintf("user%d", i)
		var errs [2]error
		synctest.Test(t, func(t *testing.T) {
			start := make(chan struct{})
			var wg sync.WaitGroup
			for j, file := range pair {
				wg.Go(func() {
					_, errs[j] = source.Edit(filepath.Join(filepath.Dir(main), file), func(doc []byte) ([]byte, error) {
						<-start
						return addUser(user)(doc)
					})
				})
			}
			synctest.Wait()
			close(start)
			wg.Wait()
		})
		if (errs[0] == nil) == (errs[1] == nil) || !strings.Contains(fmt.Sprint(errs), "the same user as") {
			t.Errorf("%v: errors %v, want one of them to find the other's user", pair, errs)
		}
		if after := openSource(t, main); after.Users.Len() != i+1 {
			t.Fatalf("%v: %d users, want %d", pair, after.Users.Len(), i+1)
		}
	}
}

// An edit of a file that is no longer included would have no effect, so it is refused.
func TestEditOfAFileThatIsNoLongerIncluded(t *testing.T) {
	main := write(t, "m.toml", editMain, "a.toml", "", "b.toml", "")
	source := openSource(t, main)
	if err := os.WriteFile(main, []byte(strings.Replace(editMain, `, "b.toml"`, "", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(main), "b.toml")
	if _, err := source.Edit(path, addUser("user")); err == nil || !strings.Contains(err.Error(), "is not part of the configuration") {
		t.Errorf("error %v", err)
	}
	if data, err := os.ReadFile(path); err != nil || len(data) > 0 {
		t.Errorf("%q was written, %v", data, err)
	}
}
