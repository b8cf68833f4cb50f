package users

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func read(t *testing.T, s string) ([]Entry, []LineError) {
	t.Helper()
	entries, problems, err := ReadPasswdFile(strings.NewReader(s), PasswdLimits{})
	if err != nil {
		t.Fatal(err)
	}
	return entries, problems
}

func TestReadPasswdFile(t *testing.T) {
	const md5 = "0123456789abcdef0123456789ABCDEF"
	for _, tt := range []struct {
		line string
		want Entry
	}{
		{"bob@a.example:{PLAIN}x", Entry{Name: "bob@a.example", Password: "{PLAIN}x"}},
		{"bob:{plain.b64}eA==:", Entry{Name: "bob", Password: "{plain.b64}eA=="}},
		{"bob:{PLAIN}x::::::", Entry{Name: "bob", Password: "{PLAIN}x"}},
		{"bob:{PLAIN} x y ::::::\r", Entry{Name: "bob", Password: "{PLAIN} x y "}},
		{"b b:{PLAIN}[13]:500:500:Bob B.:/home/bob:/sbin/nologin", Entry{Name: "b b", Password: "{PLAIN}[13]"}},
		{"jürgen:$6$salt$hash:500:500::/home/bob::userdb_mail=mbox:~/mail nodelay", Entry{Name: "jürgen", Password: "$6$salt$hash",
			Dropped: []string{"userdb_mail", "nodelay"}}},

		// htpasswd, shadow, libpam-pwdfile
		{"bob:$apr1$salt$hash", Entry{Name: "bob", Password: "$apr1$salt$hash"}},
		{"bob:$2y$05$hash", Entry{Name: "bob", Password: "$2y$05$hash"}},
		{"bob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", Entry{Name: "bob", Password: "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="}},
		{"bob:rqXexS6ZhobKA", Entry{Name: "bob", Password: "{DES-CRYPT}rqXexS6ZhobKA"}},
		{"bob:rqXexS6ZhobKA[13]", Entry{Name: "bob", Password: "{DES-CRYPT}rqXexS6ZhobKA"}},
		{"bob:" + md5 + "[34]", Entry{Name: "bob", Password: "{PLAIN-MD5}" + md5}},
		{"bob:" + md5 + "[56]", Entry{Name: "bob", Password: "{DIGEST-MD5}" + md5}},
		{"bob:$y$j9T$salt$hash:19000:0:99999:7:::", Entry{Name: "bob", Password: "$y$j9T$salt$hash"}},

		// extra fields
		{"bob:$1$x::::::allow_nets=192.0.2.0/24,::1,local,2001:db8::0:0/80", Entry{Name: "bob", Password: "$1$x",
			AllowNets: []string{"192.0.2.0/24", "::1", "2001:db8::0:0/80"}}},
		{"bob:$1$x::::::nologin reason=moved", Entry{Name: "bob", Password: "$1$x", NoLogin: true, Reason: "moved"}},
		{"bob:$1$x::::::nologin=no", Entry{Name: "bob", Password: "$1$x", NoLogin: true}},
		{"bob:$1$x::::::fail", Entry{Name: "bob", Password: "$1$x", NoLogin: true}},
		{"bob:$1$x::::::  proxy=y  host=192.0.2.1 port=143 destuser=robert pass=a=b:c user=b ", Entry{Name: "bob", Password: "$1$x",
			Login: "robert", UpstreamPassword: "a=b:c", Host: "192.0.2.1", Dropped: []string{"proxy", "port", "user"}}},
		{"bob:$1$x::::::destuser=a destuser=b", Entry{Name: "bob", Password: "$1$x", Login: "b"}},
		{"bob:$1$x::::::userdb_plugin/sieve=x s3cr3t nodelay=y S3=3 userdb_ userdb_;", Entry{Name: "bob", Password: "$1$x",
			Dropped: []string{"userdb_plugin/sieve", "extra field 2", "nodelay", "extra field 4", "extra field 5", "extra field 6"}}},
		{"bob:$1$x:500:500::/home/bob:::/var/mail/bob:INDEX=/x", Entry{Name: "bob", Password: "$1$x", Dropped: []string{"userdb_mail"}}},
	} {
		tt.want.Line = 3
		got, problems := read(t, "# comment\n\n"+tt.line+"\n")
		if len(problems) > 0 || len(got) != 1 || !reflect.DeepEqual(got[0], tt.want) {
			t.Errorf("%q: got %v, problems %v", tt.line, got, problems)
			for _, e := range got {
				t.Logf("%q %q %q %v %q %q %q %q %q", e.Name, e.Password, e.AllowNets, e.NoLogin, e.Reason, e.Login, e.UpstreamPassword, e.Host, e.Dropped)
			}
		}
	}
}

func TestReadPasswdFileProblems(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"bob", "has no password: want user:password"},
		{"bob:", "has no password"},
		{"bob::500:500::/home/bob", "has no password"},
		{":s3cr3t", "has no user name"},
		{" bob:s3cr3t", "spaces around the user name"},
		{"bob :s3cr3t", "spaces around the user name"},
		{"\ufeffbob:s3cr3t", "the user name holds a character that cannot be printed"},
		{"b\x00ob:s3cr3t", "contains a control character"},
		{"bob:s3cr3t\r\r", "contains a control character"},
		{"bob:s3cr3t\xff", "not UTF-8: TOML cannot hold it"},
		{"bob:s3cr3t", "the password has no scheme and is no hash"},
		{"bob:s3cr3t-s3cr3t", "the password has no scheme and is no hash"},
		{"bob:s3cr3ts3cr3t!", "the password has no scheme and is no hash"}, // 13 characters
		{"bob:s3cr3t[34]", "the password has no scheme and is no hash"},
		{"bob:s3cr3t[99]", "the password has no scheme and is no hash"},
		{"bob:x:500:500::/home/bob:/bin/sh", "the password has no scheme and is no hash"},
		{"bob:{s3cr3t", "the password has no scheme after its brace"},
		{"bob:{}s3cr3t", "the password has no scheme after its brace"},
		{"bob:{s 3}s3cr3t", "the password has no scheme after its brace"},
		{"bob:!$6$s3cr3t", "the password is locked"},
		{"bob:*", "the password is locked"},
		{"bob:$1$x::::::nopassword", "nopassword would let anybody in"},
		{"bob:$1$x::::::allow_real_nets=s3cr3t", "allow_real_nets restricts logins"},
		{"bob:$1$x::::::delay_until=1", "delay_until restricts logins"},
		{"bob:$1$x::::::allow_nets=", "allow_nets is empty"},
		{"bob:$1$x::::::allow_nets=local", "allow_nets has no network"},
		{"bob:$1$x::::::allow_nets=::1,s3cr3t", "allow_nets: entry 2 is neither an address nor a network"},
		{"bob:$1$x::::::allow_nets=::1,", "allow_nets: entry 2 is neither an address nor a network"},
		{"bob:$1$x::::::allow_nets=::1:", "allow_nets: entry 1 is neither an address nor a network"},
		{"bob:$1$x::::::allow_nets=%{s3cr3t}", `allow_nets holds a "%"`},
		{"bob:$1$x::::::destuser=%n", `destuser holds a "%"`},
		{"bob:$1$x::::::pass=s3cr3t%u", `pass holds a "%"`},
		{"bob:$1$x::::::pass", "pass is empty"},
		{"bob:$1$x::::::nologin:", "extra field 1 has a colon in its name"},
		{"bob:$1$x:::::allow_nets=::1", "field 7 looks like an extra field"},
		{"bob:$1$x:nologin", "field 3 looks like an extra field"},
		{"bob:$1$x:::::::x pass=s3cr3t", "field 9 looks like an extra field"},
		{"BOB@A.example:$1$y", "the same user as in line 1"},
		{strings.Repeat("s3cr3t", 2000), "longer than 8192 bytes"},
	} {
		got, problems := read(t, "bob@a.example:$1$x\n"+tt.line)
		if len(problems) != 1 || len(got) != 1 {
			t.Errorf("%q: got %v, problems %v; want one more problem", tt.line, got, problems)
			continue
		}
		if p := problems[0]; p.Line != 2 || !strings.HasPrefix(p.Error(), "line 2: "+tt.want) || strings.Contains(p.Error(), "s3cr3t") {
			t.Errorf("%q: %v; want %s", tt.line, p, tt.want)
		}
	}
}

func TestReadPasswdFileAfterProblems(t *testing.T) {
	got, problems := read(t, "a:$1$x\n"+strings.Repeat("x", MaxPasswdLine+1)+"\n#\r\n  # c\n \t\nb:$1$x\r\nc\nd:"+strings.Repeat("$", MaxPasswdLine-2)+"\r\n")
	if len(got) != 3 || got[1].Line != 6 || got[2].Line != 8 || len(problems) != 2 || problems[0].Line != 2 || problems[1].Line != 7 {
		t.Errorf("entries %v, problems %v", got, problems)
	}
}

func TestReadPasswdFileLimits(t *testing.T) {
	limits := PasswdLimits{Line: 20, Lines: 3}
	if got, problems, err := ReadPasswdFile(strings.NewReader("a:$1$x\nb:$1$x\nc:$1$x"), limits); err != nil || len(got) != 3 || len(problems) != 0 {
		t.Errorf("entries %v, problems %v, error %v", got, problems, err)
	}
	if got, _, err := ReadPasswdFile(strings.NewReader("\n\n\n#"), limits); err == nil || got != nil {
		t.Errorf("four lines: %v, %v", got, err)
	}
	for _, tt := range []struct {
		length   int
		problems int
	}{{20, 0}, {21, 1}, {22, 1}, {23, 1}, {100, 1}} {
		line := "a:$" + strings.Repeat("x", tt.length-3)
		for _, end := range []string{"", "\n", "\r\n"} {
			_, problems, err := ReadPasswdFile(strings.NewReader(line+end), limits)
			if err != nil || len(problems) != tt.problems {
				t.Errorf("%d bytes, then %q: problems %v, error %v", tt.length, end, problems, err)
			}
		}
	}
	failing := io.MultiReader(strings.NewReader("a:$1$x\nb:$1"), iotest.ErrReader(errors.New("disk on fire")))
	if got, _, err := ReadPasswdFile(failing, limits); err == nil || err.Error() != "line 2: disk on fire" || got != nil {
		t.Errorf("entries %v, error %v", got, err)
	}
}

func TestEntryDoesNotPrintPasswords(t *testing.T) {
	e := Entry{Line: 1, Name: "bob", Password: "s3cr3t", UpstreamPassword: "s3cr3t"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if s := fmt.Sprintf(format, e) + fmt.Sprintf(format, []Entry{e}) + fmt.Sprintf(format, &e); strings.Contains(s, "s3cr3t") {
			t.Errorf("%s prints %s", format, s)
		}
	}
}

func FuzzPasswdFile(f *testing.F) {
	f.Add("# c\nbob:{PLAIN}x:500:500::/home::allow_nets=::1,local nologin reason=x pass=y userdb_mail=z foo\r\nbob:x", 100)
	f.Add("a:rqXexS6ZhobKA[13]\nb:rqXexS6ZhobKA\n:\nc:$apr1$\nd:{SHA}x:::::::maildir:~", 30)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 1 + max(limit, -limit, 0)%200
		entries, problems, err := ReadPasswdFile(strings.NewReader(s), PasswdLimits{Line: limit})
		lines := 1 + strings.Count(s, "\n")
		if err != nil || len(entries)+len(problems) > lines {
			t.Fatalf("%d entries, %d problems in %d lines, %v", len(entries), len(problems), lines, err)
		}
		seen := make(map[int]bool)
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines || seen[p.Line] {
				t.Errorf("problem %v", p)
			}
			seen[p.Line] = true
		}
		for _, e := range entries {
			if e.Line < 1 || e.Line > lines || seen[e.Line] || e.Name == "" || e.Password == "" || len(e.Name)+len(e.Password) > limit+len("{DIGEST-MD5}") {
				t.Errorf("entry %v", e)
			}
			if all := e.Name + e.Password + e.Login + e.UpstreamPassword + e.Reason; !utf8.ValidString(all) || strings.ContainsAny(all, "\x00\r\n") {
				t.Errorf("entry %v holds %q", e, all)
			}
			if !strings.HasPrefix(e.Password, "{") && !strings.HasPrefix(e.Password, "$") {
				t.Errorf("entry %v has a password without a scheme", e)
			}
			seen[e.Line] = true
		}
	})
}
