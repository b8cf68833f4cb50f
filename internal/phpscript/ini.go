package phpscript

import "strings"

// ZoneOfINI returns date.timezone of a php.ini, and its line. As in PHP the last one counts.
func ZoneOfINI(text string) (zone string, line int) {
	n := 0
	for s := range strings.Lines(text) {
		n++
		key, value, ok := strings.Cut(strings.TrimSpace(s), "=")
		if !ok || strings.TrimSpace(key) != "date.timezone" {
			continue
		}
		value, _, _ = strings.Cut(value, ";")
		if value = strings.Trim(strings.TrimSpace(value), `"'`); value != "" {
			zone, line = value, n
		}
	}
	return zone, line
}
