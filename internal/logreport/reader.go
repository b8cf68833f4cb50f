package logreport

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"mailauthd/internal/authlog"
	"mailauthd/internal/logfile"
)

// ErrNoEntry is the error of a file that has lines, but no entry of auth.log.
var ErrNoEntry = errors.New("no entry of mailauthd: want the file that [log] file names, or a rotated one")

// Reader reads logs, and counts what it cannot read.
type Reader struct {
	decoder *authlog.Decoder
	long    int
}

// Skipped counts what could not be read.
type Skipped struct {
	authlog.Skipped
	Long int `json:"long"` // lines of more than [authlog.MaxLine] bytes
}

// NewReader makes a Reader that calls take for each entry that was not before since. The times in the logs are those of zone.
func NewReader(since time.Time, zone *time.Location, take func(*authlog.Event)) *Reader {
	return &Reader{decoder: authlog.NewDecoder(since, zone, take)}
}

// Read reads one log, which may be compressed by gzip.
func (r *Reader) Read(in io.Reader) error {
	entries, lines := r.decoder.Entries, 0
	err := logfile.EachLine(in, authlog.MaxLine, func(b []byte, problem logfile.Problem) bool {
		lines++
		switch problem {
		case logfile.TooLong:
			r.long++
		case logfile.NoEnd:
			r.decoder.Skipped.Torn++
		default:
			r.decoder.Line(b)
		}
		return true
	})
	r.decoder.End()
	if err == nil && lines > 0 && r.decoder.Entries == entries {
		err = ErrNoEntry
	}
	return err
}

// firstLines is how many lines may come before the first one with a time.
const firstLines = 1000

// First returns the time of the first entry of a log, and reports whether there is one.
func (r *Reader) First(in io.Reader) (at time.Time, ok bool) {
	lines := 0
	_ = logfile.EachLine(in, authlog.MaxLine, func(b []byte, _ logfile.Problem) bool { // Read returns the error
		at, ok = r.decoder.LineTime(b)
		lines++
		return !ok && lines < firstLines
	})
	return at, ok
}

// Entries returns the number of entries that were read.
func (r *Reader) Entries() int { return r.decoder.Entries }

// Skipped returns what could not be read.
func (r *Reader) Skipped() Skipped { return Skipped{r.decoder.Skipped, r.long} }

// write prints what could not be read.
func (s *Skipped) write(w io.Writer) {
	for _, n := range []struct {
		count      int
		what, more string
	}{
		{s.Torn, "entry", "torn, or written by auth.php"},
		{s.Foreign, "line", "of another layout"},
		{s.Long, "line", fmt.Sprintf("of more than %d bytes", authlog.MaxLine)},
	} {
		if n.count > 0 {
			fmt.Fprintf(w, "not read: %s %s\n", plural(n.count, n.what), n.more)
		}
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "ry"); ok { // an entry
		return fmt.Sprintf("%d %sries", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
