package logreport

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"mailauthd/internal/authlog"
)

// Keys lists what failed logins can be counted by.
var Keys = []string{"user", "address", "server", "reason"}

// Failed counts failed logins.
type Failed struct {
	by        string
	canonical func(string) string
	zone      *time.Location
	table     *table
	plot      *Timeline

	all, tempfail int
	first, last   time.Time // of all logins
}

// FailedReport says who failed to log in. All its texts are printable.
type FailedReport struct {
	By       string      `json:"by"`
	From     time.Time   `json:"from,omitzero"` // the time of the first login, failed or not
	To       time.Time   `json:"to,omitzero"`
	Logins   int         `json:"logins"`
	Failed   int         `json:"failed"`
	TempFail int         `json:"tempfail"` // of Failed
	Rows     []FailedRow `json:"rows"`
	Others   Others      `json:"others"`
	Skipped  Skipped     `json:"skipped"`
	Timeline []Bucket    `json:"timeline,omitempty"`
}

// FailedRow has the failed logins of one user, address, server or reason.
type FailedRow struct {
	Key         string    `json:"key"`
	Failed      int       `json:"failed"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
	Reason      string    `json:"reason"` // the most frequent one
	ReasonCount int       `json:"reason_count"`
}

// Others sums up what has no row of its own.
type Others struct {
	Failed  int `json:"failed"`
	Keys    int `json:"keys"`
	Evicted int `json:"evicted"` // of Keys, those that were evicted because there are more than MaxRows
}

// NewFailed makes a Failed that counts by one of Keys. The function canonical returns the name by which a user is counted.
func NewFailed(by string, zone *time.Location, canonical func(string) string) *Failed {
	return &Failed{by: by, canonical: canonical, zone: zone, table: newTable(MaxRows), plot: newTimeline(zone)}
}

// Add takes an entry of the log.
func (f *Failed) Add(e *authlog.Event) {
	f.all++
	if f.first.IsZero() || e.Start.Before(f.first) {
		f.first = e.Start
	}
	if e.Start.After(f.last) {
		f.last = e.Start
	}
	if e.Outcome == ok {
		return
	}
	if e.Outcome == authlog.TempFail {
		f.tempfail++
	}
	f.plot.add(e.Start)
	f.table.add(f.key(e), reasonOf(e), e.Start.UnixMicro())
}

// ok is the outcome of a login that was let in.
const ok = "ok"

func reasonOf(e *authlog.Event) string {
	if e.Reason == "" { // releases before the format "legacy" had reasons
		return "unknown"
	}
	return authlog.Escape(e.FullReason())
}

func (f *Failed) key(e *authlog.Event) string {
	switch f.by {
	case "address":
		return cmp.Or(authlog.Escape(e.ClientIP), "(no address)")
	case "server":
		return cmp.Or(serverOf(e), "(no server)")
	case "reason":
		return reasonOf(e)
	}
	return cmp.Or(authlog.Escape(f.canonical(e.User)), "(no name)")
}

// serverOf returns the name of the server, or else its address, because the format "legacy" has no name.
func serverOf(e *authlog.Event) string {
	if e.Server == "" && e.Backend.IsValid() {
		return e.Backend.String()
	}
	return authlog.Escape(e.Server)
}

// Plot returns when the failed logins were.
func (f *Failed) Plot() *Timeline { return f.plot }

// Report returns the sum of all that was added, with at most limit rows; 0 is any number.
func (f *Failed) Report(limit int, skipped Skipped) *FailedReport {
	r := &FailedReport{By: f.by, From: f.first, To: f.last, Logins: f.all, TempFail: f.tempfail, Rows: []FailedRow{}, Skipped: skipped}
	t := f.table
	r.Others = Others{Failed: t.evicted, Keys: t.keys, Evicted: t.keys}
	r.Failed = t.evicted
	for i, row := range t.sorted() {
		r.Failed += row.failed
		if limit > 0 && i >= limit {
			r.Others.Failed += row.failed
			r.Others.Keys++
			continue
		}
		top := t.reasons.sort(row.byReason)[0]
		r.Rows = append(r.Rows, FailedRow{
			row.key, row.failed, time.UnixMicro(row.first).In(f.zone), time.UnixMicro(row.last).In(f.zone), t.reasons[top.reason], top.n,
		})
	}
	return r
}

// Text prints the report for people.
func (r *FailedReport) Text(w io.Writer) {
	if len(r.Rows) > 0 {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintf(t, "%s\tfailed\tfirst\tlast", r.By)
		if r.By != "reason" {
			fmt.Fprint(t, "\tmost frequent reason")
		}
		fmt.Fprintln(t)
		for _, row := range r.Rows {
			fmt.Fprintf(t, "%s\t%d\t%s\t%s", shorten(row.Key), row.Failed, row.First.Format(time.DateTime), row.Last.Format(time.DateTime))
			if r.By != "reason" {
				fmt.Fprintf(t, "\t%s (%d)", row.Reason, row.ReasonCount)
			}
			fmt.Fprintln(t)
		}
		if r.Others.Failed > 0 {
			fmt.Fprintf(t, "(%d others)\t%d\n", r.Others.Keys, r.Others.Failed)
		}
		t.Flush()
		fmt.Fprintln(w)
	}
	r.writeSum(w)
}

// maxShown is the largest number of characters of a name in a table.
const maxShown = 64

// shorten cuts a printable text, so that one long name does not make a table unreadable.
func shorten(s string) string {
	if r := []rune(s); len(r) > maxShown {
		return string(r[:maxShown]) + "..."
	}
	return s
}

func (r *FailedReport) writeSum(w io.Writer) {
	fmt.Fprintf(w, "%d of %s failed", r.Failed, plural(r.Logins, "login"))
	if r.TempFail > 0 {
		fmt.Fprintf(w, " (%s)", plural(r.TempFail, "temporary failure"))
	}
	if r.Logins > 0 {
		fmt.Fprintf(w, ", from %s to %s", r.From.Format(time.DateTime), r.To.Format(time.DateTime))
	}
	fmt.Fprintln(w)
	if r.Others.Evicted > 0 {
		fmt.Fprintf(w, "more than %d different ones: of those that fail rarely, some are only counted among the others\n", MaxRows)
	}
	r.Skipped.write(w)
}
