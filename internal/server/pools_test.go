package server

import (
	"fmt"
	"testing"
)

// Warm connections belong to a configuration. A reload closes them, and so does Shutdown.
func TestPoolsOverReloads(t *testing.T) {
	slow := startSlowServer(t)
	slow.release()
	s := start(t, "[users.", slow.sections()+"[users.")
	kept := func(after string, want int32) {
		t.Helper()
		eventually(t, fmt.Sprintf("after %s %d connections are open", after, want), func() bool { return slow.open.Load() == want })
	}
	tim := login("tim@slow.example", password)
	s.want("unix", tim, "OK")
	kept("a login without warm", 0)
	for _, warm := range []int32{2, 2, 3} {
		s.reload("[users.", slow.sections()+fmt.Sprintf("[servers.slow.verify]\nwarm = %d\n[users.", warm))
		kept("a reload", 0)
		s.want("unix", tim, "OK")
		kept("a login", warm)
		s.want("http", tim, "OK")
		kept("another login", warm)
	}
	s.reload("[users.", slow.sections()+"[servers.slow.verify]\nwarm = 1\n[users.")
	s.want("unix", tim, "OK")
	kept("a login", 1)
	if err := s.Shutdown(); err != nil {
		t.Error(err)
	}
	kept("the end", 0)
}
