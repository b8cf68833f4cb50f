package server

import (
	"cmp"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mailauthd/internal/auth"
	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/ldapdb"
	"mailauthd/internal/route"
	"mailauthd/internal/sqldb"
	"mailauthd/internal/status"
	"mailauthd/internal/throttle"
	"mailauthd/internal/users"
)

// tally is what the status page counts besides the metrics.
type tally struct {
	start       time.Time
	logins      status.Recorder
	active, max atomic.Int64 // requests that are being answered

	mu      sync.Mutex // of what follows
	reloads status.Reloads
	checked time.Time // when logErr was found
	logErr  error
}

// begin counts a request that is being answered, until done is called.
func (t *tally) begin() (done func()) {
	n := t.active.Add(1)
	for old := t.max.Load(); n > old && !t.max.CompareAndSwap(old, n); old = t.max.Load() {
	}
	return func() { t.active.Add(-1) }
}

// reloaded counts a reload.
func (t *tally) reloaded(now time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.reloads.Refused++
		t.reloads.LastError = err.Error()
		return
	}
	t.reloads.Done++
	t.reloads.Last, t.reloads.LastError = now.Unix(), ""
}

// checkInterval is how long the state of the log is taken for the present one, because a check writes to the disk.
const checkInterval = time.Second

// writable returns why the log cannot be written.
func (t *tally) writable(now time.Time, log *authlog.Log) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.checked).Abs() >= checkInterval {
		t.checked, t.logErr = now, log.Writable()
	}
	return t.logErr
}

// record notes a decided request everywhere: in the log, in the metrics, and for the status page.
func (s *Server) record(e *authlog.Event) {
	s.events.Write(e)
	s.metrics.count(e)
	s.tally.logins.Record(e)
}

// snapshot returns all figures, with the names of users and clients.
func (s *Server) snapshot(now time.Time, full bool) *status.Snapshot {
	st, t := s.state.Load(), &s.tally
	p := status.New(now, t.start)
	p.Version, p.Full = s.version, full
	p.ActiveRequests, p.MaxActiveRequests = t.active.Load(), t.max.Load()
	p.Logins, p.Minutes = t.logins.Periods(now), t.logins.Plot(now, status.PlotMinutes)
	if full {
		p.Recent = t.logins.Recent()
	}
	s.addListeners(p)
	usage := st.auth.Usage()
	p.Hashes, p.Checks = status.Slots(usage.Hashes), status.Slots(usage.Checks)
	p.Servers, p.Passdbs = st.servers(usage, now), st.passdbs(usage, now)
	p.Throttle, p.Redis = st.shared()
	p.Cache.Size = st.config.Cache.Size
	p.Cache.Good, p.Cache.Bad = st.auth.CacheLen()
	p.Log = s.logState(st.config, now)
	t.mu.Lock()
	defer t.mu.Unlock()
	p.Reloads = t.reloads
	return p
}

func (s *Server) addListeners(p *status.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, l := range s.listeners {
		f := l.stats()
		p.Listeners = append(p.Listeners, status.Listener{
			Name: name, Connections: f.Conns, AcceptedConn: f.Accepted, Refused: f.Refused, Evicted: f.Evicted,
			Requests: l.requests.Load(), Queue: f.Queue,
		})
		if strings.HasPrefix(name, "fastcgi ") || strings.HasPrefix(name, "http ") {
			p.AcceptedConn += f.Accepted
			p.ListenQueue += f.Queue
		}
	}
	slices.SortFunc(p.Listeners, func(a, b status.Listener) int { return cmp.Compare(a.Name, b.Name) })
}

func (s *Server) logState(c *config.Config, now time.Time) status.Log {
	l := status.Log{File: c.Log.File, Lost: s.events.Lost()}
	if info, err := os.Stat(c.Log.File); err == nil {
		l.Size = info.Size()
	}
	if err := s.tally.writable(now, s.events); err != nil {
		l.Error = err.Error()
	}
	return l
}

// servers returns what is known of the mail servers, by name and by protocol on which they are asked.
func (st *state) servers(usage auth.Usage, now time.Time) (list []status.Server) {
	for _, server := range st.config.Servers {
		for _, protocol := range server.CheckProtocols() {
			v := newServer(st.auth.Health.Of(server, protocol).Seen(), now)
			v.Name, v.Protocol = server.Name, protocol
			v.Slots = status.Slots(usage.Servers[server.Name])
			list = append(list, v)
		}
	}
	return list
}

func (st *state) passdbs(usage auth.Usage, now time.Time) (list []status.Server) {
	for name, p := range st.auth.PassdbsInUse() {
		f := figuresOf(p.Directory)
		v := newServer(p.Seen(), now)
		v.Name, v.Driver = name, driverOf(p.Directory)
		setServers(&v, f)
		v.Ends(f.notAfter, now)
		v.Slots = status.Slots(usage.Passdbs[name])
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b status.Server) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// setServers notes which of the servers of a passdb are set aside. It is down if all are.
func setServers(v *status.Server, f figures) {
	if f.setAside > 0 && f.setAside == f.servers {
		v.Up = false
	} else {
		v.SetAside = f.setAside
	}
}

func newServer(seen route.Seen, now time.Time) status.Server {
	v := status.Server{
		Up: seen.State == route.Closed, Since: seen.Since.Unix(), Retry: seen.Retry.Seconds(),
		ResponseTime: seen.ResponseTime.Seconds(),
	}
	if seen.Err != nil {
		v.LastError, v.LastErrorAt = seen.Err.Error(), seen.ErrAt.Unix()
	}
	v.Ends(seen.NotAfter, now)
	return v
}

func driverOf(d users.Directory) string {
	switch d := d.(type) {
	case *sqldb.DB:
		return d.Driver
	case *ldapdb.DB:
		return "ldap"
	}
	return ""
}

// shared returns what the throttle holds back, the longest first, and the state of Redis.
func (st *state) shared() ([]status.Held, *status.Redis) {
	held, unsent, dropped := st.auth.Held()
	list := heldList(held[:min(len(held), status.MaxHeld)])
	if st.redis == nil {
		return list, nil
	}
	up, since, err := st.redis.Up()
	r := &status.Redis{Up: up, Since: since.Unix(), RoundTrips: st.redis.RoundTrips(), Unsent: unsent, Dropped: dropped}
	if err != nil {
		r.LastError = err.Error()
	}
	return list, r
}

func heldList(held []throttle.Held) []status.Held {
	list := make([]status.Held, len(held))
	for i, h := range held {
		list[i] = status.Held{Counter: string(h.Counter), Name: h.Name, Count: h.Count, Limit: h.Limit, Wait: h.Wait.Seconds()}
	}
	return list
}
