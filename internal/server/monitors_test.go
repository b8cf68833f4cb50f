package server

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mailauthd/internal/testprogram"
)

const (
	dashboard = "../../contrib/grafana/mailauthd.json"
	alerts    = "../../contrib/prometheus"
)

// notShown has the metrics that the dashboard leaves out, and why.
var notShown = map[string]string{
	"mailauthd_shadow_requests_total":          "only while a site compares with its old script",
	"mailauthd_shadow_differences_total":       "the same",
	"mailauthd_shadow_skipped_total":           "the same",
	"mailauthd_shadow_script_duration_seconds": "the same",
}

var metricName = regexp.MustCompile(`\bmailauthd_\w+`)

// metricsIn returns the metrics that an expression names.
func metricsIn(expression string) (names []string) {
	for _, name := range metricName.FindAllString(expression, -1) {
		names = append(names, strings.TrimSuffix(name, "_bucket")) // of a histogram
	}
	return names
}

// The dashboard names metrics that exist, and shows each that is not left out on purpose.
func TestDashboardHasEveryMetric(t *testing.T) {
	data, err := os.ReadFile(dashboard)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		UID    string
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &d); err != nil || d.UID == "" {
		t.Fatalf("%s: %v", dashboard, err)
	}
	metrics, shown := registered(t), make(map[string]bool)
	for _, p := range d.Panels {
		if g := p.GridPos; g.X+g.W > 24 || g.W == 0 || g.H == 0 {
			t.Errorf("panel %q does not fit: %+v", p.Title, g)
		}
		for _, target := range p.Targets {
			for _, name := range metricsIn(target.Expr) {
				if _, ok := metrics[name]; !ok {
					t.Errorf("panel %q: there is no metric %s", p.Title, name)
				}
				shown[name] = true
			}
		}
	}
	for name := range metrics {
		if _, left := notShown[name]; left == shown[name] {
			t.Errorf("the dashboard has %s: %t, and left out: %t", name, shown[name], left)
		}
	}
}

// The alerts name metrics that exist.
func TestAlertsNameMetrics(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(alerts, "mailauthd.rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	names := metricsIn(string(data))
	metrics := registered(t)
	for _, name := range names {
		if _, ok := metrics[name]; !ok {
			t.Errorf("there is no metric %s", name)
		}
	}
	if len(names) < 10 {
		t.Errorf("only %d metrics", len(names))
	}
}

// The alerts go off when they should, and not otherwise.
func TestAlerts(t *testing.T) {
	if testing.Short() {
		t.Skip("starts promtool")
	}
	cmd := exec.CommandContext(t.Context(), testprogram.Find(t, "promtool"), "test", "rules", "mailauthd.rules.test.yml")
	cmd.Dir = alerts
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
