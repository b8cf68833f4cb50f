package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
)

// BenchmarkFind compares Find with the driver in a bare loop, on one connection each.
func BenchmarkFind(b *testing.B) {
	for _, driver := range Drivers() {
		s := servers[driver](b)
		s.table(b)
		for i := range 1000 {
			s.insert(b, fmt.Sprintf("user%d@x.org", i), "password", "secret")
		}
		s.exec(b, "CREATE INDEX mailbox_username ON mailbox (username)", map[string]string{"pgsql": "ANALYZE mailbox", "mysql": "ANALYZE TABLE mailbox"}[driver])
		b.Run(driver+"/Find", func(b *testing.B) {
			d := s.db(b, func(c *Config) { c.MaxConnections = 1 })
			for i := 0; b.Loop(); i++ {
				find(b, d, fmt.Sprintf("user%d@x.org", i%1000))
			}
		})
		b.Run(driver+"/bare", bareLoop(s))
		b.Run(driver+"/parallel", func(b *testing.B) {
			d := s.db(b, nil)
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					find(b, d, fmt.Sprintf("user%d@x.org", i%1000))
				}
			})
		})
	}
}

// bareLoop returns a benchmark that reads the fields with the driver only.
func bareLoop(s *server) func(b *testing.B) {
	const fields = "SELECT name, password, allow_nets, nologin, reason, host, destuser, pass FROM mailbox WHERE username = "
	query, ctx := fields+s.placeholder(1), context.Background()
	if s.driver == "pgsql" {
		return func(b *testing.B) {
			conn, err := pgx.Connect(ctx, s.dsn(s.port))
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close(ctx)
			for i := 0; b.Loop(); i++ {
				var f [8]*string
				row := conn.QueryRow(ctx, query, fmt.Sprintf("user%d@x.org", i%1000))
				if err := row.Scan(&f[0], &f[1], &f[2], &f[3], &f[4], &f[5], &f[6], &f[7]); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	return func(b *testing.B) {
		db, err := sql.Open("mysql", s.dsn(s.port))
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		stmt, err := db.Prepare(query)
		if err != nil {
			b.Fatal(err)
		}
		for i := 0; b.Loop(); i++ {
			var f [8]sql.NullString
			row := stmt.QueryRow(fmt.Sprintf("user%d@x.org", i%1000))
			if err := row.Scan(&f[0], &f[1], &f[2], &f[3], &f[4], &f[5], &f[6], &f[7]); err != nil {
				b.Fatal(err)
			}
		}
	}
}
