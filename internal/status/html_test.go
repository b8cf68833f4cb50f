package status

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

// The page is complete and small at 10 logins a day, and at 5,000 a second.
func TestPageAtAnyRate(t *testing.T) {
	for name, r := range map[string]*Recorder{"quiet.html": quiet(), "busy.html": busy()} {
		s := sample(r)
		masked := name == "quiet.html"
		if masked {
			s.Mask(isDomain1)
		}
		page := htmlOf(t, s, Query{Format: HTML, Full: true})
		writePage(t, name, page)
		if len(page) > 96<<10 {
			t.Errorf("%s has %d bytes", name, len(page))
		}
		for _, want := range []string{`<meta http-equiv="refresh" content="10">`, "axigen1", "dovecot1 imap is set aside", "vmail", "</html>"} {
			if !strings.Contains(string(page), want) {
				t.Errorf("%s: no %s", name, want)
			}
		}
		for _, unwanted := range []string{"<b>", "ZgotmplZ", "<script", "http://", "https://", "url("} {
			if strings.Contains(string(page), unwanted) {
				t.Errorf("%s: has %s", name, unwanted)
			}
		}
	}
}

// The head of the page names everything that does not work.
func TestProblems(t *testing.T) {
	s := sample(quiet())
	s.Passdbs[0].Up, s.Log.Error, s.Reloads.LastError = false, "disk full", "line 3"
	s.Passdbs = append(s.Passdbs, Server{Name: "people", Up: true, SetAside: 1})
	want := []string{"the log cannot be written", "axigen1 imap: the certificate ends soon", "dovecot1 imap is set aside", "passdb vmail is set aside",
		"a server of passdb people is set aside",
		"Redis is set aside", "the last reload was refused"}
	if got := s.Problems(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := New(noon, noon).Problems(); len(got) > 0 {
		t.Errorf("nothing is wrong, but %q", got)
	}
}

// The policy allows the style sheet of the page as it is sent, and nothing else.
func TestPolicyFitsThePage(t *testing.T) {
	page := string(htmlOf(t, sample(quiet()), Query{Format: HTML}))
	_, after, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(after, "</style>")
	hash := sha256.Sum256([]byte(style))
	policy := ContentSecurityPolicy()
	if want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "';"; !strings.Contains(policy, want) || !strings.HasPrefix(policy, "default-src 'none'; ") {
		t.Errorf("policy %s, want %s", policy, want)
	}
	if strings.Contains(page, "style=") {
		t.Error("the page has a style attribute, which the policy does not allow")
	}
}

// The links in the head of a table sort it.
func TestTablesSort(t *testing.T) {
	for query, want := range map[string]string{
		"html&sort=servers.3":       "set aside up up up",
		"html&sort=servers.-5":      "36.9 ms 24.6 ms 12.3 ms ",
		"html&full&sort=servers.5":  " 12.3 ms 24.6 ms 36.9 ms",
		"html&sort=servers.99":      "",
		"html&sort=throttle.3&full": "",
	} {
		q, err := ParseQuery(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		s := sample(quiet())
		rows := s.serverTable()
		rows.arrange(q)
		var got []string
		for _, row := range rows.Rows {
			if i := q.sort.column - 1; q.sort.table == "servers" && i < len(row) {
				got = append(got, row[i].Text)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", query, strings.Join(got, " "), want)
		}
		if page := string(htmlOf(t, s, q)); query == "html&full&sort=servers.5" && !strings.Contains(page, `href="?html&amp;full&amp;sort=servers.-5#servers">response time ▲`) {
			t.Error("no link for the other order")
		}
	}
}

func TestQueries(t *testing.T) {
	for raw, want := range map[string]Query{
		"": {Format: Text}, "json": {Format: JSON}, "html": {Format: HTML}, "full": {Format: Text, Full: true},
		"full&json": {Format: JSON, Full: true}, "html&sort=recent.-1": {Format: HTML, sort: order{"recent", 1, true}},
	} {
		if got, err := ParseQuery(raw); err != nil || got != want {
			t.Errorf("%q: %+v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"xml", "json=1", "json&html", "json&json", "full&full", "&", "json&", "html&sort=servers", "html&sort=servers.0",
		"html&sort=servers.200", "html&sort=x.1", "sort=servers.1", "html&sort=servers.1&sort=servers.2", "%6a", "<script>"} {
		if got, err := ParseQuery(raw); err == nil {
			t.Errorf("%q: %+v, want an error", raw, got)
		}
	}
}
