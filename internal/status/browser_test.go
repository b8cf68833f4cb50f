package status

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/testprogram"
)

// browserTimeout is how long a browser may take.
const browserTimeout = 2 * time.Minute

// A browser shows the page under its policy, and would report what the policy forbids: here another style sheet.
func TestPageInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	browser := testprogram.Find(t, "chromium")
	if err := browse(t, browser, "about:blank", io.Discard, io.Discard); err != nil {
		testprogram.NotAllowed(t, "%s does not start here: %v", browser, err)
	}
	page := append(htmlOf(t, sample(quiet()), Query{Format: HTML, Full: true}), "<style>p { color: red; }</style>"...)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", ContentSecurityPolicy())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(page)
	}))
	defer s.Close()
	var dom, said strings.Builder
	if err := browse(t, browser, s.URL, &dom, &said); err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	if n := strings.Count(said.String(), "violates the following Content Security Policy"); n != 1 || !strings.Contains(dom.String(), "axigen1") {
		t.Errorf("%d violations, want 1: %s", n, &said)
	}
}

// browse loads a page, and writes what the browser made of it.
func browse(t *testing.T, browser, page string, dom, said io.Writer) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), browserTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--user-data-dir="+t.TempDir(), "--enable-logging=stderr", "--dump-dom", page)
	cmd.Stdout, cmd.Stderr = dom, said
	return cmd.Run()
}
