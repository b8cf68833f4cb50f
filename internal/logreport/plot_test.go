package logreport

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBuckets(t *testing.T) {
	for _, tt := range []struct {
		name    string
		minutes []int
		most    int
		step    time.Duration
		counts  []int
	}{
		{"one", []int{0}, 10, time.Minute, []int{1}},
		{"minutes", []int{0, 1, 1, 3}, 10, time.Minute, []int{1, 2, 0, 1}},
		{"fewer columns", []int{0, 1, 1, 3}, 3, 2 * time.Minute, []int{3, 1}},
		{"out of order", []int{3, 1, 0, 1}, 3, 2 * time.Minute, []int{3, 1}},
		{"one column", []int{0, 12 * 60}, 1, 2 * 24 * time.Hour, []int{2}},
		{"years", []int{0, 3 * 365 * 24 * 60}, 2, 2 * 7 * 112 * 24 * time.Hour, []int{1, 1}},
		{"none", nil, 10, 0, nil},
	} {
		line := newTimeline(time.UTC)
		for _, m := range tt.minutes {
			line.add(noon.Add(time.Duration(m) * time.Minute))
		}
		list, step := line.Buckets(tt.most)
		var counts []int
		sum := 0
		for _, b := range list {
			counts = append(counts, b.Count)
			sum += b.Count
		}
		if len(list) > tt.most || sum != len(tt.minutes) {
			t.Errorf("%s: %d columns with %d events", tt.name, len(list), sum)
		}
		if tt.name == "years" || tt.name == "one column" {
			continue // the steps begin in 1970
		}
		if step != tt.step || !slices.Equal(counts, tt.counts) {
			t.Errorf("%s: %v in steps of %v, want %v in %v", tt.name, counts, step, tt.counts, tt.step)
		}
	}
}

// Many minutes become hours, many hours days, and many days longer steps. No event is lost.
func TestTimelineLimit(t *testing.T) {
	line := newTimeline(time.UTC)
	line.limit = 10
	for i := range 5000 {
		line.add(noon.Add(time.Duration(i) * 9 * time.Minute))
		if len(line.counts) > line.limit {
			t.Fatalf("%d steps", len(line.counts))
		}
	}
	sum := 0
	for _, n := range line.counts {
		sum += n
	}
	if sum != 5000 || line.step != 28*day {
		t.Errorf("%d events in steps of %d s", sum, line.step)
	}
}

// The days of a plot are those of the log's time zone.
func TestTimelineZone(t *testing.T) {
	line := newTimeline(time.FixedZone("east", 3*3600))
	line.step = day
	line.add(time.Date(2026, 11, 28, 22, 0, 0, 0, time.UTC))
	if list, _ := line.Buckets(1); list[0].From != "2026-11-29T00:00" {
		t.Errorf("begins at %s", list[0].From)
	}
}

func plotOf(s Style, minutes ...int) string {
	line := newTimeline(time.UTC)
	for _, m := range minutes {
		line.add(noon.Add(time.Duration(m) * time.Minute))
	}
	var b strings.Builder
	line.Write(&b, "failed logins", s)
	return b.String()
}

func TestPlot(t *testing.T) {
	minutes := []int{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 3}
	want := `failed logins, 1 minute a column
 8 │█
   │█
   │█
   │█
   │██
   │██
   │██
   │██ █
 0 └────
    2026-11-28 12:00 to 2026-11-28 12:03
`
	if got := plotOf(Style{Width: 80}, minutes...); got != want {
		t.Errorf("plot:\n%s\nwant:\n%s", got, want)
	}
	ascii := strings.NewReplacer("│", "|", "└", "+", "─", "-", "█", "#").Replace(want)
	if got := plotOf(Style{Width: 80, ASCII: true}, minutes...); got != ascii {
		t.Errorf("plot:\n%s\nwant:\n%s", got, ascii)
	}
	color := plotOf(Style{Width: 80, Color: true}, minutes...)
	if plain := strings.NewReplacer("\x1b[31m", "", "\x1b[0m", "").Replace(color); plain != want || plain == color {
		t.Errorf("in color: %q", color)
	}
	if got := plotOf(Style{Width: 80}); got != "" {
		t.Errorf("without failures: %q", got)
	}
}

// No line is wider than the terminal, and the least count can be seen.
func TestPlotWidth(t *testing.T) {
	minutes := make([]int, 5000)
	for i := range minutes[:2500] {
		minutes[i] = 1 + i
	}
	for _, width := range []int{0, 1, 20, 40, 80, 200} {
		got := plotOf(Style{Width: width}, minutes...)
		for line := range strings.Lines(got) {
			if n := len([]rune(line)) - 1; n > max(width, 60) {
				t.Errorf("width %d: %d columns: %s", width, n, line)
			}
		}
	}
	if got := plotOf(Style{Width: 80}, append(make([]int, 1000), 1)...); !strings.Contains(got, "█▁") {
		t.Errorf("one of 1001 cannot be seen:\n%s", got)
	}
}
