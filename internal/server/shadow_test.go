package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"mailauthd/internal/shadow"
)

// oldScript is a script that lets everybody in, to another server than ours, unless it is told otherwise.
type oldScript struct {
	*httptest.Server
	asked   atomic.Int32
	handler atomic.Pointer[http.HandlerFunc]
}

func startScript(t *testing.T) *oldScript {
	t.Helper()
	s := new(oldScript)
	s.answers("Auth-Status", "OK", "Auth-Server", "192.0.2.9", "Auth-Port", "143")
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		(*s.handler.Load())(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *oldScript) does(h http.HandlerFunc) { s.handler.Store(&h) }

// answers makes the script answer with these headers.
func (s *oldScript) answers(headers ...string) {
	s.does(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
	})
}

// shadowed returns the edit that adds [shadow] to a configuration.
func (s *oldScript) shadowed(t *testing.T, answer string) (edit []string, log string) {
	log = filepath.Join(t.TempDir(), "shadow.log")
	return []string{"[users.", fmt.Sprintf("[shadow]\nurl = %q\nanswer = %q\nlog = %q\n[users.", s.URL+"/mail/auth.php", answer, log)}, log
}

// differences waits for n lines of a shadow log.
func differences(t *testing.T, log string, n int) (list []shadow.Difference, text string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d differences", n), func() bool {
		data, err := os.ReadFile(log)
		text = string(data)
		return err == nil && strings.Count(text, "\n") >= n
	})
	for line := range strings.Lines(text) {
		var d shadow.Difference
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
	if len(list) != n {
		t.Errorf("%d differences, want %d:\n%s", len(list), n, text)
	}
	return list, text
}

// idle waits until no comparison is in progress: then all requests are counted.
func (s *site) counted(n int) {
	s.t.Helper()
	eventually(s.t, "all requests are counted", func() bool {
		families, err := s.metrics.registry.Gather()
		if err != nil {
			s.t.Fatal(err)
		}
		total := 0.0
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() == "mailauthd_shadow_requests_total" {
					total += m.GetCounter().GetValue()
				}
			}
		}
		return int(total) == n
	})
}

// nginx is never told to wait where that exposes it or uses its memory, whatever the script says.
func TestTheScriptCannotMakeNginxWait(t *testing.T) {
	script := startScript(t)
	edit, _ := script.shadowed(t, "theirs")
	s := start(t, edit...)
	script.answers("Auth-Status", "No", "Auth-Wait", "3")
	for _, tt := range []struct{ method, attempt, want string }{
		{"plain", "9", "3"}, {"plain", "10", ""}, {"cram-md5", "1", ""}, {"apop", "1", ""}, {"external", "1", ""}, {"none", "1", ""},
	} {
		h := good.Clone()
		h.Set("Auth-Method", tt.method)
		h.Set("Auth-Login-Attempt", tt.attempt)
		head, err := s.endpoints["http"].ask(h)
		if err != nil || field(head, "Auth-Status") != "No" || field(head, "Auth-Wait") != tt.want {
			t.Errorf("%s, attempt %s: %q, %v; want Auth-Wait %q", tt.method, tt.attempt, head, err, tt.want)
		}
	}
}

// With "theirs" nginx gets the script's answer at every endpoint, and auth.log has it.
func TestTheScriptAnswers(t *testing.T) {
	for _, name := range []string{"http", "tcp", "unix"} {
		t.Run(name, func(t *testing.T) {
			script := startScript(t)
			edit, log := script.shadowed(t, "theirs")
			s := start(t, edit...)
			head, err := s.endpoints[name].ask(bad)
			if err != nil || field(head, "Auth-Status") != "OK" || field(head, "Auth-Server") != "192.0.2.9" {
				t.Errorf("%q, %v", head, err)
			}
			differences(t, log, 1)
			script.answers("Auth-Status", "No", "Auth-Wait", "3", "Auth-Error-Code", "535 5.7.8", "Set-Cookie", "x")
			head, err = s.endpoints[name].ask(good)
			if err != nil || field(head, "Auth-Status") != "No" || field(head, "Auth-Wait") != "3" || field(head, "Set-Cookie") != "" {
				t.Errorf("%q, %v", head, err)
			}
			list, text := differences(t, log, 2)
			if d := list[1]; d.Answered != "theirs" || d.User != "alice@users.example" || d.Ours.Outcome != "ok" || d.Theirs.Status != "No" || d.Quoting {
				t.Errorf("difference %+v", d)
			}
			for _, secret := range []string{"right+", "wrong"} {
				if strings.Contains(text, secret) || strings.Contains(s.stderr.String(), secret) {
					t.Errorf("a log has %q", secret)
				}
			}
			entry := strings.Replace(legacyEntry, "192.0.2.1", "192.0.2.9", 1)
			refusal := strings.Replace(legacyEntry[:strings.Index(legacyEntry, "TIME: backend_ip")]+"TIME: Reason:        script\nTIME: Auth-Status:   OK\n", "OK", "No", 1)
			wantLog(t, s.readLog(), entry+refusal)
		})
	}
}

// With "ours" the script only makes differences, whatever it does.
func TestTheScriptIsAskedApart(t *testing.T) {
	script := startScript(t)
	edit, log := script.shadowed(t, "ours")
	s := start(t, edit...)
	s.want("http", bad, failed)
	list, _ := differences(t, log, 1)
	if d := list[0]; d.Answered != "ours" || d.Ours.Outcome != "reject" || d.Ours.Reason != "password_mismatch" || d.Theirs.Server != "192.0.2.9" {
		t.Errorf("difference %+v", d)
	}
	hang := make(chan struct{})
	defer close(hang)
	script.does(func(http.ResponseWriter, *http.Request) { <-hang })
	s.wantEverywhere(good, "OK")
	s.wantEverywhere(bad, failed)
	script.does(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	s.wantEverywhere(good, "OK")
	list, _ = differences(t, log, 2)
	if d := list[1]; d.Theirs.Outcome != "tempfail" || d.Theirs.Error == "" {
		t.Errorf("difference %+v", d)
	}
	if entries := strings.Count(s.readLog(), "Auth-Status:"); entries != 10 {
		t.Errorf("%d entries in auth.log", entries)
	}
}

// A script that gives no answer is a temporary failure with the code of the protocol.
func TestSilentScript(t *testing.T) {
	script := startScript(t)
	edit, log := script.shadowed(t, "theirs")
	s := start(t, edit...)
	mail := login("alice@users.example", password)
	mail["Auth-Protocol"] = []string{"smtp"}
	for name, does := range map[string]http.HandlerFunc{
		"no headers": func(http.ResponseWriter, *http.Request) {},
		"status 500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"redirect":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, script.URL, http.StatusFound) },
		"host name": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Auth-Status"], w.Header()["Auth-Server"] = []string{"OK"}, []string{"mail.example"}
		},
		"closes": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		before := script.asked.Load()
		script.does(does)
		head, err := s.endpoints["unix"].ask(mail)
		if err != nil || field(head, "Auth-Status") != trouble || field(head, "Auth-Error-Code") != "454 4.7.0" || field(head, "Auth-Server") != "" {
			t.Errorf("%s: %q, %v", name, head, err)
		}
		if n := script.asked.Load() - before; n != 1 {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
	list, _ := differences(t, log, 5)
	for _, d := range list {
		if d.Ours.Outcome != "ok" || d.Theirs.Outcome != "tempfail" || d.Theirs.Error == "" {
			t.Errorf("difference %+v", d)
		}
	}
	if said := s.stderr.String(); !strings.Contains(said, "no answer from the script at [shadow] url") {
		t.Errorf("standard error: %s", said)
	}
}

// A reload turns the comparison on, to another script and off. Without the section nobody is asked.
func TestReloadSwitchesShadow(t *testing.T) {
	one, two := startScript(t), startScript(t)
	s := start(t)
	s.wantEverywhere(bad, failed)
	edit, log := one.shadowed(t, "theirs")
	s.reload(edit...)
	s.wantEverywhere(bad, "OK")
	differences(t, log, 3)
	edit, second := two.shadowed(t, "theirs")
	s.reload(edit...)
	s.wantEverywhere(bad, "OK")
	differences(t, second, 3)
	if err := os.Rename(second, second+".1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Reopen(); err != nil {
		t.Fatal(err)
	}
	s.want("http", bad, "OK")
	differences(t, second, 1)
	s.reload()
	s.wantEverywhere(bad, failed)
	differences(t, log, 3)
	if a, b := one.asked.Load(), two.asked.Load(); a != 3 || b != 4 {
		t.Errorf("the scripts were asked %d and %d times", a, b)
	}
}

// A URL that leads back to us through a web server is a temporary failure, not an endless loop.
func TestLoop(t *testing.T) {
	for _, answer := range []string{"theirs", "ours"} {
		t.Run(answer, func(t *testing.T) {
			script := startScript(t)
			edit, log := script.shadowed(t, answer)
			s := start(t, edit...)
			proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.endpoints["http"].address})
			script.does(proxy.ServeHTTP)
			want := map[string]string{"theirs": trouble, "ours": "OK"}[answer]
			s.want("unix", good, want)
			list, _ := differences(t, log, 1)
			if d := list[0]; d.Theirs.Outcome != "tempfail" || d.Theirs.Error != "[shadow] url leads back to mailauthd" {
				t.Errorf("difference %+v", d)
			}
			s.want("unix", good, want)
			s.counted(2)
			if n := strings.Count(s.stderr.String(), "temporary failure: [shadow] url leads back"); n != 1 {
				t.Errorf("standard error says it %d times: %s", n, s.stderr)
			}
			if n := script.asked.Load(); n != 2 {
				t.Errorf("the script was asked %d times", n)
			}
		})
	}
}

// A client that injects our header gets a temporary failure. Without [shadow] the header means nothing.
func TestInjectedHeader(t *testing.T) {
	script := startScript(t)
	edit, _ := script.shadowed(t, "theirs")
	s := start(t, edit...)
	marked := login("alice@users.example", password)
	marked[shadow.Header] = []string{"0"}
	s.wantEverywhere(marked, trouble)
	s.reload()
	s.wantEverywhere(marked, "OK")
	if n := script.asked.Load(); n != 0 {
		t.Errorf("the script was asked %d times", n)
	}
}

func TestShadowMetrics(t *testing.T) {
	script := startScript(t)
	s := startAdmin(t)
	edit, _ := script.shadowed(t, "theirs")
	s.reload(append(edit, s.edits...)...)
	s.want("http", good, "OK")
	s.want("http", bad, "OK")
	script.answers("Auth-Status", "No")
	s.want("http", bad, "No")
	script.does(func(http.ResponseWriter, *http.Request) {})
	s.want("http", bad, trouble)
	s.counted(4)
	s.wantMetrics(
		`mailauthd_shadow_requests_total{ours="ok",theirs="ok"} 1`,
		`mailauthd_shadow_requests_total{ours="reject",theirs="ok"} 1`,
		`mailauthd_shadow_requests_total{ours="reject",theirs="reject"} 1`,
		`mailauthd_shadow_requests_total{ours="reject",theirs="tempfail"} 1`,
		"mailauthd_shadow_differences_total 3",
		"mailauthd_shadow_skipped_total 0",
		"mailauthd_shadow_script_duration_seconds_count 4",
		`mailauthd_logins_total{method="plain",outcome="ok",protocol="imap",reason=""} 2`,
		`mailauthd_logins_total{method="plain",outcome="reject",protocol="imap",reason="script"} 1`,
	)
}

// A panic in our decision does not touch the script's answer.
func TestPanicBesideTheScript(t *testing.T) {
	script := startScript(t)
	edit, _ := script.shadowed(t, "theirs")
	s := start(t, edit...)
	repair := s.spoil(func(st *state) { st.auth.Now = nil })
	s.wantEverywhere(good, "OK")
	s.counted(3)
	repair()
	if said := s.stderr.String(); !strings.Contains(said, "panic while comparing") {
		t.Errorf("standard error: %s", said)
	}
}

// A client that goes away loses nothing of the comparison.
func TestClientGone(t *testing.T) {
	for _, name := range []string{"http", "unix"} {
		t.Run(name, func(t *testing.T) {
			script := startScript(t)
			edit, log := script.shadowed(t, "theirs")
			s := start(t, edit...)
			reached, release := make(chan struct{}), make(chan struct{})
			script.does(func(w http.ResponseWriter, _ *http.Request) {
				reached <- struct{}{}
				<-release
				w.Header().Set("Auth-Status", "No")
			})
			c, err := s.endpoints[name].dial()
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.endpoints[name].over(c, good)
			}()
			<-reached
			c.Close()
			<-done
			close(release)
			list, _ := differences(t, log, 1)
			if d := list[0]; d.Ours.Outcome != "ok" || d.Theirs.Status != "No" {
				t.Errorf("difference %+v", d)
			}
		})
	}
}

// A shutdown lets a comparison finish.
func TestShutdownFinishesComparisons(t *testing.T) {
	script := startScript(t)
	edit, log := script.shadowed(t, "ours")
	s := start(t, edit...)
	reached, release := make(chan struct{}), make(chan struct{})
	script.does(func(w http.ResponseWriter, _ *http.Request) {
		reached <- struct{}{}
		<-release
		w.Header().Set("Auth-Status", "No")
	})
	s.want("http", good, "OK")
	<-reached
	done := s.shutdown()
	for _, d := range s.endpoints {
		eventually(t, "no endpoint takes new logins", func() bool { return !d.open() })
	}
	close(release)
	if err := <-done; err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	differences(t, log, 1)
}

// A script that repeats the password does not get it into a log, only to the client, who knows it.
func TestTheScriptRepeatsThePassword(t *testing.T) {
	script := startScript(t)
	script.does(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Auth-Status", "wrong: "+r.Header.Get("Auth-Pass"))
	})
	edit, log := script.shadowed(t, "theirs")
	s := start(t, edit...)
	head, err := s.endpoints["http"].ask(good)
	if err != nil || !strings.Contains(field(head, "Auth-Status"), "right") {
		t.Errorf("%q, %v", head, err)
	}
	_, text := differences(t, log, 1)
	if all := text + s.readLog() + s.stderr.String(); strings.Contains(all, "right") || strings.Count(all, shadow.Hidden) != 2 {
		t.Errorf("logs have %s", all)
	}
}
