package status

import (
	"io"
	"time"
)

// Snapshot has the figures of one moment.
type Snapshot struct {
	Version           string     `json:"version"`
	StartTime         int64      `json:"start time"`
	StartSince        int64      `json:"start since"`
	AcceptedConn      uint64     `json:"accepted conn"`
	ListenQueue       int        `json:"listen queue"`
	ActiveRequests    int64      `json:"active requests"`
	MaxActiveRequests int64      `json:"max active requests"`
	Logins            []Period   `json:"logins"`
	Listeners         []Listener `json:"listeners"`
	Servers           []Server   `json:"servers"`
	Passdbs           []Server   `json:"passdbs"`
	Hashes            Slots      `json:"hashes"`
	Checks            Slots      `json:"checks"`          // at mail servers and passdbs
	Throttle          []Held     `json:"throttle"`        // at most MaxHeld
	Redis             *Redis     `json:"redis,omitempty"` // nil: this machine shares nothing
	Cache             Cache      `json:"cache"`
	Log               Log        `json:"log"`
	Reloads           Reloads    `json:"reloads"`
	Minutes           []Minute   `json:"minutes,omitempty"` // for the picture
	Recent            []Failure  `json:"recent,omitempty"`  // only if all figures are wanted
	Full              bool       `json:"-"`                 // all figures are wanted
	Masked            bool       `json:"masked"`

	now time.Time
}

// New begins a snapshot.
func New(now, start time.Time) *Snapshot {
	return &Snapshot{StartTime: start.Unix(), StartSince: int64(now.Sub(start).Seconds()), now: now}
}

// Period has the logins of a period.
type Period struct {
	Name      string            `json:"period"`
	Total     uint32            `json:"total"`
	OK        uint32            `json:"ok"`
	Reject    uint32            `json:"reject"`
	TempFail  uint32            `json:"tempfail"`
	Reasons   map[string]uint32 `json:"reasons"`
	Throttled uint32            `json:"throttled"`
	Cached    uint32            `json:"cached"`
	Median    float64           `json:"median"`
	P95       float64           `json:"p95"`
	Max       float64           `json:"max"`
}

func (c counts) period(name string) Period {
	p := Period{
		Name: name, Total: c.total(), OK: c.outcomes[0], Reject: c.outcomes[1], TempFail: c.outcomes[2],
		Reasons: make(map[string]uint32), Throttled: c.throttled, Cached: c.cached,
		Median: c.quantile(0.5), P95: c.quantile(0.95), Max: c.max.Seconds(),
	}
	for i, n := range c.reasons {
		if n > 0 && reasons[i] != "" {
			p.Reasons[string(reasons[i])] = n
		}
	}
	return p
}

// Minute has the logins of a minute that begins at a time.
type Minute struct {
	Time     int64   `json:"time"`
	OK       uint32  `json:"ok"`
	Reject   uint32  `json:"reject"`
	TempFail uint32  `json:"tempfail"`
	Median   float64 `json:"median"`
	P95      float64 `json:"p95"`
}

// Failure is a login that failed.
type Failure struct {
	Time     int64   `json:"time"`
	User     string  `json:"user"`
	Client   string  `json:"client"`
	Protocol string  `json:"protocol"`
	Method   string  `json:"method"`
	Outcome  string  `json:"outcome"`
	Reason   string  `json:"reason"`
	Server   string  `json:"server,omitempty"`
	Passdb   string  `json:"passdb,omitempty"`
	Throttle string  `json:"throttle,omitempty"` // the counter that is over its limit
	Error    string  `json:"error,omitempty"`    // names the user, so a masked snapshot has none
	Took     float64 `json:"took"`
}

// Listener is a socket.
type Listener struct {
	Name         string `json:"name"`
	Connections  int    `json:"connections"`   // now
	AcceptedConn uint64 `json:"accepted conn"` // since the socket was opened, with those that were refused
	Refused      uint64 `json:"refused"`       // connections: too many, or not in allowed_clients
	Evicted      uint64 `json:"evicted"`       // connections that made room for another one
	Requests     uint64 `json:"requests"`
	Queue        int    `json:"listen queue"` // complete requests that wait
}

// Server is what is known of a mail server on one protocol, or of a passdb.
type Server struct {
	Name         string  `json:"name"`
	Protocol     string  `json:"protocol,omitempty"`
	Driver       string  `json:"driver,omitempty"` // of a passdb
	Up           bool    `json:"up"`
	SetAside     int     `json:"servers set aside,omitempty"` // of a passdb with several servers, while others answer
	Since        int64   `json:"since"`
	Retry        float64 `json:"retry,omitempty"` // until a login may ask again
	LastError    string  `json:"last error,omitempty"`
	LastErrorAt  int64   `json:"last error time,omitempty"`
	ResponseTime float64 `json:"response time"`              // a moving average; 0: not known
	Expires      int64   `json:"certificate ends,omitempty"` // 0: no certificate was seen
	Days         *int    `json:"certificate days,omitempty"`
	Slots        Slots   `json:"slots"` // a mail server has the same for all protocols
}

// Ends sets when the certificate ends, and the days that are left. A zero time is none.
func (s *Server) Ends(at, now time.Time) {
	if at.IsZero() {
		return
	}
	days := Days(at, now)
	s.Expires, s.Days = at.Unix(), &days
}

// Days returns the full days until a certificate ends. The number is negative if it has ended.
func Days(ends, now time.Time) int {
	left := ends.Sub(now)
	if left < 0 {
		left -= 24*time.Hour - 1
	}
	return int(left / (24 * time.Hour))
}

// Slots is how much of a limit is in use.
type Slots struct {
	InUse   int `json:"in use"`
	Waiting int `json:"waiting"`
	Max     int `json:"max"`
}

// MaxHeld is the largest number of counters that a snapshot has.
const MaxHeld = 50

// Held is a client's network, a user or a pair of both that the throttle holds back.
type Held struct {
	Counter string  `json:"counter"` // "network", "user" or "pair"
	Name    string  `json:"name"`
	Count   float64 `json:"count"`
	Limit   int     `json:"limit"`
	Wait    float64 `json:"wait"` // until the next login may be tried
}

// Redis is what is shared with other machines.
type Redis struct {
	Up         bool   `json:"up"`
	Since      int64  `json:"since"`
	LastError  string `json:"last error,omitempty"` // why it is set aside
	RoundTrips int64  `json:"round trips"`
	Unsent     int    `json:"unsent"`  // failures and successes that wait
	Dropped    int    `json:"dropped"` // those that were too many
}

// Cache is what is remembered.
type Cache struct {
	Size int `json:"size"` // 0: nothing is remembered
	Good int `json:"good"`
	Bad  int `json:"bad"`
}

// Log is the state of auth.log.
type Log struct {
	File  string `json:"file"`
	Size  int64  `json:"size"`
	Lost  uint64 `json:"lost"`
	Error string `json:"error,omitempty"` // why it cannot be written
}

// Reloads are the reloads since the start.
type Reloads struct {
	Done      uint64 `json:"done"`
	Refused   uint64 `json:"refused"`
	Last      int64  `json:"last"`                 // when the configuration in force was loaded
	LastError string `json:"last error,omitempty"` // of the last reload, if it was refused; a masked snapshot does not say more
}

// WriteJSON writes the snapshot as JSON.
func (s *Snapshot) WriteJSON(w io.Writer) error { return WriteJSON(w, s, "  ") }
