package logreport

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"mailauthd/internal/authlog"
)

// MaxHistory is the largest number of logins that a History keeps.
const MaxHistory = 10_000

// History keeps the last logins of a user.
type History struct {
	matches func(user string) bool
	keep    int
	logins  []Login // the oldest one is at next once it is full
	next    int

	report  HistoryReport
	reasons reasons
	tallies []tally
}

// HistoryReport has the last logins of a user. All its texts are printable.
type HistoryReport struct {
	User     string        `json:"user"` // or the mask, as it was asked for
	OK       int           `json:"ok"`
	Rejected int           `json:"rejected"`
	TempFail int           `json:"tempfail"`
	LastOK   time.Time     `json:"last_ok,omitzero"`
	Reasons  []ReasonCount `json:"reasons"`
	Logins   []Login       `json:"logins"`   // the most recent one is the last
	LeftOut  int           `json:"left_out"` // logins before these
	Skipped  Skipped       `json:"skipped"`

	names map[string]bool
}

// ReasonCount is how often logins failed for a reason.
type ReasonCount struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// Login is one login of a history.
type Login struct {
	Time     time.Time `json:"time"`
	User     string    `json:"user"` // as the client sent it
	Outcome  string    `json:"outcome"`
	Reason   string    `json:"reason,omitempty"`
	Error    string    `json:"error,omitempty"`
	Protocol string    `json:"protocol"`
	Method   string    `json:"method"`
	TLS      bool      `json:"tls"`
	ClientIP string    `json:"client_ip"`
	Server   string    `json:"server,omitempty"`
	Status   string    `json:"status"`
	Label    string    `json:"password_label,omitempty"`
	Cache    string    `json:"cache,omitempty"`
}

// NewHistory makes a History of the last logins, at most keep of them, of the users that the function matches accepts. It gets
// names as the client sent them. The name is what the report calls the user.
func NewHistory(name string, keep int, matches func(user string) bool) *History {
	h := &History{matches: matches, keep: min(keep, MaxHistory)}
	h.report = HistoryReport{User: authlog.Escape(name), Reasons: []ReasonCount{}, Logins: []Login{}, names: make(map[string]bool)}
	return h
}

// Add takes an entry of the log.
func (h *History) Add(e *authlog.Event) {
	if !h.matches(e.User) {
		return
	}
	switch e.Outcome {
	case ok:
		h.report.OK++
		h.report.LastOK = e.Start
	case authlog.TempFail:
		h.report.TempFail++
	default:
		h.report.Rejected++
	}
	if e.Outcome != ok {
		h.tallies = count(h.tallies, h.reasons.index(reasonOf(e)))
	}
	login := newLogin(e)
	if len(h.logins) < h.keep {
		h.logins = append(h.logins, login)
		return
	}
	h.report.LeftOut++
	h.logins[h.next] = login
	h.next = (h.next + 1) % h.keep
}

func newLogin(e *authlog.Event) Login {
	l := Login{
		Time: e.Start, User: authlog.Escape(e.User), Outcome: authlog.Escape(e.Outcome),
		Error: authlog.Escape(e.Error), Protocol: authlog.Escape(e.Protocol), Method: authlog.Escape(e.Method), TLS: e.SSL == "on",
		ClientIP: authlog.Escape(e.ClientIP), Server: serverOf(e), Status: authlog.Escape(e.Status),
		Label: authlog.Escape(e.Label), Cache: authlog.Escape(e.Cache),
	}
	if e.Outcome != ok {
		l.Reason = reasonOf(e)
	}
	return l
}

// Report returns the logins that were added.
func (h *History) Report(skipped Skipped) *HistoryReport {
	r := &h.report
	r.Skipped = skipped
	r.Logins = append(append(r.Logins, h.logins[h.next:]...), h.logins[:h.next]...)
	for _, t := range h.reasons.sort(h.tallies) {
		r.Reasons = append(r.Reasons, ReasonCount{h.reasons[t.reason], t.n})
	}
	for _, l := range r.Logins {
		r.names[l.User] = true
	}
	return r
}

// Found reports whether there are logins.
func (r *HistoryReport) Found() bool { return len(r.Logins) > 0 }

// Text prints the report for people.
func (r *HistoryReport) Text(w io.Writer) {
	if !r.Found() {
		fmt.Fprintf(w, "no login of %s: nginx did not ask about it, or the client sent another name\n", r.User)
		r.Skipped.write(w)
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	name := func(string) string { return "" }
	if len(r.names) > 1 {
		name = func(user string) string { return shorten(user) + "\t" }
	}
	fmt.Fprintf(t, "time\t%soutcome\tclient\tlogin\tserver\tdetail\n", name("user"))
	for _, l := range r.Logins {
		fmt.Fprintf(t, "%s\t%s%s\t%s\t%s\t%s\t%s\n", l.Time.Format(time.DateTime), name(l.User), result(&l),
			orDash(shorten(l.ClientIP)), shorten(how(&l)), orDash(l.Server), orDash(l.Error))
	}
	t.Flush()
	fmt.Fprintln(w)
	r.writeSum(w)
	r.Skipped.write(w)
}

func result(l *Login) string {
	if l.Reason == "" {
		return l.Outcome
	}
	return l.Outcome + " " + l.Reason
}

func how(l *Login) string {
	text := l.Protocol + " " + l.Method
	if l.TLS {
		text += " TLS"
	}
	return text
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (r *HistoryReport) writeSum(w io.Writer) {
	fmt.Fprintf(w, "%s: %s let in, %d rejected, %s", r.User, plural(r.OK, "login"), r.Rejected, plural(r.TempFail, "temporary failure"))
	if r.LeftOut > 0 {
		fmt.Fprintf(w, "; the first %d are not shown", r.LeftOut)
	}
	fmt.Fprintln(w)
	if len(r.Reasons) > 0 {
		var list []string
		for _, c := range r.Reasons {
			list = append(list, fmt.Sprintf("%s %d", c.Reason, c.Count))
		}
		fmt.Fprintf(w, "reasons: %s\n", strings.Join(list, ", "))
	}
	switch last := r.Logins[len(r.Logins)-1]; {
	case last.Outcome == ok:
	case r.LastOK.IsZero():
		fmt.Fprintf(w, "no login let in; the last reason: %s\n", explain(last.Reason, last.Error))
	default:
		fmt.Fprintf(w, "last let in at %s; since then: %s\n", r.LastOK.Format(time.DateTime), explain(last.Reason, last.Error))
	}
}
