package status

import (
	"errors"
	"strconv"
	"strings"
)

// Formats of the status page.
const (
	Text = "text"
	JSON = "json"
	HTML = "html"
)

// Query is what a request for the status page asks for.
type Query struct {
	Format string
	Full   bool
	sort   order
}

// order is how one of the tables is sorted.
type order struct {
	table      string // empty: none is
	column     int    // from 1
	descending bool
}

var errQuery = errors.New("unknown query: want /status, ?json or ?html, and &full for all figures")

// ParseQuery reads the query string of a request, such as "html&full". The words are those of PHP-FPM. The page adds a
// third one, such as "sort=servers.-3" for the third column in descending order.
func ParseQuery(raw string) (Query, error) {
	q := Query{Format: Text}
	if raw == "" {
		return q, nil
	}
	for word := range strings.SplitSeq(raw, "&") {
		sort, sorted := strings.CutPrefix(word, "sort=")
		switch {
		case (word == JSON || word == HTML) && q.Format == Text:
			q.Format = word
		case word == "full" && !q.Full:
			q.Full = true
		case sorted && q.sort.table == "":
			table, column, _ := strings.Cut(sort, ".")
			n, err := strconv.ParseInt(column, 10, 8)
			if err != nil || n == 0 || !sortable(table) {
				return Query{}, errQuery
			}
			q.sort = order{table, int(max(n, -n)), n < 0}
		default:
			return Query{}, errQuery
		}
	}
	if q.sort.table != "" && q.Format != HTML {
		return Query{}, errQuery
	}
	return q, nil
}

// link returns the query that sorts a table by a column: in descending order if it is sorted by that column already.
func (q Query) link(table string, column int) string {
	link := "?" + HTML
	if q.Full {
		link += "&full"
	}
	if q.sort == (order{table: table, column: column}) {
		column = -column
	}
	return link + "&sort=" + table + "." + strconv.Itoa(column)
}
