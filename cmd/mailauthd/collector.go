package main

import (
	"os"
	"runtime/debug"
)

// The garbage collector runs when garbage has reached collectPercent of the ballast and of the memory in use.
const (
	ballastSize    = 28 << 20
	collectPercent = 50
)

// setCollector makes the garbage collector run less often. net/http/fcgi leaves 64 KiB of garbage for
// each login. Compared with the few MiB in use here, that would start the collector a thousand times a
// second. So setCollector returns a ballast: memory that the collector counts, but that is never touched
// and therefore takes no RAM. The percentage is smaller than Go's default because net/http/fcgi has
// 32 MiB in use when all connections are busy. If the administrator has set GOGC, that counts instead.
func setCollector() (ballast []byte) {
	if _, set := os.LookupEnv("GOGC"); set {
		return nil
	}
	debug.SetGCPercent(collectPercent)
	return make([]byte, ballastSize)
}
