package main

import (
	"os"
	"runtime/debug"
)

// The garbage that the collector lets pile up is collectPercent of the ballast and of what is in use.
const (
	ballastSize    = 28 << 20
	collectPercent = 50
)

// setCollector returns memory that is never touched, and so takes no room, but that the
// collector counts: next to the few MiB in use here, the 64 KiB that net/http/fcgi leaves of each
// login would start it a thousand times a second. The share is smaller than Go's own, for with
// all connections busy net/http/fcgi has 32 MiB in use. GOGC, if set, is the administrator's word on that.
func setCollector() (ballast []byte) {
	if _, set := os.LookupEnv("GOGC"); set {
		return nil
	}
	debug.SetGCPercent(collectPercent)
	return make([]byte, ballastSize)
}
