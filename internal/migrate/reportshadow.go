package migrate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/logfile"
	"mailauthd/internal/shadow"
)

// MaxShadowLine is the largest length of a line of the shadow log in bytes. Longer ones are skipped and counted.
const MaxShadowLine = 64 << 10

// Shadow sums up shadow logs.
type Shadow struct {
	since  time.Time
	router *router
	report ShadowReport
	users  map[string]bool
}

// ShadowReport says what mailauthd decided otherwise than the old script.
type ShadowReport struct {
	From string `json:"from"` // the time of the first difference
	To   string `json:"to"`
	All  Count  `json:"logins"`
	Groups
	Torn int `json:"torn"` // lines that are not whole, or too long
}

// NewShadow makes a Shadow. Differences before since do not count. The configuration tells which domains are listed.
func NewShadow(since time.Time, c *config.Config) *Shadow {
	return &Shadow{since: since, router: newRouter(c), users: make(map[string]bool)}
}

// Read reads one shadow log, which may be compressed by gzip. It returns an error if that holds lines, but none of a shadow
// log.
func (s *Shadow) Read(r io.Reader) error {
	good, torn := 0, s.report.Torn
	err := logfile.EachLine(r, MaxShadowLine, func(b []byte, problem logfile.Problem) bool {
		var d shadow.Difference
		if problem != logfile.None || json.Unmarshal(b, &d) != nil || d.Ours.Outcome == "" || d.Theirs.Outcome == "" {
			s.report.Torn++
			return true
		}
		good++
		s.add(&d)
		return true
	})
	if err == nil && good == 0 && s.report.Torn > torn {
		err = errors.New(`no line of a shadow log: want the file that [shadow] log names`)
	}
	return err
}

func (s *Shadow) add(d *shadow.Difference) {
	at, err := time.Parse(time.RFC3339, d.Time)
	if err == nil && at.Before(s.since) {
		return
	}
	if s.report.From == "" {
		s.report.From = authlog.Escape(d.Time)
	}
	s.report.To = authlog.Escape(d.Time)
	for _, text := range []*string{&d.User, &d.Method, &d.Protocol, &d.Ours.Error, &d.Theirs.Error} {
		*text = authlog.Unescape(*text) // else it would be escaped twice
	}
	user := displayName(d.User[:min(len(d.User), authlog.MaxValue)])
	s.report.All.Logins++
	if len(s.users) < maxMembers {
		s.users[user] = true
	}
	s.report.add(s.find(d), user, 1, false)
}

// find finds out why two answers differ.
func (s *Shadow) find(d *shadow.Difference) finding {
	ok := authhttp.OK.String()
	switch {
	case d.Theirs.Outcome == authlog.TempFail:
		return finding{kind: NoAnswer, what: d.Theirs.Error, set: "look into the web server's log"}
	case d.Ours.Outcome == ok && d.Theirs.Outcome == ok:
		return differentServer(d)
	case d.Ours.Outcome == ok && d.Quoting:
		return finding{kind: Quoting}
	case d.Ours.Outcome == ok:
		return finding{kind: Other, what: "let in now, refused by auth.php"}
	case d.Ours.Outcome == authlog.TempFail && d.Theirs.Outcome == ok && strings.Contains(d.Ours.Error, serverSaid):
		return notOK(saidBy(d.Ours.Error))
	case d.Ours.Outcome == authlog.TempFail:
		return finding{kind: TempFail, what: d.Ours.Error}
	case d.Theirs.Outcome == ok:
		return s.refused(d)
	}
	return finding{kind: Other, what: "refused by both"}
}

// serverSaid comes before the server's reply in the errors of package upstream.
const serverSaid = "server said "

// saidBy returns the server's reply in an error, or the whole error if it has none.
func saidBy(detail string) string {
	if _, reply, ok := strings.Cut(detail, serverSaid); ok {
		return strings.Trim(reply, `"`)
	}
	return detail
}

func differentServer(d *shadow.Difference) finding {
	ours, theirs := hostPort(d.Ours.Server, d.Ours.Port), hostPort(d.Theirs.Server, d.Theirs.Port)
	switch {
	case ours != theirs:
		return finding{OtherServer, theirs + ", now " + ours, "set servers of the domain or the user, or host and port of the server"}
	case d.Ours.Error != "": // that the password differs
		return finding{kind: Other, what: "another password at the server"}
	}
	return finding{kind: Other, what: "another user name at the server"}
}

// refused finds out why a login is refused that auth.php has let in. The configuration may have changed since, so what it
// says counts only if it agrees with the reason.
func (s *Shadow) refused(d *shadow.Difference) finding {
	reason, counter, _ := strings.Cut(d.Ours.Reason, " throttle=")
	f, _ := s.router.find(&login{user: d.User, method: d.Method, protocol: d.Protocol})
	switch authlog.Reason(reason) {
	case authlog.PasswordMismatch:
		return notOK(saidBy(d.Ours.Error))
	case authlog.UserUnknown, authlog.UserDisabled, authlog.SchemeNotAvailable, authlog.Policy:
		switch {
		case strings.HasPrefix(d.Ours.Error, "throttle: "):
			return finding{Throttled, "counter " + counter, "if many users share the client's network, add it to [throttle] trusted_networks"}
		case f != same:
			return f
		case reason == string(authlog.Policy) || reason == string(authlog.UserDisabled):
			return finding{kind: Rules, what: d.Ours.Error}
		}
	}
	return finding{kind: Other, what: strings.TrimSpace(reason + ": " + d.Ours.Error)}
}

// Differs reports whether there are differences.
func (r *ShadowReport) Differs() bool { return r.All.Logins > 0 }

// Report returns the sum of all that was read.
func (s *Shadow) Report() *ShadowReport {
	s.report.All.Users = len(s.users)
	s.report.finish()
	return &s.report
}

// Text prints the report for people.
func (r *ShadowReport) Text(w io.Writer) {
	fmt.Fprintf(w, "decided differently: %v", r.All)
	if r.From != "" {
		fmt.Fprintf(w, ", from %s to %s", r.From, r.To)
	}
	fmt.Fprintln(w)
	r.write(w)
	if r.Torn > 0 {
		fmt.Fprintf(w, "\nnot read: %s torn or of another layout\n", plural(r.Torn, "line"))
	}
}
