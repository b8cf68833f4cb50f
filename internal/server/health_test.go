package server

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/route"
)

// The metric has a server's protocols on which it is asked, and no others.
func TestServerUp(t *testing.T) {
	s := startAdmin(t)
	down := fmt.Sprintf(`[domains."down.example"]
servers = ["down"]
[servers.down]
host = "127.0.0.1"
imap = %s
[servers.down.verify]
protocol = "imap"
`, strings.TrimPrefix(freeAddress(t), "127.0.0.1:"))
	s.reload(append(s.edits, "[users.", down+"[users.")...)
	s.wantMetrics(`mailauthd_server_up{protocol="imap",server="down"} 1`, `mailauthd_server_up{protocol="pop3",server="box1"} 1`)
	for range route.MaxFails {
		s.want("http", login("tim@down.example", password), "Temporary authentication failure")
	}
	s.wantMetrics(`mailauthd_server_up{protocol="imap",server="down"} 0`)
	if _, body := s.request("GET", "tcp", s.metrics, "/metrics"); strings.Contains(body, `mailauthd_server_up{protocol="pop3",server="down"}`) {
		t.Error("the metric has a protocol on which the server is not asked")
	}
	if said := s.stderr.String(); strings.Count(said, "set aside") != 1 {
		t.Errorf("log %s", said)
	}
}

// A server that is set aside is logged once, and once more when it is back, whatever the number of trials.
func TestChangesInTheLog(t *testing.T) {
	for _, tt := range []struct {
		from, to route.State
		want     string
	}{
		{route.Closed, route.Open, "server set aside"},
		{route.Open, route.HalfOpen, ""},
		{route.HalfOpen, route.Open, ""},
		{route.HalfOpen, route.Closed, "server is back"},
		{route.Open, route.Closed, "server is back"},
	} {
		said := new(output)
		s := &Server{log: slog.New(slog.NewTextHandler(said, nil))}
		s.logChange(route.Change{Server: "box1", Protocol: "imap", From: tt.from, To: tt.to})
		if got := said.String(); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("from %v to %v: log %q, want %q", tt.from, tt.to, got, tt.want)
		}
	}
}

// Servers with a check_interval are probed without any login.
func TestChecksRun(t *testing.T) {
	slow := startSlowServer(t)
	start(t, "[users.", slow.sections()+"[servers.slow.verify]\nprotocol = \"imap\"\ncheck_interval = \"1s\"\n[users.")
	eventually(t, "the server is checked", func() bool { return slow.asked.Load() > 0 })
}

// The certificates of servers are metrics, and the status has the days that are left.
func TestCertificateEnds(t *testing.T) {
	s := startAdmin(t)
	ends := time.Now().Add(10*24*time.Hour + time.Hour)
	st := s.state.Load()
	box1 := st.config.Servers[0]
	st.auth.Health.Of(box1, "imap").SawCertificate(ends)
	st.auth.Health.Of(box1, "imap").Took(time.Second)
	s.wantMetrics(fmt.Sprintf(`mailauthd_certificate_expiry_timestamp_seconds{protocol="imap",server="box1"} %v`, float64(ends.Unix())))
	if _, body := s.request("GET", "tcp", s.metrics, "/metrics"); strings.Contains(body, `expiry_timestamp_seconds{protocol="pop3"`) {
		t.Error("a certificate that was not seen")
	}
	s.reload(s.edits...) // keeps it
	if v := s.snapshotOf("unix", s.socket).Servers[0]; v.Protocol != "imap" || v.Days == nil || *v.Days != 10 || v.Expires != ends.Unix() || v.ResponseTime != 1 {
		t.Errorf("server %+v", v)
	}
}
