package sqldb

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mailauthd/internal/dovecot"
)

// result is what a query returned.
type result struct {
	columns []string // in lower case
	rows    []dovecot.Row
}

func newResult(columns []string) *result {
	r := &result{columns: make([]string, len(columns))}
	for i, c := range columns {
		r.columns[i] = strings.ToLower(c)
	}
	return r
}

// add adds a row. The function value returns the values of the columns, and reports whether they are not NULL.
func (r *result) add(value func(i int) (string, bool)) {
	row := make(dovecot.Row, len(r.columns))
	for i, c := range r.columns {
		if v, ok := value(i); ok {
			row[c] = v
		}
	}
	r.rows = append(r.rows, row)
}

// hasUser reports whether the first row has the user's name.
func (r *result) hasUser() bool {
	return r.rows[0]["user"] != "" || r.rows[0]["username"] != ""
}

// check returns an error if the rows cannot be those of a user. As in Dovecot, a query without a password is a mistake.
func (r *result) check() error {
	for i, c := range r.columns {
		if slices.Contains(r.columns[:i], c) {
			return fmt.Errorf("the query returns two columns named %q: want one", c)
		}
	}
	if !slices.Contains(r.columns, "password") && !slices.Contains(r.columns, "password_noscheme") {
		return errors.New(`the query returns no column named "password": want SELECT … AS password`)
	}
	for _, row := range r.rows {
		for _, c := range r.columns {
			if len(row[c]) > MaxValue {
				return fmt.Errorf("field %s: longer than %d bytes", c, MaxValue)
			}
		}
	}
	return nil
}
