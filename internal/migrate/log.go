package migrate

import (
	"errors"
	"io"
	"time"

	"mailauthd/internal/authlog"
	"mailauthd/internal/logfile"
)

// Limits of reading logs.
const (
	MaxLine   = 8192     // the largest length of a line in bytes; longer ones are skipped and counted
	MaxLogins = 200_000  // the largest number of different logins that are stored; any more are only counted
	maxStored = 24 << 20 // the same, in bytes of names and addresses
	maxReply  = 64       // the largest length of a reply that is stored, in bytes
)

// Log reads old logs and counts the logins in them.
type Log struct {
	since  int64 // of the logins that count, in microseconds since 1970
	clock  authlog.Clock
	group  grouper
	logins map[string]*int // by key
	stored int             // bytes in logins
	key    []byte

	first, last int64 // the times of the first and the last login that count
	entries     int   // in all files
	failed      int   // logins that were refused
	notStored   int   // logins beyond MaxLogins
	lines       Lines
}

// Lines counts what could not be read.
type Lines struct {
	Torn    int `json:"torn"`    // lines that are not whole
	Foreign int `json:"foreign"` // lines of another layout
	Long    int `json:"long"`    // lines of more than MaxLine bytes
	Orphans int `json:"orphans"` // lines of a request whose other lines are missing
}

// NewLog makes a Log. Logins before since do not count. The times in the logs are those of zone.
func NewLog(since time.Time, zone *time.Location) *Log {
	l := &Log{since: since.UnixMicro(), clock: authlog.Clock{Zone: zone}, logins: make(map[string]*int)}
	l.group.emit, l.group.mean, l.group.ports = l.count, firstMean, make(map[string]string)
	return l
}

// Read reads one log, which may be compressed by gzip. It returns an error if that has no entry, unless it is empty.
func (l *Log) Read(r io.Reader) error {
	entries, lines := l.entries, 0
	err := logfile.EachLine(r, MaxLine, func(b []byte, problem logfile.Problem) bool {
		lines++
		switch problem {
		case logfile.TooLong:
			l.lines.Long++
		case logfile.NoEnd:
			l.lines.Torn++
		default:
			l.line(b)
		}
		return true
	})
	l.group.flush()
	if err == nil && l.entries == entries && lines > 0 {
		err = errors.New(`no entry of auth.php: want lines such as "20260131 15:04:05'000042: Auth-Method:   plain"`)
	}
	return err
}

func (l *Log) line(b []byte) {
	parsed, kind := authlog.ParseLine(b)
	now, ok := int64(0), false
	if kind == authlog.GoodLine && !parsed.HoldsTime() {
		now, ok = l.clock.At(&parsed)
	}
	switch {
	case kind == authlog.ForeignLine:
		l.lines.Foreign++
	case !ok:
		l.lines.Torn++
	default:
		if parsed.Field == authlog.FieldMethod {
			l.entries++
		}
		l.group.add(now, fieldOf(&parsed), parsed.Value)
	}
}

// count counts a login. Only those that were let in are stored, so guessed names take no memory.
func (l *Log) count(e *entry) {
	switch {
	case e.start < l.since:
		return
	case !e.letIn():
		l.failed++
		return
	case len(e.values[userField]) == 0 && !e.status: // auth.php let nobody in without a name
		l.group.orphans++
		return
	}
	if l.first == 0 || e.start < l.first {
		l.first = e.start
	}
	l.last = max(l.last, e.start)
	l.key = e.appendKey(l.key[:0])
	if n := l.logins[string(l.key)]; n != nil {
		*n++
		return
	}
	if len(l.logins) >= MaxLogins || l.stored+len(l.key) > maxStored {
		l.notStored++
		return
	}
	l.stored += len(l.key)
	one := 1
	l.logins[string(l.key)] = &one
}

// keySeparator stands in no value, because a line with NUL is torn.
const keySeparator = '\x00'

// appendKey appends what the decision on a login depends on: flags, user, method, protocol, server, port, and a reply that
// is not the server's OK.
func (e *entry) appendKey(b []byte) []byte {
	flags := byte('0')
	if e.status {
		flags |= flagOurs
	}
	if e.doubt {
		flags |= flagDoubt
	}
	if !e.sure() {
		flags |= flagNotOK
	}
	b = append(b, flags)
	for _, f := range []field{userField, methodField, protocolField, backendField, portField} {
		b = append(append(b, e.values[f]...), keySeparator)
	}
	if !e.sure() {
		reply := e.values[replyField]
		if isChallenge(reply) {
			return append(b, challengeReply...)
		}
		b = append(b, reply[:min(len(reply), maxReply)]...)
	}
	return b
}

// challengeReply stands in a key for any challenge, because no two challenges are the same.
const challengeReply = "+"

// The flags of a key, in the low bits of a digit.
const (
	flagOurs  = 1 << iota // mailauthd wrote the entry
	flagDoubt             // another request overlapped; kept apart, because it proves nothing by itself
	flagNotOK             // the server did not accept the login
)
