package status

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"mailauthd/internal/authlog"
)

// table is a table of the page.
type table struct {
	ID, Title string
	Columns   []column
	Rows      [][]cell
	None      string // what the page says if there are no rows
}

type column struct {
	Name, Link string
	Sorted     string // an arrow, if the table is sorted by this column
	Numeric    bool
}

// cell is a text, and what the table is sorted by if that is a number.
type cell struct {
	Text   string
	Class  string // of the style sheet
	number float64
}

func text(s string) cell { return cell{Text: authlog.Escape(s)} }

func number[N int | int64 | uint32 | uint64](n N) cell {
	return cell{Text: grouped(strconv.FormatInt(int64(n), 10)), Class: "n", number: float64(n)}
}

// grouped separates groups of three digits by a narrow space.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}

// duration is a cell with seconds.
func duration(seconds float64) cell {
	if seconds <= 0 {
		return cell{Class: "n"}
	}
	return cell{Text: took(seconds), Class: "n", number: seconds}
}

func instant(at int64) cell { return cell{Text: short(at), number: float64(at)} }

// short writes a time in the zone that the head of the page has.
func short(at int64) string { return time.Unix(at, 0).Format(time.DateTime) }

// marked changes the class of a cell.
func (c cell) marked(class string, yes bool) cell {
	if yes {
		c.Class += " " + class
	}
	return c
}

func columns(names ...string) (list []column) {
	for _, name := range names {
		list = append(list, column{Name: name})
	}
	return list
}

// sortable reports whether the page has a table with this name.
func sortable(id string) bool {
	return slices.Contains([]string{"servers", "passdbs", "throttle", "listeners", "recent"}, id)
}

// arrange sorts the table as the query says, and links its columns.
func (t *table) arrange(q Query) table {
	for i := range t.Columns {
		c := &t.Columns[i]
		if sortable(t.ID) {
			c.Link = q.link(t.ID, i+1)
		}
		c.Numeric = len(t.Rows) > 0 && len(t.Rows[0][i].Class) > 0 && t.Rows[0][i].Class[0] == 'n'
		if q.sort.table == t.ID && q.sort.column == i+1 {
			c.Sorted = map[bool]string{false: "▲", true: "▼"}[q.sort.descending]
		}
	}
	if i := q.sort.column - 1; q.sort.table == t.ID && i < len(t.Columns) {
		slices.SortStableFunc(t.Rows, func(a, b []cell) int {
			n := cmp.Or(cmp.Compare(a[i].number, b[i].number), cmp.Compare(a[i].Text, b[i].Text))
			if q.sort.descending {
				return -n
			}
			return n
		})
	}
	return *t
}

// tables returns the tables of the page.
func (s *Snapshot) tables(q Query) []table {
	list := []*table{s.loginTable(), s.serverTable(), s.passdbTable(), s.redisTable(), s.throttleTable(), s.listenerTable(), s.recentTable()}
	var shown []table
	for _, t := range list {
		if len(t.Rows) > 0 || t.None != "" {
			shown = append(shown, t.arrange(q))
		}
	}
	return shown
}

func (s *Snapshot) loginTable() *table {
	t := &table{ID: "logins", Title: "Logins",
		Columns: columns("last", "logins", "ok", "reject", "tempfail", "median", "p95", "max", "reasons")}
	for i := range s.Logins {
		p := &s.Logins[i]
		t.Rows = append(t.Rows, []cell{text(p.Name), number(p.Total), number(p.OK), number(p.Reject), number(p.TempFail).marked("bad", p.TempFail > 0),
			duration(p.Median), duration(p.P95), duration(p.Max), {Text: p.why(), Class: "long"}})
	}
	return t
}

func (s *Snapshot) serverTable() *table {
	t := &table{ID: "servers", Title: "Mail servers", None: "no servers",
		Columns: columns("server", "protocol", "state", "since", "response time", "certificate", "connections", "waiting", "last error")}
	for i := range s.Servers {
		v := &s.Servers[i]
		t.Rows = append(t.Rows, append([]cell{text(v.Name), text(v.Protocol)}, v.cells()...))
	}
	return t
}

func (s *Snapshot) passdbTable() *table {
	t := &table{ID: "passdbs", Title: "Passdbs",
		Columns: columns("passdb", "driver", "state", "since", "response time", "certificate", "connections", "waiting", "last error")}
	for i := range s.Passdbs {
		v := &s.Passdbs[i]
		t.Rows = append(t.Rows, append([]cell{text(v.Name), text(v.Driver)}, v.cells()...))
	}
	return t
}

// warnDays is the number of days before the end of a certificate from which the page marks it.
const warnDays = 14

func (v *Server) cells() []cell {
	state := text(v.state()).marked("good", v.mark() == good).marked("bad", v.mark() == bad)
	if v.SetAside > 0 {
		state.Text += fmt.Sprintf(", servers set aside %d", v.SetAside)
	}
	days := cell{Class: "n"}
	if v.Days != nil {
		days = number(*v.Days).marked("bad", *v.Days < warnDays)
		days.Text = inDays(*v.Days)
	}
	used := number(v.Slots.InUse)
	used.Text = fmt.Sprintf("%d of %d", v.Slots.InUse, v.Slots.Max)
	failed := cell{}
	if v.LastError != "" {
		failed = cell{Text: short(v.LastErrorAt) + ": " + authlog.Escape(v.LastError), Class: "long", number: float64(v.LastErrorAt)}
	}
	return []cell{state, instant(v.Since), duration(v.ResponseTime), days, used, number(v.Slots.Waiting).marked("bad", v.Slots.Waiting > 0), failed}
}

func (s *Snapshot) redisTable() *table {
	t := &table{ID: "redis", Title: "Redis", Columns: columns("state", "since", "round trips", "unsent", "dropped", "last error")}
	if r := s.Redis; r != nil {
		state := text(stateOf(r.Up)).marked("good", r.Up).marked("bad", !r.Up)
		failed := cell{Text: authlog.Escape(r.LastError), Class: "long"}
		t.Rows = append(t.Rows, []cell{state, instant(r.Since), number(int(r.RoundTrips)), number(r.Unsent), number(r.Dropped).marked("bad", r.Dropped > 0), failed})
	}
	return t
}

func (s *Snapshot) throttleTable() *table {
	t := &table{ID: "throttle", Title: "Held back by the throttle", Columns: columns("counter", "of", "failures", "limit", "next login in")}
	for _, h := range s.Throttle {
		count := number(int(h.Count + 0.5))
		t.Rows = append(t.Rows, []cell{text(h.Counter), text(h.Name), count, number(h.Limit), duration(h.Wait)})
	}
	return t
}

func (s *Snapshot) listenerTable() *table {
	t := &table{ID: "listeners", Title: "Listeners",
		Columns: columns("socket", "connections", "accepted conn", "refused", "evicted", "requests", "listen queue")}
	for _, l := range s.Listeners {
		t.Rows = append(t.Rows, []cell{text(l.Name), number(l.Connections), number(l.AcceptedConn), number(l.Refused).marked("bad", l.Refused > 0),
			number(l.Evicted), number(l.Requests), number(l.Queue).marked("bad", l.Queue > 0)})
	}
	return t
}

func (s *Snapshot) recentTable() *table {
	t := &table{ID: "recent", Title: "Last logins that failed",
		Columns: columns("time", "user", "client", "by", "outcome", "server", "took", "error")}
	if s.Full {
		t.None = "none"
	}
	for i := range s.Recent {
		f := &s.Recent[i]
		failed := text(f.Error)
		failed.Class = "long"
		t.Rows = append(t.Rows, []cell{instant(f.Time), text(f.User), text(f.Client), text(f.Protocol + " " + f.Method), text(f.why()),
			text(f.Server), duration(f.Took), failed})
	}
	return t
}
