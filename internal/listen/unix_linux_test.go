package listen

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// withoutRoot runs f in a thread that has no rights of root over files.
func withoutRoot(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		f()
		return
	}
	runtime.LockOSThread()
	if err := errors.Join(syscall.Setfsgid(65534), syscall.Setfsuid(65534)); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(syscall.Setfsuid(0), syscall.Setfsgid(0)); err == nil {
			runtime.UnlockOSThread()
		}
	}()
	f()
}

func TestChownSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sock")
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755), os.WriteFile(path, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		o    Options
		want string
	}{
		{Options{Group: "54321"}, `add the lines "[Service]" and "SupplementaryGroups=54321"`},
		{Options{Owner: strconv.Itoa(os.Getuid()), Group: "54321"}, `run "systemctl edit mailauthd"`},
		{Options{Owner: "54321"}, "remove owner, or set it to the user that mailauthd runs as"},
	} {
		withoutRoot(t, func() {
			if err := tt.o.chown(path); !errors.Is(err, syscall.EPERM) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%+v: error %v, want %q", tt.o, err, tt.want)
			}
		})
	}
	if err := (Options{Group: "54321"}).chown(path + "2"); err == nil || strings.Contains(err.Error(), "systemctl") {
		t.Errorf("without the file: error %v", err)
	}
}
