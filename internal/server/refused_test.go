package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Many askers may be refused at a time, and each is told of once.
func TestManyAskersWithoutTheSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "auth.key")
	if err := os.WriteFile(file, []byte("hunter2-hunter2-new\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "[log]", "[auth]\nsecret = { header = \"x-auth-key\", file = \""+file+"\" }\n[log]")
	const askers = 20
	var all sync.WaitGroup
	for i := range 5 * askers {
		all.Go(func() {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", i%askers)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != http.StatusForbidden {
				t.Errorf("status %d", w.Code)
			}
		})
	}
	all.Wait()
	if n := strings.Count(s.said.String(), "asker refused"); n != askers {
		t.Errorf("%d askers were refused, %d told of", askers, n)
	}
}
