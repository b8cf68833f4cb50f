package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

func (r *guessRun) measure(t *testing.T, s site, d *daemon) {
	t.Helper()
	_, r.peak = memory(t, d.process)
	m := metrics(t, s)
	r.hashes = m["mailauthd_hashes_total"]
	for name, value := range m {
		switch {
		case strings.Contains(name, `reason="policy"`):
			r.policy += value
		case strings.Contains(name, `reason="password_mismatch"`):
			r.mismatches += value
		}
	}
}

// check checks that each guess was answered, and that few of them needed a hash.
func (r *guessRun) check(t *testing.T) {
	t.Helper()
	if n := r.rejected.Load() + r.tempFailed.Load(); n != int64(r.guesses) {
		t.Errorf("%d of %d guesses were answered", n, r.guesses)
	}
	if most := min(float64(r.users*hashesPerUser), fewHashes*float64(r.guesses)); r.mismatches > most || r.hashes > most+float64(r.honest()) {
		t.Errorf("%.0f hashes, %d of them honest, more than %.0f for guesses", r.hashes, r.honest(), most)
	}
	if most := float64(guessMemory + guessHashes*hashMemory*64); r.peak > most {
		t.Errorf("mailauthd took %.0f MiB, more than %.0f", r.peak, most)
	}
	for i, h := range honestUsers {
		usual, slow := median(r.before[i]), median(r.meanwhile[i])
		if slow > honestFactor*max(usual, slowestUsual) {
			t.Errorf("an honest login from %s took %v, and %v under attack", h.address, usual, slow)
		}
	}
}

// honest returns the number of honest logins. Each needs at most one hash.
func (r *guessRun) honest() int {
	n := r.awayGood
	for i := range honestUsers {
		n += len(r.before[i]) + len(r.meanwhile[i])
	}
	return n
}

func printGuesses(runs []*guessRun) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, cell func(r *guessRun) string) {
		fmt.Fprint(w, name, "\t")
		for _, r := range runs {
			fmt.Fprint(w, cell(r), "\t")
		}
		fmt.Fprintln(w)
	}
	number := func(f func(r *guessRun) float64) func(r *guessRun) string {
		return func(r *guessRun) string { return fmt.Sprintf("%.0f", f(r)) }
	}
	row("argon2id", func(r *guessRun) string { return r.hash.name })
	row("guesses", number(func(r *guessRun) float64 { return float64(r.guesses) }))
	row("answers per second", number(func(r *guessRun) float64 { return float64(r.rejected.Load()+r.tempFailed.Load()) / r.took.Seconds() }))
	row("rejected by the throttle", number(func(r *guessRun) float64 { return r.policy }))
	row("hashed", number(func(r *guessRun) float64 { return r.mismatches }))
	row("temporary failures", number(func(r *guessRun) float64 { return float64(r.tempFailed.Load()) }))
	row("hashes, honest ones too", number(func(r *guessRun) float64 { return r.hashes }))
	row("MiB at the peak", number(func(r *guessRun) float64 { return r.peak }))
	for i, name := range []string{"from a known network", "from a trusted network"} {
		row("honest "+name+", before", func(r *guessRun) string { return spread(r.before[i]) })
		row("meanwhile", func(r *guessRun) string { return spread(r.meanwhile[i]) })
	}
	row("from a new one, good or temporary failure", func(r *guessRun) string {
		return fmt.Sprintf("%d, %d", r.awayGood, r.awayTempFailed)
	})
	w.Flush()
}

// spread returns the median and the 99th percentile.
func spread(times []time.Duration) string {
	if len(times) == 0 {
		return "none"
	}
	sorted := slices.Sorted(slices.Values(times))
	return fmt.Sprintf("%d: %.0f ms, p99 %.0f ms", len(times),
		float64(median(times).Microseconds())/1000, float64(sorted[len(sorted)*99/100].Microseconds())/1000)
}
