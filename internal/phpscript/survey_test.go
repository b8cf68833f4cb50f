package phpscript

import (
	"strings"
	"testing"
)

// What a script does with the method becomes methods in [auth], if it does so with each login.
func TestPHPMethods(t *testing.T) {
	const domains = `if ($d == 'a.test') $s = '10.0.0.1'; if ($d == 'b.test') $s = '10.0.0.2'; $m = $_SERVER['HTTP_AUTH_METHOD'];`
	for _, tt := range []struct{ code, methods, told string }{
		{``, "", ""},
		{`if ($m != 'plain') $s = '';`, `["plain"]`, ""},
		{`if ($m == 'apop') $s = '';`, `["plain", "cram-md5"]`, ""},
		{`if (!in_array($m, ['plain', 'apop'])) $s = '';`, `["plain", "apop"]`, ""},
		{`if ($m == 'none') $s = '';`, "", ""},
		{`if ($m == 'apop' && $_SERVER['HTTP_AUTH_PROTOCOL'] != 'pop3') $s = '';`, "", "lets apop in for some logins only"},
		{`if ($m == 'cram-md5' && $d == 'b.test') $s = '';`, "", "lets cram-md5 in for some logins only"},
		{`if ($m == 'cram-md5' && $s) $s = '10.0.0.3';`, `["plain", "apop"]`, ""},
		{`if ($m == 'apop' && time() > 5) $s = '';`, `["plain", "cram-md5"]`, ""},
		{`$p = $_SERVER['HTTP_AUTH_PROTOCOL']; if ($p != 'pop3' || $m == 'cram-md5') $s = '';`, `["plain", "apop"]`, ""},
	} {
		r, err := Convert(before+domains+tt.code+after, Script{Name: "s.php", HasUser: nobody, HasGroup: nobody})
		if err != nil {
			t.Fatal(err)
		}
		loadPHP(t, r)
		_, methods, _ := strings.Cut(r.Main, "methods = ")
		methods, _, _ = strings.Cut(methods, "\n")
		told := ""
		for _, f := range r.Findings {
			if strings.Contains(f.Text, "for some logins only") {
				told = f.Text
			}
		}
		if methods != tt.methods || (told == "") != (tt.told == "") || !strings.Contains(told, tt.told) {
			t.Errorf("%s\nmethods %s, want %s; told %q, want %q", tt.code, methods, tt.methods, told, tt.told)
		}
	}
}

// Servers have the names that the script gives them, if these tell them apart.
func TestPHPServerNames(t *testing.T) {
	for _, tt := range []struct{ code, want string }{
		{`$server1 = '10.0.0.1'; $dovecot = '10.0.0.2'; $ip = '10.0.0.3'; if ($d == 'a.test') $s = $server1; if ($d == 'b.test') $s = $dovecot; if ($d == 'c.test') $s = $ip;`,
			"dovecot=10.0.0.2 server1=10.0.0.1 server2=10.0.0.3"},
		{`$x = ['dovecot' => '10.0.0.1', 'imap' => '10.0.0.9']; $y = ['dovecot' => '10.0.0.2']; if ($d == 'a.test') $s = $x['dovecot']; if ($d == 'b.test') $s = $y['dovecot'];`,
			"server1=10.0.0.1 server2=10.0.0.2"},
		{`$x = ['Mail_Old' => '10.0.0.1', 'ümlaut' => '10.0.0.2']; if ($d == 'a.test') $s = $x['Mail_Old']; if ($d == 'b.test') $s = $x['ümlaut'];`,
			"mail_old=10.0.0.1 server1=10.0.0.2"},
	} {
		r, err := Convert(before+tt.code+after, Script{Name: "s.php", HasUser: nobody, HasGroup: nobody})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range loadPHP(t, r).Servers {
			got = append(got, s.Name+"="+s.Host)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s\nservers %q, want %q", tt.code, got, tt.want)
		}
	}
}

// The warnings name a domain that the script lets in and that the configuration does not, and no other.
func TestPHPLookAlikes(t *testing.T) {
	const end = `function ends($s, $e) { return substr($s, -strlen($e)) == $e; } `
	for _, tt := range []struct {
		code string
		want []string // in a warning each
	}{
		{`if ($d == 'a.test') $s = '10.0.0.1';`, nil},
		{end + `if (ends($d, 'a.test')) $s = '10.0.0.1';`, []string{`"evila.test"`, `"mail.a.test"`}},
		{end + `if ($d == 'a.test' || ends($d, '.a.test')) $s = '10.0.0.1';`, nil},
		{end + `if ($d == 'a.test' || $d == 'mail.a.test') $s = '10.0.0.1';`, nil},
		{`if (strpos($d, 'a.test') !== false) $s = '10.0.0.1';`, []string{`"evila.test"`, `"mail.a.test"`}},
		{`if (strpos($d, 'a.test') === 0) $s = '10.0.0.1';`, []string{`"a.test.evil.example"`}},
		{end + `if ($_SERVER['HTTP_AUTH_PROTOCOL'] == 'pop3' && ends($d, 'a.test')) $s = '10.0.0.1';`, []string{`"evila.test"`, `"mail.a.test"`}},
	} {
		r, err := Convert(before+tt.code+after, Script{Name: "s.php", HasUser: nobody, HasGroup: nobody})
		if err != nil {
			t.Fatal(err)
		}
		var also []string
		for _, f := range r.Findings {
			if strings.Contains(f.Text, "also lets in") {
				also = append(also, f.Text)
			}
		}
		ok := len(also) == len(tt.want) && r.Complete()
		for i := range min(len(also), len(tt.want)) {
			ok = ok && strings.Contains(also[i], tt.want[i])
		}
		if !ok {
			t.Errorf("%s\n%q, want %q", tt.code, also, tt.want)
		}
	}
}
