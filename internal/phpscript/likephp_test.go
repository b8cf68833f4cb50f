package phpscript

import (
	"strings"
	"testing"
)

// What PHP does in ways that are easily read wrongly. The server must be the one that PHP sends the domain to, or the line is told.
func TestPHPReadsAsPHP(t *testing.T) {
	const two = `if ($d == 'a.test' || $d == 'b.test') $s = '10.0.0.1'; `
	const list = `$l = ['10.0.0.1', '10.0.0.2']; `
	tests := []struct {
		code   string
		routes string
		told   string
	}{
		{two + `if (strcmp($d, 'b') < 0) $s = '10.0.0.2';`, "", "order of user names"},
		{two + `if (strcmp($d, 'a.test')) $s = '10.0.0.2';`, "a.test=10.0.0.1 b.test=10.0.0.2", "every domain"},
		{two + `if (strcasecmp($d, 'A.test') === 0) $s = '10.0.0.2';`, "a.test=10.0.0.2 b.test=10.0.0.1", ""},
		{two + `if (strcmp('a', 'b') < 0) $s = '';`, "", "no map"},
		{list + `if ($d == 'a.test') { next($l); $s = current($l); }`, "", "current"},
		{list + `if ($d == 'a.test') { end($l); $s = current($l); }`, "", "current"},
		{list + `if ($d == 'a.test') $s = current($l);`, "a.test=10.0.0.1", ""},
		{`register_shutdown_function('f'); function f() { header('Auth-Server: 10.0.0.9'); } ` + two, "", "register_shutdown_function"},
		{`set_error_handler('f'); function f($n, $t) { error_log($t); } ` + two, "a.test=10.0.0.1 b.test=10.0.0.1", ""},
		{`ob_start('ob_gzhandler'); ` + two, "a.test=10.0.0.1 b.test=10.0.0.1", ""},
		{`header('Auth-Status: OK'); header_remove('Auth-Status'); ` + two, "a.test=10.0.0.1 b.test=10.0.0.1", ""},
		{two + `if (PHP_VERSION_ID >= 70000) $s = '10.0.0.2';`, "", "PHP_VERSION_ID"},
		{two + `if (PHP_OS == 'Linux') $s = '10.0.0.2';`, "", "PHP_OS"},
		{`if ($d == 'a.test') $s = '10.0.0.' . 0x10; if ($d == 'b.test') $s = '10.0.0.' . 010;`, "a.test=10.0.0.16 b.test=10.0.0.8", ""},
		{`$x = ['a.test']; $x[] = 'b.test'; $g = [[$x, '10.0.0.1']]; $x[] = 'c.test'; if (in_array($d, $g[0][0])) $s = $g[0][1];`, "a.test=10.0.0.1 b.test=10.0.0.1", ""},
		{`list($k, $r) = explode('=', 'a.test=10.0.0.1=', 2); if ($d == $k) $s = $r == '10.0.0.1=' ? '10.0.0.2' : $r;`, "a.test=10.0.0.2", ""},
		{`list($k) = explode('@', $u, -1); if ($k == 'a.test') $s = '10.0.0.1'; if ($d == 'b.test') $s = '10.0.0.2';`, "b.test=10.0.0.2", "limit"},
		{`$m = ['a.test' => ['h' => '10.0.0.1'], 'b.test' => ['h' => '10.0.0.2']]; unset($m['a.test']['h']); $s = $m[$d]['h'] ?? '';`, "b.test=10.0.0.2", ""},
		{two + `if ('1_0' == 10 || 'inf' == 'infinity') $s = '10.0.0.2'; if ($s && ' 1' == '1') $s = '10.0.0.3';`, "a.test=10.0.0.3 b.test=10.0.0.3", ""},
		{two + `$s = trim($s, '0..1');`, "", "trim"},
		{`$m = ['a.test' => ['10.0.0.1']]; if (isset($m[$d])) { if (is_string($m[$d])) $s = '10.0.0.2'; else $s = $m[$d][0]; }`, "a.test=10.0.0.1", ""},
		{`$m = ['a.test' => ['10.0.0.1']]; if (isset($m[$d])) $s = $m[$d];`, "", "array"},
		{two + `if (function_exists('x')) $s = '10.0.0.2';`, "", "what functions PHP has"},
		{two + `if (extension_loaded('apcu')) $s = '10.0.0.2';`, "", "extension_loaded"},
		{two + `if (preg_match('/@mx.\.c\.test$/', $u)) $s = '10.0.0.2';`, "", "regular expression"},
		{two + `if (strpos($u, 'boss') === 0) $s = '10.0.0.2';`, "a.test=10.0.0.1 b.test=10.0.0.1", "before the"},
		{two + `if (strpos($u, 'john.doe') === 0) $s = '10.0.0.2';`, "a.test=10.0.0.1 b.test=10.0.0.1", "before the"},
		{two + `if (strstr($u, '+')) $s = '10.0.0.2';`, "a.test=10.0.0.1 b.test=10.0.0.1", `"+"`},
		{two + `if (preg_match('/^boss/', $u)) $s = '10.0.0.2';`, "a.test=10.0.0.1 b.test=10.0.0.1", "before the"},
		{`class C { function f() { global $s; $s = '10.0.0.2'; } } ` + two + `$c = new C; $c->f();`, "", "class C"},
		{`class C { static function f() { global $s; $s = '10.0.0.2'; } } ` + two + `C::f();`, "", "class C"},
		{`function f($x) { $GLOBALS['s'] = '10.0.0.2'; return $x; } ` + two + `array_map('f', [1]);`, "", "array_map calls"},
		{two + `$q = mysqli_init()->prepare('x'); $q->bind_result($s); $q->fetch();`, "", "mysqli_init"},
		{two + `$x = ['a' => &$s]; $x['a'] = '10.0.0.2';`, "", "reference"},
		{two + `function f(&$x) { global $s; $x = '10.0.0.2'; $s .= '0'; } f($s);`, "", "reference"},
		{two + `function f() { global $s; unset($s); $s = '10.0.0.2'; } f();`, "a.test=10.0.0.1 b.test=10.0.0.1", ""},
		{`$m = []; $m['x']['a.test'] = '10.0.0.1'; $n = $m; $n['x']['a.test'] = '10.0.0.2'; $s = $m['x'][$d] ?? '';`, "a.test=10.0.0.1", ""},
		{`$m = []; $m['a.test'] = '10.0.0.1'; define('M', $m); $GLOBALS['n'] = $m; $m['a.test'] = '10.0.0.2'; if (M == $n) $s = M[$d] ?? '';`, "a.test=10.0.0.1", ""},
		{two + `$m = ['plain' => '10.0.0.1', 'apop' => '10.0.0.2']; if ($s) $s = $m[$_SERVER['HTTP_AUTH_METHOD']] ?? '';`, "a.test=10.0.0.1 b.test=10.0.0.1", "sends logins by apop"},
		{two + `if (substr_compare($d, 'a.', 0, 2) == 0) $s = '10.0.0.2';`, "", "substr_compare"},
		{two + `$n = 1.5; if ($s && $n + 1 > 2) $s = '10.0.0.2';`, "", "fraction"},
		{two + `if ($s && 1e2 > 50) $s = '10.0.0.2';`, "a.test=10.0.0.2 b.test=10.0.0.2", ""},
		{two + `if ($s && '10.0.0.2' > '10.0.0.10') $s = '10.0.0.2';`, "a.test=10.0.0.2 b.test=10.0.0.2", ""},
		{two + `if (isset($s['x']) || isset($s[50])) $s = '10.0.0.2';`, "a.test=10.0.0.1 b.test=10.0.0.1", ""},
		{`if ($d == 'a.test') { header('Auth-Server: 10.0.0.1'); header('Auth-Port: 110'); exit; }`, "a.test=10.0.0.1", ""},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			r, err := Convert(before+tt.code+after, Script{Name: "s.php", HasUser: nobody, HasGroup: nobody})
			if err != nil {
				if tt.routes != "" || !strings.Contains(err.Error(), tt.told) {
					t.Fatal(err)
				}
				return
			}
			if got := routes(t, r); got != tt.routes {
				t.Errorf("routes %q, want %q", got, tt.routes)
			}
			told := ""
			for _, f := range r.Findings {
				if !f.Warning && (told == "" || strings.Contains(f.Text, tt.told)) {
					told = f.Text
				}
			}
			if (told == "") != (tt.told == "") || !strings.Contains(told, tt.told) {
				t.Errorf("told %q, want %q", told, tt.told)
			}
		})
	}
}

// A script may look at the method in any way.
func TestPHPMethodIsLookedAt(t *testing.T) {
	for _, code := range []string{
		`if (strpos($m, 'cram') === 0) exit;`,
		`if (preg_match('/^cram/', $m)) exit;`,
		`if ("x:$m" == 'x:cram-md5') exit;`,
		`if (strlen($m) > 5) exit;`,
		`$p = explode('-', $m); if ($p[0] == 'cram') exit;`,
	} {
		t.Run(code, func(t *testing.T) {
			r, err := Convert(before+`$m = $_SERVER['HTTP_AUTH_METHOD']; `+code+` if ($d == 'a.test') $s = '10.0.0.1';`+after,
				Script{Name: "s.php", HasUser: nobody, HasGroup: nobody})
			if err != nil || !strings.Contains(r.Main, `methods = ["plain", "apop"]`) {
				t.Errorf("%v, %s", err, r.Main)
			}
		})
	}
}
