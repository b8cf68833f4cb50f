package migrate

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// writeLog writes at least size bytes of a log: ten requests a second of 50,000 users, of which one in ten is refused.
func writeLog(w io.Writer, size int) error {
	r := rand.New(rand.NewPCG(1, 2))
	out := bufio.NewWriter(w)
	for start, n := int64(0), 0; n < size; start += 1e6 {
		var second []request
		for range 10 {
			u := r.IntN(50_000)
			q := request{start: start + r.Int64N(1e6), user: fmt.Sprintf("user%d@domain%d.com", u, u%3+1), protocol: "imap",
				ip: fmt.Sprintf("192.0.2.%d", u%3+1), reply: okIMAP}
			if u%2 == 0 {
				q.protocol, q.reply = "pop3", okPOP3
			}
			if r.IntN(10) > 0 {
				q.took = []int64{5_000 + r.Int64N(30_000), 5_000 + r.Int64N(30_000)}
			}
			second = append(second, q)
		}
		k, err := out.WriteString(oldLog(second...))
		if n += k; err != nil {
			return err
		}
	}
	return out.Flush()
}

const benchConfig = `
[listen]
http = ["127.0.0.1:1"]
[servers.s1]
host = "192.0.2.1"
[servers.s2]
host = "192.0.2.2"
[domains."domain1.com"]
servers = ["s1"]
[domains."domain2.com"]
servers = ["s2"]
`

// BenchmarkReplay reads a log and decides its logins. The whole process must stay below 100 MiB.
func BenchmarkReplay(b *testing.B) {
	const size = 64 << 20
	path := filepath.Join(b.TempDir(), "auth.log")
	f, err := os.Create(path)
	if err == nil {
		err = writeLog(f, size)
	}
	if err != nil {
		b.Fatal(err)
	}
	c := load(b, benchConfig)
	runtime.GC()
	b.SetBytes(size)
	for b.Loop() {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			b.Fatal(err)
		}
		l := NewLog(time.Time{}, time.UTC)
		if err := l.Read(f); err != nil {
			b.Fatal(err)
		}
		if r := l.Report(c); r.LetIn.Users < 1000 {
			b.Fatalf("%+v", r)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapSys-m.HeapReleased)/(1<<20), "heap-MiB")
}
