package password

import (
	"encoding/hex"
	"os/exec"
	"testing"
)

// perlCrypt calls the system's crypt(3), which is libxcrypt on Debian.
func perlCrypt(t *testing.T, perl string, password, setting string) string {
	t.Helper()
	const script = `print crypt(pack("H*", $ARGV[0]), $ARGV[1])`
	out, err := exec.Command(perl, "-e", script, hex.EncodeToString([]byte(password)), setting).Output()
	if err != nil || len(out) < 13 || out[0] == '*' {
		t.Fatalf("crypt(3) with %s: %q, %v", setting, out, err)
	}
	return string(out)
}

func TestCryptOfTheSystem(t *testing.T) {
	perl := needProgram(t, "perl")
	settings := []string{
		"$2a$04$abcdefghijklmnopqrstuu",
		"$2b$04$abcdefghijklmnopqrstuu",
		"$2y$04$abcdefghijklmnopqrstuu",
		"$5$salt", "$5$rounds=1000$0123456789abcdef", "$6$salt", "$6$rounds=1234$0123456789abcdef",
		"$y$j/.$", "$y$j1/$..", "$y$j35$F5Jx5fExrKuPp53xLKQ..1", "$y$j0T$LdJMENpBABJJ3hIHjB1Bi.", "$y$j1d$...", "$y$j8.$//",
		"$gy$j35$.......", "$gy$j0T$LdJMENpBABJJ3hIHjB1Bi.", "$gy$j/.$..",
		"$7$06..../....SodiumChloride", "$7$26..../....a$b", "$7$0/..../....", "$7$20..../....salt",
		"$sha1$1$a", "$sha1$100$F5Jx5fEx", "$sha1$999$0123456789./ABCDEFGH",
		"$1$", "$1$abcd", "$1$01234567",
		"..", "ab", "zz", "/9", "Z.",
	}
	for _, setting := range settings {
		for _, password := range passwords {
			value := "{CRYPT}" + perlCrypt(t, perl, password, setting)
			h, err := Policy{}.Parse(value, "")
			if err != nil {
				t.Errorf("%s: %v", value, err)
				continue
			}
			checkOnly(t, h, value, password, cut(value))
		}
	}
}
