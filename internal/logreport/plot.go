package logreport

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// plotHeight is the number of lines of the columns.
const plotHeight = 8

// A Style says what a terminal can show.
type Style struct {
	Width int  // columns of the terminal
	ASCII bool // only ASCII
	Color bool
}

// Write draws when the events were, with a title.
func (t *Timeline) Write(w io.Writer, title string, s Style) {
	label := 0
	for _, n := range t.counts {
		label += n // no column is higher
	}
	margin := len(fmt.Sprint(label)) + 2
	buckets, step := t.Buckets(max(s.Width-margin-1, 1))
	if len(buckets) == 0 {
		return
	}
	highest := 0
	for _, b := range buckets {
		highest = max(highest, b.Count)
	}
	fmt.Fprintf(w, "%s, %s a column\n", title, duration(step))
	for row := plotHeight - 1; row >= 0; row-- {
		name := ""
		if row == plotHeight-1 {
			name = fmt.Sprint(highest)
		}
		fmt.Fprintf(w, "%*s %s%s\n", margin-2, name, s.pick("│", "|"), s.paint(s.cells(buckets, row, highest)))
	}
	fmt.Fprintf(w, "%*s %s%s\n", margin-2, "0", s.pick("└", "+"), strings.Repeat(s.pick("─", "-"), len(buckets)))
	writeDates(w, buckets, margin)
}

// writeDates writes the times of the first and the last column below them.
func writeDates(w io.Writer, buckets []Bucket, margin int) {
	first, last := buckets[0].From, buckets[len(buckets)-1].From
	gap := len(buckets) - len(first) - len(last)
	text := strings.Repeat(" ", margin) + first
	switch {
	case len(buckets) == 1:
	case gap >= 1:
		text += strings.Repeat(" ", gap) + last
	default:
		text += " to " + last
	}
	fmt.Fprintln(w, strings.ReplaceAll(text, "T", " "))
}

// cells returns what one line shows of the columns. A column that is not empty can be seen.
func (s Style) cells(buckets []Bucket, row, highest int) string {
	blocks := []rune(s.pick(" ▁▂▃▄▅▆▇█", " ...::::#"))
	full := len(blocks) - 1
	var b strings.Builder
	for _, bucket := range buckets {
		eighths := (bucket.Count*plotHeight*full + highest - 1) / highest
		b.WriteRune(blocks[min(max(eighths-row*full, 0), full)])
	}
	return strings.TrimRight(b.String(), " ")
}

func (s Style) pick(utf8, ascii string) string {
	if s.ASCII {
		return ascii
	}
	return utf8
}

func (s Style) paint(text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[31m" + text + "\x1b[0m"
}

// duration is a step in words.
func duration(step time.Duration) string {
	switch {
	case step >= 24*time.Hour:
		return plural(int(step/(24*time.Hour)), "day")
	case step >= time.Hour:
		return plural(int(step/time.Hour), "hour")
	}
	return plural(int(step/time.Minute), "minute")
}
