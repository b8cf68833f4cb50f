package house

import (
	"os/exec"
	"path/filepath"
	"testing"

	"mailauthd/internal/testprogram"
)

// The shell reads each script, and shellcheck has no objection.
func TestScripts(t *testing.T) {
	var scripts []string
	for _, pattern := range []string{".ci/*", "contrib/freebsd/*", "contrib/openrc/*", "contrib/packages/[bt]*", "contrib/packages/deb/*",
		"contrib/packages/rpm/*", "contrib/packages/archlinux/*"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Errorf("no scripts %s: %v", pattern, err)
		}
		scripts = append(scripts, found...)
	}
	for _, script := range scripts {
		if out, err := exec.Command("sh", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("sh -n %s: %v\n%s", script, err, out)
		}
	}
	check := testprogram.Find(t, "shellcheck")
	if out, err := exec.Command(check, append([]string{"-s", "sh"}, scripts...)...).CombinedOutput(); err != nil {
		t.Errorf("shellcheck: %v\n%s", err, out)
	}
}
