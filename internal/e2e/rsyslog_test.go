package e2e

import (
	"bufio"
	"encoding/json"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRsyslogSample sends a log by contrib/rsyslog, and checks that each entry arrives as one JSON object.
func TestRsyslogSample(t *testing.T) {
	t.Parallel()
	rsyslogd := program(t, "rsyslogd")
	collector, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { collector.Close() })
	_, port, _ := net.SplitHostPort(collector.Addr().String())

	dir := tempDir(t)
	log := readFile(t, repository+"/internal/authlog/testdata/json.golden")
	writeFile(t, dir, "auth.log", log)
	sample := readFile(t, repository+"/contrib/rsyslog/mailauthd.conf")
	for _, change := range [][2]string{
		{"/var/log/mailauthd/auth.log", filepath.Join(dir, "auth.log")}, {"logs.example.com", "127.0.0.1"}, {`port="514"`, `port="` + port + `"`},
	} {
		if strings.Count(sample, change[0]) != 1 {
			t.Fatalf("the sample does not have %s once", change[0])
		}
		sample = strings.Replace(sample, change[0], change[1], 1)
	}
	writeFile(t, dir, "rsyslog.conf", `global(workDirectory="`+dir+`")`+"\n"+sample)
	start(t, dir, "rsyslogd", rsyslogd, "-n", "-f", filepath.Join(dir, "rsyslog.conf"), "-i", filepath.Join(dir, "pid"))

	if l, ok := collector.(*net.TCPListener); ok {
		_ = l.SetDeadline(time.Now().Add(20 * time.Second))
	}
	conn, err := collector.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(conn)
	for want := range strings.Lines(log) {
		got, err := in.ReadString('\n')
		if message := got[max(strings.IndexByte(got, '{'), 0):]; err != nil || message != want || !json.Valid([]byte(message)) {
			t.Fatalf("received %q, %v; want %q", got, err, want)
		}
	}
}
