package phpscript

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailauthd/internal/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

func nobody(string) bool { return false }

// report is what the command prints of a result.
func report(name string, r *Result) string {
	var b strings.Builder
	for _, f := range r.Findings {
		kind := "told"
		if f.Warning {
			kind = "warning"
		}
		fmt.Fprintf(&b, "%s:%d: %s: %s\n", name, f.Line, kind, f.Text)
	}
	return r.Main + r.Servers + "\n# Findings\n\n" + b.String()
}

// loadPHP fails the test unless the configuration can be loaded.
func loadPHP(t *testing.T, r *Result) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mailauthd.toml")
	if err := os.WriteFile(file, []byte(r.Main+r.Servers), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err == nil {
		err = c.AccountErr
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, r.Main+r.Servers)
	}
	return c
}

// Scripts written in different ways, and what becomes of each.
func TestPHPGolden(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.php")
	if err != nil || len(scripts) < 8 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	for _, script := range scripts {
		name := filepath.Base(script)
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(script)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Convert(string(text), Script{Name: name, HasUser: nobody, HasGroup: nobody})
			if err != nil {
				t.Fatal(err)
			}
			loadPHP(t, r)
			golden := strings.TrimSuffix(script, ".php") + ".toml"
			got := report(name, r)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// routes are the domains of a configuration with their servers' hosts.
func routes(t *testing.T, r *Result) string {
	t.Helper()
	c := loadPHP(t, r)
	var list []string
	for _, line := range strings.Split(r.Servers, "\n") {
		name, ok := strings.CutPrefix(line, `[domains."`)
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, `"]`)
		d := c.Domains.Find(canonical(strings.Replace(name, "*", "sub", 1)))
		if d == nil {
			t.Fatalf("%s is not found", name)
		}
		list = append(list, fmt.Sprintf("%s=%s", name, d.Servers[0].Host))
	}
	return strings.Join(list, " ")
}

const (
	before = `<?php $u = $_SERVER['HTTP_AUTH_USER']; $s = ''; $d = substr($u, strpos($u, '@') + 1);` + "\n"
	after  = "\n" + `if (!$s) { header('Auth-Status: Invalid login or password'); exit; }
$f = fsockopen($s, 110); if (fgets($f) != '+OK') { header('Auth-Status: Invalid login or password'); exit; }
header('Auth-Status: OK'); header("Auth-Server: $s"); header('Auth-Port: ' . ['pop3' => 110, 'imap' => 143, 'smtp' => 25][$_SERVER['HTTP_AUTH_PROTOCOL']]);`
)

// Each line is one way to write a map. What a line decides by anything but the domain must be told, and not be a
// mapping.
func TestPHPNeverWrong(t *testing.T) {
	tests := []struct {
		code   string
		routes string
		told   string // in a finding of line 2 that is no warning
	}{
		{`if ($d == 'a.test') $s = '10.0.0.1';`, "a.test=10.0.0.1", ""},
		{`if ($d == 'a.test' && $_SERVER['HTTP_AUTH_SSL'] == 'on') $s = '10.0.0.1';`, "", "HTTP_AUTH_SSL"},
		{`if ($_SERVER['HTTP_AUTH_SSL'] == 'on' && $d == 'a.test') $s = '10.0.0.1';`, "", "HTTP_AUTH_SSL"},
		{`if ($d == 'a.test' || $u[0] == 'x') $s = '10.0.0.1';`, "a.test=10.0.0.1", "user name"},
		{`if ($d == 'a.test') { if (time() > 5) $s = '10.0.0.1'; }`, "", "time"},
		{`if ($d == 'a.test') { if (time() > 5) $s = '10.0.0.1'; else $s = '10.0.0.1'; }`, "a.test=10.0.0.1", ""},
		{`if ($d == 'a.test') $s = '10.0.0.1'; if (rand()) $s = '10.0.0.2';`, "", "rand"},
		{`if ($d == 'a.test') $s = '10.0.0.1'; $s = lookup($s);`, "", "lookup"},
		{`if ($d != 'a.test') exit; $s = '10.0.0.1';`, "a.test=10.0.0.1", ""},
		{`if (!($d == 'a.test')) $s = '10.0.0.1';`, "", "every domain"},
		{`if ($d == 'a.test') $s = '10.0.0.1'; else $s = '10.0.0.2';`, "a.test=10.0.0.1", "every domain"},
		{`if (substr($d, 0, 1) == 'a') $s = '10.0.0.1'; else $s = '10.0.0.2';`, "", "few characters"},
		{`if (PHP_VERSION_ID > 70000) $x = '10.0.0.1'; else $x = '10.0.0.2'; if ($d == 'a.test') $s = $x;`, "", "PHP_VERSION_ID"},
		{`$x = 0x10 + 0b11 + 017 + 1_0; if ($d == 'a.test') $s = "10.0.0.$x";`, "a.test=10.0.0.44", ""},
		{`if ($d == 'a.test') $s = '10.0.0.1'; header('Auth-Status: OK'); header('auth-server: 10.0.0.2'); header('Auth-Port: 25'); header_remove('Auth-Server'); if (!$s) exit; header_remove();`, "a.test=10.0.0.1", ""},
		{`if ($d == 'a.test') $s = '10.0.0.1'; if (ini_get('x') || phpversion() < '5') $s = '10.0.0.2';`, "", "ini_get"},
		{`if ($d == 'a.test') $s = '10.0.0.1'; register_shutdown_function('f');`, "", "register_shutdown_function"},
		{`if ($d == 'a.test') $s = '10.0.0.1'; ob_start(); if (!is_string($d) || is_string(5)) $s = '10.0.0.2';`, "a.test=10.0.0.1", ""},
		{`if ($d == urldecode('a%2Etest')) $s = '10.0.0.1';`, "", "urldecode"},
		{`$x = 1.5 + 1.5; if ($d == 'a.test') $s = "10.0.0.$x";`, "", "fraction"},
		{`$x = ~-2; if ($d == 'a.test') $s = "10.0.0.$x";`, "", "computed number"},
		{`$x = 'b' > 'a' ? 1 : 2; if ($d == 'a.test') $s = "10.0.0.$x";`, "a.test=10.0.0.1", ""},
		{`$x = [1, 2] == [1, 2] ? 1 : 2; if ($d == 'a.test') $s = "10.0.0.$x";`, "", "comparison of arrays"},
		{`$x = count([1, [2]], 1); if ($d == 'a.test') $s = "10.0.0.$x";`, "", "count"},
		{`$x = explode(',', '1,2,3', 2); if ($d == 'a.test') $s = "10.0.0.$x[1]";`, "", "10.0.0.2,3"},
		{`$x = [1, 2]; next($x); if ($d == 'a.test') $s = '10.0.0.' . current($x);`, "", "current"},
		{`if (' 1' == '1' && 'inf' != 'infinity' && $d == 'a.test') $s = '10.0.0.1';`, "a.test=10.0.0.1", ""},
		{`list(, $x) = explode('@', $u, 2); if ($x == 'a.test') $s = '10.0.0.1';`, "a.test=10.0.0.1", ""},
		{`if (strlen($d) == 6) $s = '10.0.0.1';`, "", "length"},
		{`if (crc32($d) % 2) $s = '10.0.0.1'; else $s = '10.0.0.2';`, "", "crc32"},
		{`$s = ['a.test' => '10.0.0.1', 'b.test' => '10.0.0.2'][$d] ?? '';`, "a.test=10.0.0.1 b.test=10.0.0.2", ""},
		{`$s = ['a.test' => '10.0.0.1'][$d] ?? '10.0.0.2';`, "a.test=10.0.0.1", "every domain"},
		{`$m = ['a.test' => '10.0.0.1']; foreach ($m as $k => $v) if ($k == $d) $s = $v;`, "a.test=10.0.0.1", ""},
		{`$m = ['a.test' => '10.0.0.1']; foreach ($m as $k => $v) if ($k == $d && odd($v)) $s = $v;`, "", "odd"},
		{`foreach (file('map') as $l) { list($k, $v) = explode(' ', $l); if ($k == $d) $s = $v; }`, "", "file"},
		{`if ($u == 'x@a.test') $s = '10.0.0.1'; elseif ($d == 'a.test') $s = '10.0.0.2';`, "", "before the @"},
		{`$s = "10.0.0." . (strstr($u, '@a.test') ? 1 : ''); if ($s == '10.0.0.') $s = '';`, "a.test=10.0.0.1", ""},
		{`if ($d == 'a.test') $s = 'mail.' . $d;`, "", "user name"},
		{`if ($d == 'a.test') $s = '10.0.0.999';`, "", "no address"},
		{`if ($d == 'a.test') eval('$s = 1;'); if ($d == 'b.test') $s = '10.0.0.1';`, "b.test=10.0.0.1", "eval"},
		{`$n = 's'; if ($d == 'a.test') $$n = '10.0.0.1'; if ($d == 'b.test') $s = '10.0.0.1';`, "b.test=10.0.0.1", "assignment"},
		{`$t = &$s; if ($d == 'a.test') $t = '10.0.0.1';`, "", "reference"},
		{`if ($d == 'a.test') $s = '10.0.0.1'; goto end; end:`, "", "cannot read"},
		{`for ($i = 0; $i < 3; $i++) if ($d == "a$i.test") $s = "10.0.0.$i";`, "a0.test=10.0.0.0 a1.test=10.0.0.1 a2.test=10.0.0.2", ""},
		{`while (true) { if ($d == 'a.test') $s = '10.0.0.1'; }`, "", "does not end"},
		{`if (preg_match('/@a.test$/', $u)) $s = '10.0.0.1';`, "a.test=10.0.0.1", ""},
		{`if (preg_match('/^\d+@a\.test$/', $u)) $s = '10.0.0.1';`, "", "regular expression"},
		{`if (preg_match('/^x@a\.test$/', $u)) $s = '10.0.0.1';`, "", "regular expression"},
		{`if (preg_match('/(.+)@(?<host>.+)/', $u, $m)) if ($m['host'] == 'a.test') $s = '10.0.0.1';`, "a.test=10.0.0.1", ""},
		{`if (strpos($u, '@a.test')) $s = '10.0.0.1';`, "a.test=10.0.0.1", ""},
		{`if (strcasecmp($d, 'A.test') == 0) $s = '10.0.0.1';`, "a.test=10.0.0.1", ""},
		{`if (substr_compare($u, '@a.test', -7) === 0) $s = '10.0.0.1';`, "a.test=10.0.0.1", ""},
		{`if (str_replace('.old', '', $d) == 'a.test') $s = '10.0.0.1';`, "", "str_replace"},
		{`if (end(explode('@', $u)) == 'a.test') $s = '10.0.0.1';`, "a.test=10.0.0.1", ""},
		{`$p = explode('@', $u); $x = array_pop($p); if ($x == 'a.test') $s = '10.0.0.1';`, "a.test=10.0.0.1", ""},
		{`if ($d == 'a.test') $s = '10.0.0.1'; if ($_SERVER['HTTP_AUTH_PROTOCOL'] == 'smtp' && $s) $s = '10.0.0.2';`, "", "another server for smtp"},
		{`function f($x, &$y) { if ($x == 'a.test') $y = '10.0.0.1'; } f($d, $s);`, "a.test=10.0.0.1", ""},
		{`class C { static function f($d) { return '10.0.0.1'; } } $s = C::f($d);`, "", "class C"},
		{`$f = function ($x) { return '10.0.0.1'; }; $s = $f($d);`, "", "computed"},
		{`if ($d == 'a.test') { $s = '10.0.0.1'; header("Auth-User: x$u"); }`, "", "login name"},
		{`if (in_array($d, ['a.test'], true) and !in_array($d, ['b.test'])) $s = '10.0.0.1';`, "a.test=10.0.0.1", ""},
		{`switch (true) { case $d == 'a.test': case $d == 'b.test': $s = '10.0.0.1'; }`, "a.test=10.0.0.1 b.test=10.0.0.1", ""},
		{`switch ($u[0]) { case 'a': $s = '10.0.0.1'; break; default: $s = '10.0.0.2'; }`, "", "few characters"},
		{`try { if ($d == 'a.test') $s = '10.0.0.1'; } catch (Exception $e) { $s = '10.0.0.2'; }`, "", "exception"},
		{`if ($d == 'münchen.test') $s = '10.0.0.1';`, "münchen.test=10.0.0.1", ""},
		{`if ($d == "a.test\"]\n[x]") $s = "10.0.0.1\n[y]";`, "", ""},
		{`if ($d == 'a.test') $s = '10.0.0.1' if ($d == 'b.test') $s = '10.0.0.2';`, "", "cannot read"},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			r, err := Convert(before+tt.code+after, Script{Name: "s.php", HasUser: nobody, HasGroup: nobody})
			if err != nil {
				if tt.routes != "" || tt.told != "" && !strings.Contains(err.Error(), tt.told) {
					t.Fatal(err)
				}
				return
			}
			if got := routes(t, r); got != tt.routes {
				t.Errorf("routes %q, want %q", got, tt.routes)
			}
			told := ""
			for _, f := range r.Findings {
				if !f.Warning && (told == "" || strings.Contains(f.Text, tt.told) && f.Line == 2) {
					told = f.Text
				}
			}
			if (told == "") != (tt.told == "") || !strings.Contains(told, tt.told) {
				t.Errorf("told %q, want %q", told, tt.told)
			}
		})
	}
}

// That a password is there is no check of it.
func TestPHPWithoutCheck(t *testing.T) {
	for _, code := range []string{
		`if (!isset($p)) exit; if (empty($p)) exit; if (!$p) exit; if ($p == '' || "" === $p) exit;`,
		`if (!isset($_SERVER['HTTP_AUTH_USER']) || !isset($_SERVER['HTTP_AUTH_PASS'])) exit;`,
		`if (($_SERVER['HTTP_AUTH_PASS'] ?? '') == '') exit;`,
	} {
		script := `<?php $p = $_SERVER['HTTP_AUTH_PASS']; ` + code + `
header('Auth-Status: OK'); header('Auth-Server: 10.0.0.1'); header('Auth-Port: 143');`
		r, err := Convert(script, Script{Name: "s.php", HasUser: nobody, HasGroup: nobody})
		if err != nil {
			t.Fatal(err)
		}
		if got := report("s.php", r); !strings.Contains(got, "without a check of the password") || strings.Contains(got, "itself") {
			t.Errorf("%s:\n%s", code, got)
		}
		checked := strings.Replace(script, "exit;", "exit; if ($p != 'hunter2') exit;", 1)
		r, err = Convert(checked, Script{Name: "s.php", HasUser: nobody, HasGroup: nobody})
		if err != nil {
			t.Fatal(err)
		}
		if got := report("s.php", r); !strings.Contains(got, "checks passwords itself") || strings.Contains(got, "hunter2") {
			t.Errorf("%s:\n%s", checked, got)
		}
	}
}

// Scripts that would take long, or much memory, end at a limit.
func TestPHPLimits(t *testing.T) {
	tests := map[string]string{
		"loop":      `while (true) { $a .= 'xxxxxxxx'; $b[] = $a; }`,
		"recursion": `function f($x) { if (rand()) f($x); return f($x . $x); } f('abc');`,
		"forks":     strings.Repeat("if (rand()) $a++;\n", 100) + `if ($a == 3) $s = '10.0.0.1';`,
		"nesting":   `$a = ` + strings.Repeat("(", 10_000) + `;`,
		"blocks":    strings.Repeat("if (1) {", 10_000),
		"chain":     strings.Repeat("if ($d == 'a.test') ; else ", 5000) + `;`,
	}
	for name, code := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := Convert(before+code+after, Script{Name: "s.php", HasUser: nobody, HasGroup: nobody})
			if err == nil && r.Complete() && name != "chain" {
				t.Errorf("nothing was told:\n%s", report("s.php", r))
			}
		})
	}
}

func TestPHPRefuses(t *testing.T) {
	tests := map[string]string{
		strings.Repeat("x", MaxScript+1):        "s.php: larger than 1048576 bytes: want the PHP script that answers nginx",
		"\x7fELF":                               "s.php: no PHP: want a script with <?php in it",
		"<?php\n/* ":                            "s.php:2: a comment that begins here does not end",
		"<?php\n\n$a = <<<X\nX1":                "s.php:3: a heredoc that begins here does not end",
		"<?php":                                 "s.php:1: no map found: no login gets a header Auth-Server: want the script that answers nginx's auth_http",
		"<?php\nclass A { function f() { } }":   "s.php:2: no map found: the script has its map in a class, which this command does not read: write the servers and domains by hand",
		"<?php " + strings.Repeat(";", 300_001): "s.php:1: the script has more than 300000 tokens, which is more than this command reads",
	}
	for text, want := range tests {
		if _, err := Convert(text, Script{Name: "s.php", HasUser: nobody, HasGroup: nobody}); err == nil || err.Error() != want {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
}
