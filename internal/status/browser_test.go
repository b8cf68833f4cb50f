package status

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/testprogram"
)

// browserTimeout is how long a browser may take.
const browserTimeout = 30 * time.Second

// A browser shows the page under its policy, and would report what the policy forbids: here another style sheet.
func TestPageInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	browser := testprogram.Find(t, "chromium")
	page := append(htmlOf(t, sample(quiet()), Query{Format: HTML, Full: true}), "<style>p { color: red; }</style>"...)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", ContentSecurityPolicy())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(page)
	}))
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), browserTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(),
		"--enable-logging=stderr", "--dump-dom", s.URL)
	var dom, said strings.Builder
	cmd.Stdout, cmd.Stderr = &dom, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	if n := strings.Count(said.String(), "violates the following Content Security Policy"); n != 1 || !strings.Contains(dom.String(), "axigen1") {
		t.Errorf("%d violations, want 1: %s", n, &said)
	}
}
