package password

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os/exec"
	"testing"
)

// perlCrypt is the system's crypt(3), on Debian libxcrypt.
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
			checkOnly(t, h, password, cut(value))
		}
	}
}

func TestStreebog(t *testing.T) {
	// RFC 6986, section 10, the examples with 256 bits; there written last byte first.
	for _, tt := range []struct{ message, sum string }{
		{
			"323130393837363534333231303938373635343332313039383736353433323130393837363534333231303938373635343332313039383736353433323130",
			"00557be5e584fd52a449b16b0251d05d27f94ab76cbaa6da890b59d8ef1e159d",
		},
		{
			"fbe2e5f0eee3c820fbeafaebef20fffbf0e1e0f0f520e0ed20e8ece0ebe5f0f2f120fff0eeec20f120faf2fee5e2202ce8f6f3ede220e8e6eee1e8f0f2d1202ce8f0f2e5e220e5d1",
			"508f7e553c06501d749a66fc28c6cac0b005746d97537fa85d9e40904efed29d",
		},
	} {
		s := newStreebog()
		s.Write(backwards(t, tt.message))
		if got := s.Sum(nil); !bytes.Equal(got, backwards(t, tt.sum)) {
			t.Errorf("got %x, want the reverse of %s", got, tt.sum)
		}
	}
}

func backwards(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return b
}

func ExampleSchemes() {
	for _, s := range Schemes()[:2] {
		fmt.Println(s.Name, s.Weak, s.Make)
	}
	// Output:
	// ARGON2ID false true
	// ARGON2I false true
}
