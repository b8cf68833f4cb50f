package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"mailauthd/internal/auth"
	"mailauthd/internal/authlog"
	"mailauthd/internal/ldapdb"
	"mailauthd/internal/sqldb"
)

// checkPassdbs connects to each passdb, and prints what becomes of its columns or attributes. It reports whether all
// work.
func (c *call) checkPassdbs(passdbs []*auth.Passdb, ends *ends) bool {
	ok := true
	for _, p := range passdbs {
		fmt.Fprintln(c.stdout)
		switch db := p.Directory.(type) {
		case *sqldb.DB:
			ok = c.checkSQL(p.Name, db) && ok
		case *ldapdb.DB:
			ok = c.checkLDAP(p.Name, db, ends) && ok
		}
	}
	return ok
}

func (c *call) checkSQL(name string, db *sqldb.DB) bool {
	columns, err := db.Columns(context.Background())
	if err != nil {
		fmt.Fprintf(c.stdout, "passdb %s: %s\n", name, authlog.Escape(err.Error()))
		return false
	}
	fmt.Fprintf(c.stdout, "passdb %s: OK\n", name)
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "COLUMN\tMEANING")
	for _, column := range columns {
		fmt.Fprintf(w, "%s\t%s\n", authlog.Escape(column.Name), column.Meaning)
	}
	w.Flush()
	return true
}

func (c *call) checkLDAP(name string, db *ldapdb.DB, ends *ends) bool {
	ok := true
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "passdb %s\tTLS\tCERTIFICATE ENDS\tUNKNOWN ATTRIBUTES\tRESULT\n", name)
	for _, r := range db.Probe(context.Background()) {
		ends.check(fmt.Sprintf("passdb %q, %s", name, r.URI), r.NotAfter)
		until, result := "-", "OK"
		if !r.NotAfter.IsZero() {
			until = r.NotAfter.Format(time.DateOnly)
		}
		if r.Err != nil {
			result, ok = authlog.Escape(r.Err.Error()), false
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.URI, orDash(r.TLS), until, orDash(authlog.Escape(strings.Join(r.Unknown, " "))), result)
	}
	w.Flush()
	return ok
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
