package dovecotconf

import (
	"os"
	"strings"
	"testing"
)

// Whatever a file holds, a section about which nothing is told loads.
func FuzzConvert(f *testing.F) {
	for _, name := range samples(f) {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(kindOf(name) == LDAP, string(text))
	}
	f.Fuzz(func(t *testing.T, isLDAP bool, text string) {
		kind := SQL
		if isLDAP {
			kind = LDAP
		}
		r, err := Convert(kind, "f", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Error(err)
			}
			return
		}
		if !r.Complete() {
			return
		}
		if err := load(t, r); err != nil && !strings.Contains(err.Error(), "no such file") { // such as ca_file
			t.Errorf("%v\n%s", err, r.golden())
		}
	})
}
