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

// Many clients may be refused at the same time. Each is logged once.
func TestManyClientsWithoutTheSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "auth.key")
	if err := os.WriteFile(file, []byte("hunter2-hunter2-new\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "[log]", "[auth]\nsecret = { header = \"x-auth-key\", file = \""+file+"\" }\n[log]")
	const clients = 20
	var all sync.WaitGroup
	for i := range 5 * clients {
		all.Go(func() {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", i%clients)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != http.StatusForbidden {
				t.Errorf("status %d", w.Code)
			}
		})
	}
	all.Wait()
	if n := strings.Count(s.stderr.String(), "request refused"); n != clients {
		t.Errorf("%d clients were refused, %d were logged", clients, n)
	}
}
