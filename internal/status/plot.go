package status

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// PlotMinutes is how many minutes the picture has.
const PlotMinutes = 180

// plotHeight is the height of the picture in its own units. A minute is one unit wide.
const plotHeight = 100

// plot is the picture: the outcomes of each minute stacked, and the 95th percentile of the times as a line.
type plot struct {
	Width, Height        int
	Before               int    // minutes before the process began
	Bars                 []bar  // by outcome, the lowest first
	Line                 string // path data
	Tips                 []tip  // one for each minute
	MostLogins, MostTime string // at the upper end of the two scales
	HalfLogins, HalfTime string
	Hours                []string // along the time scale, evenly spaced
}

// bar is the part of all bars that an outcome has.
type bar struct{ Class, Path string }

// tip is what the page shows of the minute below the pointer.
type tip struct {
	X    int
	Text string
}

// newPlot draws the minutes.
func (s *Snapshot) newPlot() plot {
	p := plot{Width: len(s.Minutes), Height: plotHeight}
	most, slowest := uint32(0), 0.0
	for _, m := range s.Minutes {
		most, slowest = max(most, m.OK+m.Reject+m.TempFail), max(slowest, m.P95)
		if m.Time+60 <= s.StartTime {
			p.Before++
		}
	}
	logins, seconds := math.Max(2, niceTop(float64(most))), niceTop(slowest)
	p.MostLogins, p.HalfLogins = compact(logins), compact(logins/2)
	p.MostTime, p.HalfTime = axisTime(seconds), axisTime(seconds/2)
	p.draw(s.Minutes, plotHeight/logins, plotHeight/seconds)
	for i := 0; i <= 6 && len(s.Minutes) > 0; i++ {
		m := s.Minutes[i*(len(s.Minutes)-1)/6]
		p.Hours = append(p.Hours, time.Unix(m.Time, 0).Format("15:04"))
	}
	return p
}

// draw makes the paths. Each scale is the units of the picture for one login, and for one second.
func (p *plot) draw(minutes []Minute, perLogin, perSecond float64) {
	var paths [3]strings.Builder
	var line strings.Builder
	move := "M"
	for x, m := range minutes {
		base := float64(plotHeight)
		for i, n := range []uint32{m.OK, m.Reject, m.TempFail} {
			if n == 0 {
				continue
			}
			h := math.Max(float64(n)*perLogin, 0.5) // so that a single failure is seen
			fmt.Fprintf(&paths[i], "M%d %sv-%sh1v%sz", x, coordinate(base), coordinate(h), coordinate(h))
			base -= h
		}
		if m.P95 == 0 {
			move = "M"
			continue
		}
		y := coordinate(plotHeight - m.P95*perSecond)
		fmt.Fprintf(&line, "%s%d %sh1", move, x, y)
		move = "L"
	}
	for x, m := range minutes {
		p.Tips = append(p.Tips, tip{x, m.describe()})
	}
	for i, class := range []string{"ok", "reject", "tempfail"} {
		p.Bars = append(p.Bars, bar{class, paths[i].String()})
	}
	p.Line = line.String()
}

func (m *Minute) describe() string {
	text := fmt.Sprintf("%s: ok %d, reject %d, tempfail %d", time.Unix(m.Time, 0).Format("15:04"), m.OK, m.Reject, m.TempFail)
	if m.P95 > 0 {
		text += ", p95 " + took(m.P95)
	}
	return text
}

func coordinate(f float64) string { return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64) }

// niceTop returns the end of a scale: 1, 2 or 5 times a power of ten that is not less.
func niceTop(n float64) float64 {
	if n <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(n)))
	for _, factor := range []float64{1, 2, 5} {
		if n <= factor*unit {
			return factor * unit
		}
	}
	return 10 * unit
}

// compact writes a number for a scale, such as 500k.
func compact(n float64) string {
	switch {
	case n >= 1e6:
		return strconv.FormatFloat(n/1e6, 'f', -1, 64) + "M"
	case n >= 1e4:
		return strconv.FormatFloat(n/1e3, 'f', -1, 64) + "k"
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// axisTime writes seconds for a scale, such as 50 ms.
func axisTime(seconds float64) string {
	switch {
	case seconds < 0.001:
		return strconv.FormatFloat(math.Round(seconds*1e7)/10, 'f', -1, 64) + " µs"
	case seconds < 1:
		return strconv.FormatFloat(math.Round(seconds*1e4)/10, 'f', -1, 64) + " ms"
	}
	return strconv.FormatFloat(math.Round(seconds*10)/10, 'f', -1, 64) + " s"
}
