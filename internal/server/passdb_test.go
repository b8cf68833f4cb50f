package server

import (
	"context"
	"strings"
	"testing"

	"mailauthd/internal/status"
)

// A login that began before a reload can still ask its passdb, and later ones do not wait for it.
func TestReloadSparesQueriesInFlight(t *testing.T) {
	section := func(timeout string) string {
		return "[passdb.vmail]\ndriver = \"pgsql\"\nconnect = \"host=127.0.0.1 port=1\"\nquery = \"SELECT password FROM m WHERE u = %{user}\"\ntimeout = \"" +
			timeout + "\"\n[domains.\"sql.example\"]\nservers = [\"box1\"]\nverify = \"vmail\"\n[users."
	}
	s := start(t, "[users.", section("1s"))
	st := s.enter()
	s.reload("[users.", section("2s"))
	s.wantEverywhere(good, "OK")
	find := func() string {
		for _, p := range st.auth.PassdbsInUse() {
			if _, err := p.Directory.Find(context.Background(), "bob@sql.example"); err != nil {
				return err.Error()
			}
		}
		return ""
	}
	if text := find(); !strings.Contains(text, "connection refused") {
		t.Errorf("while a login is in flight: %s", text)
	}
	st.busy.RUnlock()
	eventually(t, "the passdb is closed", func() bool { return strings.Contains(find(), "closed pool") })
}

// A passdb is up while one of its servers answers.
func TestServersOfPassdb(t *testing.T) {
	for f, want := range map[figures]status.Server{
		{servers: 2}:              {Up: true},
		{servers: 2, setAside: 1}: {Up: true, SetAside: 1},
		{servers: 2, setAside: 2}: {},
		{}:                        {Up: true}, // in SQL
	} {
		got := status.Server{Up: true}
		if setServers(&got, f); got != want {
			t.Errorf("%d of %d servers set aside: %+v", f.setAside, f.servers, got)
		}
	}
}
