package e2e

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	unansweredLogins  = 20                  // of the user whom the server does not answer, all at once
	unansweredTimeout = time.Second         // of the server
	unansweredUser    = "unanswered@domain" // whom the server does not answer
)

// unansweredCases has what the server does after it has received the credentials of one user.
var unansweredCases = []struct {
	name  string
	reply scriptedReply
}{
	{"closes the connection", scriptedReply{}},
	{"does not answer", scriptedReply{"OK too late", clientTimeout}},
}

// TestServerIsNotSetAsideByOneLogin checks a mail server that answers all users but one. Logins of that user must be
// temporary failures. They must neither set the server aside nor go to the next one.
func TestServerIsNotSetAsideByOneLogin(t *testing.T) {
	t.Parallel()
	for _, tt := range unansweredCases {
		for _, second := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, second server %v", tt.name, second), func(t *testing.T) {
				t.Parallel()
				testUnanswered(t, tt.reply, second)
			})
		}
	}
}

func testUnanswered(t *testing.T, reply scriptedReply, second bool) {
	first := startScripted(t, "imap", func(a account) scriptedReply {
		if a.user == unansweredUser {
			return reply
		}
		return scriptedReply{line: "OK welcome"}
	})
	var asked atomic.Int64
	other := startScripted(t, "imap", func(account) scriptedReply {
		asked.Add(1)
		return scriptedReply{line: "OK welcome"}
	})
	servers := `["first"]`
	if second {
		servers = `["first", "second"]`
	}
	verify := fmt.Sprintf("timeout = %q\nconnect_timeout = %q\n", unansweredTimeout, unansweredTimeout)
	s := newSite(t, tempDir(t))
	d := startMailauthd(t, s, first.toml("first", verify)+other.toml("second", verify)+"\n[domains.domain]\nservers = "+servers+"\n")
	for round := range 2 {
		var logins sync.WaitGroup
		for range unansweredLogins / 2 {
			logins.Go(func() { checkAnswer(t, s, tempFailure, unansweredUser, 0) })
		}
		checkAnswer(t, s, "OK", fmt.Sprintf("between%d@domain", round), first.port)
		logins.Wait()
		checkAnswer(t, s, "OK", fmt.Sprintf("after%d@domain", round), first.port)
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the second server was asked %d times", n)
	}
	if d.said(t, "server set aside") {
		t.Error("the server was set aside")
	}
}

// checkAnswer logs in, and checks the Auth-Status, and the Auth-Port unless port is 0.
func checkAnswer(t *testing.T, s site, want, user string, port int) {
	header, _, err := loginRequest{account: account{user, mark}}.ask(s.socket)
	if err != nil {
		t.Error(err)
		return
	}
	if got := header.Get("Auth-Status"); got != want || port != 0 && header.Get("Auth-Port") != strconv.Itoa(port) {
		t.Errorf("%s: Auth-Status %q, Auth-Port %q, want %q and %d", user, got, header.Get("Auth-Port"), want, port)
	}
}
