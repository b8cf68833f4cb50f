package status

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mailauthd/internal/authlog"
)

var pages = flag.String("pages", "", "write the sample pages to this `directory`")

// noon is the time of the samples.
var noon = time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)

// event returns a login at a time. Of twenty, one has a wrong password; of a thousand, one is a temporary failure.
func event(n int, at time.Time) *authlog.Event {
	took := time.Duration(800+200*math.Sin(float64(n)/50)) * time.Microsecond * time.Duration(1+n%7)
	e := &authlog.Event{
		Start: at.Add(-took), End: at, Method: "plain", Protocol: "imap", User: fmt.Sprintf("user%d@domain1.com", n),
		ClientIP: fmt.Sprintf("198.51.%d.%d", n/256%256, n%256), Server: "axigen1", Outcome: "ok",
	}
	switch {
	case n%1000 == 999:
		e.Outcome, e.Reason, e.Error = authlog.TempFail, authlog.InternalFailure, `server "axigen1": greeting: connection closed`
	case n%20 == 19:
		e.Outcome, e.Reason, e.Error = "reject", authlog.PasswordMismatch, `user "user@domain1.com": password does not match`
	}
	return e
}

// quiet is a recorder with ten logins on the last day.
func quiet() *Recorder {
	r := new(Recorder)
	for i := range 10 {
		e := event(i, noon.Add(-time.Duration(10-i)*17*time.Minute))
		if i == 7 {
			e.Outcome, e.Reason = "reject", authlog.PasswordMismatch
		}
		r.Record(e)
	}
	return r
}

// busyRate is the rate of the busy recorder, in logins a second.
const busyRate = 5000

// busy is a recorder with so many logins for a day. Only those of the last second are recorded one by one. Seconds and
// minutes before are copies of it that vary, because a day of them would take half a minute.
func busy() *Recorder {
	r := new(Recorder)
	for n := range busyRate {
		r.Record(event(n, noon.Add(time.Duration(n)*time.Second/busyRate)))
	}
	now := noon.Unix()
	second := r.seconds[now%Seconds].counts
	for i := int64(1); i < Seconds; i++ {
		r.seconds[(now-i)%Seconds] = interval{now - i, second}
	}
	var minute counts
	for range 60 {
		minute.add(&second)
	}
	for i := int64(1); i < Minutes; i++ {
		c := minute
		wave := 0.7 + 0.3*math.Sin(float64(i)/40)
		for k := range c.outcomes {
			c.outcomes[k] = uint32(float64(c.outcomes[k]) * wave)
		}
		if i > 60 && i < 75 { // an outage
			c.outcomes = [3]uint32{c.outcomes[0] / 2, c.outcomes[1], c.outcomes[0] / 2}
			c.times[30] = c.outcomes[0] * 2
		}
		r.minutes[(now/60-i)%Minutes] = interval{now/60 - i, c}
	}
	return r
}

// sample is a snapshot with something of everything.
func sample(r *Recorder) *Snapshot {
	s := New(noon, noon.Add(-170*time.Minute))
	s.Version, s.Full = "v1.2", true
	s.AcceptedConn, s.ActiveRequests, s.MaxActiveRequests = 123456, 3, 87
	s.Logins, s.Minutes, s.Recent = r.Periods(noon), r.Plot(noon, PlotMinutes), r.Recent()
	for i, protocol := range []string{"imap", "pop3", "smtp"} {
		v := Server{Name: "axigen1", Protocol: protocol, Up: true, Since: noon.Add(-time.Hour).Unix(), ResponseTime: 0.0123 * float64(i+1), Slots: Slots{2, 0, 100}}
		v.Ends(noon.Add(time.Duration(9+40*i)*24*time.Hour), noon)
		s.Servers = append(s.Servers, v)
	}
	s.Servers = append(s.Servers, Server{Name: "dovecot1", Protocol: "imap", Since: noon.Add(-time.Minute).Unix(), Retry: 7.5,
		LastError: "connect: dial tcp 192.0.2.7:143: <b>connection refused</b>", LastErrorAt: noon.Add(-time.Second).Unix(), Slots: Slots{0, 4, 20}})
	s.Passdbs = []Server{{Name: "vmail", Driver: "pgsql", Up: true, Since: noon.Add(-time.Hour).Unix(), ResponseTime: 0.0009, Slots: Slots{1, 0, 8}}}
	s.Redis = &Redis{Up: false, Since: noon.Add(-time.Minute).Unix(), LastError: "dial tcp 192.0.2.8:6379: connection refused", RoundTrips: 4711, Unsent: 12}
	s.Listeners = []Listener{
		{Name: "fastcgi unix:/run/mailauthd/fastcgi.sock", Connections: 12, AcceptedConn: 400, Requests: 123000},
		{Name: "metrics 127.0.0.1:9180", Connections: 1, AcceptedConn: 456, Refused: 2, Requests: 456},
	}
	s.Hashes, s.Checks = Slots{2, 1, 4}, Slots{12, 4, 176}
	s.Throttle = []Held{{"network", "203.0.113.9", 130, 100, 1250}, {"user", "bob@domain1.com", 31, 30, 75}, {"pair", "bob@domain1.com from 203.0.113.9", 11, 10, 75}}
	s.Cache = Cache{Size: 10000, Good: 812, Bad: 3}
	s.Log = Log{File: "/var/log/mailauthd/auth.log", Size: 34567890}
	s.Reloads = Reloads{Done: 3, Last: noon.Add(-time.Hour).Unix()}
	return s
}

// writePage writes a sample page for a person to look at, if the flag asks for it.
func writePage(t *testing.T, name string, page []byte) {
	t.Helper()
	if *pages == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*pages, name), page, 0o644); err != nil {
		t.Fatal(err)
	}
}

func htmlOf(t *testing.T, s *Snapshot, q Query) []byte {
	t.Helper()
	var page bytes.Buffer
	if err := s.WriteHTML(&page, q); err != nil {
		t.Fatal(err)
	}
	return page.Bytes()
}
