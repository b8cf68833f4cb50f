package main

import "os"

// ballastSize is how much garbage the collector lets pile up at least.
const ballastSize = 12 << 20

// newBallast makes memory that is never touched, and so takes no room, but that the
// collector counts: it waits for as much garbage as there is memory in use, and next to
// the few MiB in use here the 64 KiB that net/http/fcgi leaves of each login would start it
// a thousand times a second. GOGC, if set, is the administrator's word on that.
func newBallast() []byte {
	if _, set := os.LookupEnv("GOGC"); set {
		return nil
	}
	return make([]byte, ballastSize)
}
