package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// benchRows is the number of mailboxes among which the benchmarks look for one.
const benchRows = 1_000_000

// BenchmarkFind compares Find with the driver alone, on one connection each. They take turns, because the time of an
// answer changes with what else the machine does. It measures several Finds at once as well.
func BenchmarkFind(b *testing.B) {
	for _, driver := range Drivers() {
		s := servers[driver](b)
		s.fill(b)
		var n names
		b.Run(driver, func(b *testing.B) {
			d, ask := s.db(b, func(c *Config) { c.MaxConnections = 1 }), bare(b, s)
			var ours, theirs time.Duration
			for b.Loop() {
				begin := time.Now()
				find(b, d, n.next())
				middle := time.Now()
				if err := ask(n.next()); err != nil {
					b.Fatal(err)
				}
				ours, theirs = ours+middle.Sub(begin), theirs+time.Since(middle)
			}
			b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N), "ns/Find")
			b.ReportMetric(float64(theirs.Nanoseconds())/float64(b.N), "ns/bare")
			b.ReportMetric(float64(ours)/float64(theirs), "Find/bare")
		})
		b.Run(driver+"/parallel", func(b *testing.B) {
			d := s.db(b, nil)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					find(b, d, n.next())
				}
			})
		})
	}
}

// names yields the mailboxes in turn, so that no lookup finds what one before has brought into the server's memory.
// Those that follow each other are far apart in the table.
type names struct{ last atomic.Int64 }

func (n *names) next() string { return fmt.Sprintf("user%d@x.org", n.last.Add(1)*7919%benchRows) }

// fill makes the mailboxes in the server. Queries are not logged from now on.
func (s *server) fill(b *testing.B) {
	b.Helper()
	s.table(b)
	const insert = "INSERT INTO mailbox (username, password) SELECT concat('user', %s, '@x.org'), 'secret' FROM %s"
	index := "CREATE INDEX mailbox_username ON mailbox (username)"
	switch s.driver {
	case "pgsql":
		s.exec(b, "ALTER ROLE mailauthd SET log_statement = 'none'",
			fmt.Sprintf(insert, "i", fmt.Sprintf("generate_series(0, %d) AS i", benchRows-1)), index, "ANALYZE mailbox")
	case "mysql":
		s.exec(b, "SET GLOBAL general_log = 0",
			fmt.Sprintf(insert, "seq", fmt.Sprintf("seq_0_to_%d", benchRows-1)), index, "ANALYZE TABLE mailbox")
	}
}

// bare returns a function that reads the fields of a mailbox with the driver only.
func bare(b *testing.B, s *server) func(name string) error {
	b.Helper()
	const fields = "SELECT name, password, allow_nets, nologin, reason, host, destuser, pass FROM mailbox WHERE username = "
	query, ctx := fields+s.placeholder(1), context.Background()
	if s.driver == "pgsql" {
		conn, err := pgx.Connect(ctx, s.dsn(s.port))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { conn.Close(ctx) })
		return func(name string) error {
			var f [8]*string
			return conn.QueryRow(ctx, query, name).Scan(&f[0], &f[1], &f[2], &f[3], &f[4], &f[5], &f[6], &f[7])
		}
	}
	db, err := sql.Open("mysql", s.dsn(s.port))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	stmt, err := db.Prepare(query)
	if err != nil {
		b.Fatal(err)
	}
	return func(name string) error {
		var f [8]sql.NullString
		return stmt.QueryRow(name).Scan(&f[0], &f[1], &f[2], &f[3], &f[4], &f[5], &f[6], &f[7])
	}
}
