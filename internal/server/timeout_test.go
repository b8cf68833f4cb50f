package server

import (
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/auth"
	"mailauthd/internal/listen"
)

// pipe is a listener in memory that accepts one connection, for a synctest bubble.
type pipe struct {
	once  sync.Once
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// A decision may take longer than HeaderTimeout. It is bounded by the limits of the login itself, which
// are below the 60 s of nginx.
func TestDecisionMayTakeLongerThanTheRequest(t *testing.T) {
	s := start(t)
	s.want("http", good, "OK") // starts lumberjack's goroutine, which no bubble would see the end of
	for _, tt := range []struct {
		name string
		make func(s *Server, l net.Listener) *listener
		over func(c net.Conn, h http.Header) (string, error)
	}{
		{"http", func(s *Server, l net.Listener) *listener { return s.http(l, s) }, overHTTP},
		{"fastcgi", (*Server).fastCGI, overFastCGI},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := *s.state.Load()
				st.auth = auth.New(st.config.Config, s.resolver)
				st.auth.CountHash = func() { time.Sleep(auth.MaxHashWait - time.Second) }
				inner := &Server{log: s.Server.log, events: s.Server.events, metrics: s.Server.metrics}
				inner.state.Store(&st)
				in := &pipe{conns: make(chan net.Conn), done: make(chan struct{})}
				l := tt.make(inner, in)
				go l.serve()

				client, server := net.Pipe()
				in.conns <- server
				head, err := tt.over(client, good)
				if got := field(head, "Auth-Status"); got != "OK" || err != nil {
					t.Errorf("Auth-Status = %q, %v", got, err)
				}
				client.Close()
				if err := l.shutdown(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
	if t.Failed() {
		t.Logf("log:\n%s\nstandard error:\n%s", s.readLog(), s.stderr)
	}
}

// net/http does not answer after nginx has stopped waiting.
func TestAnswerTimeout(t *testing.T) {
	for took, want := range map[time.Duration]string{AnswerTimeout - time.Second: "200 OK", AnswerTimeout + time.Second: ""} {
		synctest.Test(t, func(t *testing.T) {
			in := &pipe{conns: make(chan net.Conn), done: make(chan struct{})}
			s := &Server{log: slog.New(slog.DiscardHandler)}
			l := s.http(in, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(took) }))
			go l.serve()
			client, server := net.Pipe()
			in.conns <- server
			if head, _ := overHTTP(client, nil); !strings.Contains(head, want) || want == "" && head != "" {
				t.Errorf("after %v %q, want %q", took, head, want)
			}
			client.Close()
			if err := l.shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// All logins that wait for hashes or mail servers together leave slots for FastCGI requests that need
// not wait.
func TestLimitsAddUp(t *testing.T) {
	const spare = 16
	if sum := auth.MaxHashing + auth.MaxAsking; sum > listen.MaxRequests-spare {
		t.Errorf("%d logins may wait for hashes and %d for mail servers: of %d requests fewer than %d are left", auth.MaxHashing, auth.MaxAsking, listen.MaxRequests, spare)
	}
}
