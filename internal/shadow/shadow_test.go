package shadow

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
)

// run is a Shadow with its log.
type run struct {
	*Shadow
	t       *testing.T
	log     string
	stderr  bytes.Buffer
	results chan Result
}

// bubble calls f with a new Shadow within a bubble of synctest. lumberjack's goroutine, which never ends, begins
// outside of it.
func bubble(t *testing.T, f func(t *testing.T, r *run)) {
	t.Helper()
	config := authlog.Config{File: filepath.Join(t.TempDir(), "shadow.log"), Timezone: "Europe/Moscow"}
	file := new(authlog.File)
	if err := file.Configure(config); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(nil); err != nil {
		t.Fatal(err)
	}
	defer file.Reopen()
	synctest.Test(t, func(t *testing.T) {
		r := newRun(t, config.File)
		r.file = file
		if err := r.Configure(&Config{Log: config.File}, authlog.Config{File: "/nowhere", Timezone: "Europe/Moscow"}); err != nil {
			t.Fatal(err)
		}
		f(t, r)
		r.Shutdown(t.Context())
	})
}

func newRun(t *testing.T, log string) *run {
	r := &run{t: t, log: log, results: make(chan Result, 100)}
	r.Shadow = New(slog.New(slog.NewTextHandler(&r.stderr, nil)), func(result Result) { r.results <- result })
	return r
}

// lines waits for all comparisons, and returns the lines of the log.
func (r *run) lines() []string {
	r.t.Helper()
	synctest.Wait()
	data, err := os.ReadFile(r.log)
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")[:bytes.Count(data, []byte("\n"))]
}

func (r *run) want(want Result) {
	r.t.Helper()
	if got := <-r.results; got != want {
		r.t.Errorf("result %+v, want %+v", got, want)
	}
}

var bob = http.Header{
	"Auth-Method": {"plain"}, "Auth-User": {"bob@domain1.com"}, "Auth-Pass": {"s%20ecret%25"}, "Auth-Salt": {"<salt@host>"},
	"Auth-Protocol": {"imap"}, "Client-Ip": {"192.0.2.42"},
}

// decides answers bob's login.
func decides(response authhttp.Response) Decide {
	return func(context.Context) (authhttp.Response, authlog.Event) {
		return response, authlog.Event{
			Start: time.Now(), End: time.Now(), Method: "plain", User: "bob@domain1.com", Salt: "<salt@host>", Protocol: "imap", ClientIP: "192.0.2.42",
			Outcome: response.Outcome.String(),
		}
	}
}

func (r *run) compareOurs(script *Script, ours authhttp.Response) {
	response, event := decides(ours)(r.t.Context())
	r.CompareOurs(script, bob, response, event)
}

func TestLogsDifferences(t *testing.T) {
	bubble(t, func(t *testing.T, r *run) {
		script := newScript(says(okHead))
		if reply := r.AskTheirs(script, bob, decides(refused)); reply.Response != letIn {
			t.Errorf("reply %+v", reply)
		}
		r.want(Result{Ours: "reject", Theirs: "ok", Different: true})
		r.AskTheirs(script, bob, decides(letIn))
		r.want(Result{Ours: "ok", Theirs: "ok"})
		r.compareOurs(script, refused)
		r.want(Result{Ours: "reject", Theirs: "ok", Different: true})
		r.compareOurs(script, with("192.0.2.1:143", "", "s ecret%2"))
		r.want(Result{Ours: "ok", Theirs: "ok", Different: true})
		want := []string{
			`{"time":"2000-01-01T03:00:00.000000+03:00","auth_method":"plain","auth_user":"bob@domain1.com","auth_protocol":"imap",` +
				`"client_ip":"192.0.2.42","answered":"theirs","ours":{"outcome":"reject","auth_status":"Invalid login or password"},` +
				`"theirs":{"outcome":"ok","auth_status":"OK","auth_server":"192.0.2.1","auth_port":"143"}}`,
		}
		got := r.lines()
		if len(got) != 3 || got[0] != want[0] || got[1] != strings.Replace(want[0], `"answered":"theirs"`, `"answered":"ours"`, 1) {
			t.Errorf("log:\n%s", strings.Join(got, "\n"))
		}
		var d Difference
		if err := json.Unmarshal([]byte(got[2]), &d); err != nil || d.Ours.Error != "Auth-Pass differs" {
			t.Errorf("%+v, %v", d, err)
		}
		all := strings.Join(got, "\n") + r.stderr.String()
		if r.stderr.Len() > 0 {
			t.Errorf("standard error: %s", &r.stderr)
		}
		for _, secret := range []string{"s ecret", "s%20ecret", "ecret", "salt"} {
			if strings.Contains(all, secret) {
				t.Errorf("the log has %q:\n%s", secret, all)
			}
		}
	})
}

// The name and the password of the request count as they are after decoding.
func TestComparesWithTheRequest(t *testing.T) {
	bubble(t, func(t *testing.T, r *run) {
		same := says(strings.TrimSuffix(okHead, "\r\n") + "Auth-User: bob@domain1.com\r\nAuth-Pass: s ecret%\r\n\r\n")
		r.compareOurs(newScript(same), letIn)
		r.want(Result{Ours: "ok", Theirs: "ok"})
		quoted := bob.Clone()
		quoted.Set("Auth-Pass", "s%27ecret")
		response, event := decides(letIn)(t.Context())
		r.CompareOurs(newScript(says(head("Auth-Status: Invalid login or password"))), quoted, response, event)
		r.want(Result{Ours: "ok", Theirs: "reject", Different: true})
		if lines := r.lines(); len(lines) != 1 || !strings.Contains(lines[0], `"quoting":true`) {
			t.Errorf("log:\n%s", strings.Join(lines, "\n"))
		}
	})
}

// A configuration that cannot be applied changes nothing. Without [shadow] the log is closed, and may be configured again.
func TestConfigure(t *testing.T) {
	bubble(t, func(t *testing.T, r *run) {
		for name, log := range map[string]authlog.Config{
			r.log:               {Timezone: "No/Where"},
			filepath.Dir(r.log): {Timezone: "UTC"},
		} {
			if err := r.Configure(&Config{Log: name}, log); err == nil {
				t.Errorf("%s with %+v: no error", name, log)
			}
		}
		if err := r.Configure(nil, authlog.Config{}); err != nil {
			t.Error(err)
		}
		r.compareOurs(newScript(says(okHead)), refused) // begun before a reload without [shadow]
		r.want(Result{Ours: "reject", Theirs: "ok", Different: true})
		if lines := r.lines(); len(lines) != 1 || !strings.Contains(lines[0], "+03:00") {
			t.Errorf("log:\n%s", strings.Join(lines, "\n"))
		}
	})
}

// Neither side waits for the other one, and a client that is gone ends nothing.
func TestCostsTheAnswerNothing(t *testing.T) {
	bubble(t, func(t *testing.T, r *run) {
		begin, release := time.Now(), make(chan struct{})
		reply := r.AskTheirs(newScript(says(okHead)), bob, func(ctx context.Context) (authhttp.Response, authlog.Event) {
			<-release
			return decides(refused)(ctx)
		})
		slow := newScript(func(c net.Conn) {
			readRequest(c)
			time.Sleep(10 * time.Second)
			io.WriteString(c, okHead)
		})
		r.compareOurs(slow, refused)
		if took := time.Since(begin); took != 0 || reply.Response != letIn {
			t.Errorf("%+v after %v", reply, took)
		}
		close(release)
		r.want(Result{Ours: "reject", Theirs: "ok", Different: true})
		r.want(Result{Ours: "reject", Theirs: "ok", Took: 10 * time.Second, Different: true})
		if n := len(r.lines()); n != 2 {
			t.Errorf("%d lines", n)
		}
	})
}

// While all slots are taken, requests are answered and not compared.
func TestTooManyComparisons(t *testing.T) {
	bubble(t, func(t *testing.T, r *run) {
		script, release := newScript(says(okHead)), make(chan struct{})
		waits := func(ctx context.Context) (authhttp.Response, authlog.Event) {
			<-release
			return decides(letIn)(ctx)
		}
		for range script.MaxRequests {
			r.AskTheirs(script, bob, waits)
		}
		if reply := r.AskTheirs(script, bob, waits); reply.Response != letIn {
			t.Errorf("reply %+v", reply)
		}
		r.want(Result{Ours: None, Theirs: "ok"})
		r.compareOurs(script, letIn)
		r.want(Result{Ours: "ok", Theirs: None})
		close(release)
		for range script.MaxRequests {
			r.want(Result{Ours: "ok", Theirs: "ok"})
		}
		r.compareOurs(script, letIn)
		r.want(Result{Ours: "ok", Theirs: "ok"})
	})
}

// A script that is down makes one line a minute for each cause, and every request counts.
func TestSilenceIsLoggedOnceAMinute(t *testing.T) {
	bubble(t, func(t *testing.T, r *run) {
		broken, empty := newScript(says("")), newScript(says(head("X: y")))
		for range 3 {
			r.compareOurs(broken, letIn)
			r.want(Result{Ours: "ok", Theirs: "tempfail", Different: true})
		}
		r.compareOurs(empty, letIn)
		r.want(Result{Ours: "ok", Theirs: "tempfail", Different: true})
		r.compareOurs(empty, tempFail)
		r.want(Result{Ours: "tempfail", Theirs: "tempfail"})
		if n := len(r.lines()); n != 2 {
			t.Errorf("%d lines, want 2", n)
		}
		time.Sleep(time.Minute)
		r.compareOurs(broken, letIn)
		if lines := r.lines(); len(lines) != 3 || !strings.Contains(lines[2], `"theirs":{"outcome":"tempfail","error":"connection closed`) {
			t.Errorf("log:\n%s", strings.Join(lines, "\n"))
		}
		if n := strings.Count(r.stderr.String(), "no answer from the script"); n != 3 {
			t.Errorf("standard error says it %d times: %s", n, &r.stderr)
		}
	})
}

func TestPanicInADecision(t *testing.T) {
	bubble(t, func(t *testing.T, r *run) {
		reply := r.AskTheirs(newScript(says(okHead)), bob, func(context.Context) (authhttp.Response, authlog.Event) { panic("secret") })
		r.want(Result{Ours: None, Theirs: "ok"})
		if said := r.stderr.String(); reply.Response != letIn || !strings.Contains(said, "panic") || strings.Contains(said, "secret") {
			t.Errorf("reply %+v, standard error %s", reply, said)
		}
	})
}

func TestUnwritableLog(t *testing.T) {
	r := newRun(t, "")
	if err := r.Configure(&Config{Log: os.Args[0] + "/shadow.log"}, authlog.Config{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r.compareOurs(newScript(says(okHead)), refused)
		if got := <-r.results; !got.Different {
			t.Errorf("result %+v", got)
		}
	}
	if n := strings.Count(r.stderr.String(), "the shadow log cannot be written"); n != 1 {
		t.Errorf("standard error says it %d times: %s", n, &r.stderr)
	}
}

// Shutdown waits for comparisons, but not longer than it may. One that is given up is no difference.
func TestShutdown(t *testing.T) {
	for _, tt := range []struct {
		took, grace time.Duration
		want        Result
	}{
		{5 * time.Second, 10 * time.Second, Result{Ours: "reject", Theirs: "ok", Took: 5 * time.Second, Different: true}},
		{20 * time.Second, 10 * time.Second, Result{Ours: "reject", Theirs: None}},
	} {
		bubble(t, func(t *testing.T, r *run) {
			script := newScript(func(c net.Conn) {
				readRequest(c)
				time.Sleep(tt.took)
				io.WriteString(c, okHead)
			})
			begin := time.Now()
			r.compareOurs(script, refused)
			ctx, cancel := context.WithTimeout(t.Context(), tt.grace)
			defer cancel()
			if err := r.Shutdown(ctx); err != nil || time.Since(begin) != min(tt.took, tt.grace) {
				t.Errorf("Shutdown = %v after %v", err, time.Since(begin))
			}
			r.want(tt.want)
			if got := len(r.lines()); (got == 1) != tt.want.Different {
				t.Errorf("%d lines", got)
			}
			r.AskTheirs(script, bob, func(context.Context) (authhttp.Response, authlog.Event) {
				t.Error("compared after Shutdown")
				return decides(letIn)(t.Context())
			})
			<-r.results
			r.compareOurs(script, letIn) // not compared any more
			r.want(Result{Ours: "ok", Theirs: None})
			time.Sleep(tt.took) // until the script ends as well
		})
	}
}
