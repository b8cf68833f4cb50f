package tomledit

import (
	"fmt"
	"testing"
)

// BenchmarkSet edits the last of 20,000 users.
func BenchmarkSet(b *testing.B) {
	var tables []Table
	for i := range 20_000 {
		tables = append(tables, Table{[]string{"users", fmt.Sprintf("user%d@example.com", i)}, []KeyValue{{"password", `"{PLAIN}x"`}}})
	}
	doc, err := Append(nil, tables)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Set(doc, tables[len(tables)-1].Path, "password", `"{PLAIN}y"`); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N*len(tables)), "µs/table")
}
