package e2e

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// maxExposure is what systemd-analyze says of the service's sandbox: the less, the better.
const maxExposure = 1.6

func TestUnitsAreClean(t *testing.T) {
	t.Parallel()
	analyze, dir := program(t, "systemd-analyze"), tempDir(t)
	var units []string
	for _, name := range []string{"mailauthd.service", "mailauthd.socket", "mailauthd-http.socket"} {
		text := strings.ReplaceAll(contrib(t, "systemd/"+name), "/usr/local/bin/mailauthd", binary)
		units = append(units, writeFile(t, dir, name, text))
	}
	out, err := exec.Command(analyze, append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err = exec.Command(analyze, "security", "--offline=true", filepath.Join(dir, "mailauthd.service")).CombinedOutput()
	found := regexp.MustCompile(`Overall exposure level for mailauthd.service: ([0-9.]+)`).FindSubmatch(out)
	if err != nil || found == nil {
		t.Fatalf("systemd-analyze security: %v\n%s", err, out)
	}
	if level, _ := strconv.ParseFloat(string(found[1]), 64); level > maxExposure {
		t.Errorf("exposure level %v, want at most %v", level, maxExposure)
	}
}
