package server

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailauthd/internal/authhttp"
)

// asking returns a request that asks which service answers.
func asking(h http.Header) http.Header {
	h = h.Clone()
	h.Set(authhttp.Identify, "1")
	return h
}

// The server names itself when it is asked to, and nothing else in the answer changes.
func TestIdentity(t *testing.T) {
	s := start(t)
	identity := fmt.Sprintf("Mailauthd: v1, pid %d\r\n", os.Getpid())
	for name, endpoint := range s.endpoints {
		for _, h := range []http.Header{good, bad} {
			plain, err := endpoint.ask(h)
			if err != nil || strings.Contains(plain, "Mailauthd") {
				t.Errorf("%s: answer to nginx: %q, %v", name, plain, err)
			}
			named, err := endpoint.ask(asking(h))
			if err != nil || strings.Count(named, identity) != 1 || strings.Replace(named, identity, "", 1) != plain {
				t.Errorf("%s: %q, %v; want one line %q more than in %q", name, named, err, identity, plain)
			}
		}
	}
}

// The server also names itself when the secret is missing, so that the cause can be told.
func TestIdentityWithoutTheSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "auth.key")
	if err := os.WriteFile(file, []byte("hunter2-hunter2-key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "[log]", "[auth]\nsecret = { header = \"X-Auth-Key\", file = \""+file+"\" }\n[log]")
	for name, endpoint := range s.endpoints {
		head, _ := endpoint.ask(asking(good))
		wantForbidden(t, name, head)
		if !strings.HasPrefix(field(head, "Mailauthd"), "v1, pid ") {
			t.Errorf("%s: %q", name, head)
		}
	}
}
