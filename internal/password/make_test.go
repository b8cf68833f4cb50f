package password

import (
	"strings"
	"testing"
)

func TestMake(t *testing.T) {
	cut := map[string]int{"BLF-CRYPT": 72, "CRYPT": 72, "DES-CRYPT": 8}
	for _, s := range Schemes() {
		for _, password := range passwords[3:] {
			hash, err := Make(strings.ToLower(s.Name), dovecotUser, password, leastCost[s.Name])
			if most, ok := cut[s.Name]; !s.Make || ok && len(password) > most {
				if err == nil || hash != "" {
					t.Errorf("%s: made %q of %d bytes", s.Name, hash, len(password))
				}
				continue
			}
			if err != nil || !strings.HasPrefix(hash, "{"+s.Name+"}") {
				t.Errorf("%s: made %q, %v", s.Name, hash, err)
				continue
			}
			h, err := Policy{AllowWeak: s.Weak}.Parse(hash, dovecotUser)
			if err != nil {
				t.Errorf("%s: %v", hash, err)
			}
			checkOnly(t, h, hash, password, 1<<20)
		}
	}
}

func TestMakeCosts(t *testing.T) {
	for _, tt := range []struct {
		scheme string
		rounds int
		prefix string
	}{
		{"ARGON2ID", 0, "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$"}, // doveadm pw 2.3.19
		{"ARGON2ID", 1, "{ARGON2ID}$argon2id$v=19$m=65536,t=1,p=1$"},
		{"ARGON2I", 0, "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$"},
		{"BLF-CRYPT", 0, "{BLF-CRYPT}$2y$05$"},
		{"BLF-CRYPT", 4, "{BLF-CRYPT}$2y$04$"},
		{"CRYPT", 0, "{CRYPT}$2y$05$"},
		{"SHA512-CRYPT", 0, "{SHA512-CRYPT}$6$"},
		{"SHA512-CRYPT", 1000, "{SHA512-CRYPT}$6$rounds=1000$"},
		{"SHA256-CRYPT", 1001, "{SHA256-CRYPT}$5$rounds=1001$"},
		{"PBKDF2", 0, "{PBKDF2}$1$"},
		{"SCRAM-SHA-1", 0, "{SCRAM-SHA-1}4096,"},
		{"SCRAM-SHA-256", 5000, "{SCRAM-SHA-256}5000,"},
		{"SSHA.hex", 0, "{SSHA.HEX}"},
	} {
		first, err1 := Make(tt.scheme, "", "secret", tt.rounds)
		second, err2 := Make(tt.scheme, "", "secret", tt.rounds)
		if err1 != nil || err2 != nil {
			t.Errorf("%s: %v, %v", tt.scheme, err1, err2)
			continue
		}
		if !strings.HasPrefix(first, tt.prefix) || first == second {
			t.Errorf("%s, %d rounds: %s and %s, want the prefix %s and different salts", tt.scheme, tt.rounds, first, second, tt.prefix)
		}
		if ok, err := parse(t, first, "").Verify("secret"); !ok || err != nil {
			t.Errorf("%s: %v, %v", first, ok, err)
		}
	}
}

func TestMakeRefuses(t *testing.T) {
	const secret = "hunter2"
	for _, tt := range []struct {
		scheme, user, password string
		rounds                 int
		want                   string
	}{
		{"FOO", "", secret, 0, `unknown scheme "FOO" (known: ARGON2ID,`},
		{"", "", secret, 0, "not the name of a scheme"},
		{"hunter2 hunter2", "", secret, 0, "not the name of a scheme"},
		{"SSHA.foo", "", secret, 0, "unknown encoding"},
		{"ARGON2ID", "", "", 0, "empty password"},
		{"PLAIN", "", secret + "\n", 0, "NUL, CR or LF"},
		{"PLAIN", "", secret + "\x00", 0, "NUL, CR or LF"},
		{"PLAIN", "", secret, 1, "no rounds"},
		{"SSHA", "", secret, 1, "no rounds"},
		{"CRAM-MD5", "", secret, 1, "no rounds"},
		{"DIGEST-MD5", "u@r", secret, 1, "no rounds"},
		{"DIGEST-MD5", "", secret, 0, "needs the user name"},
		{"BLF-CRYPT", "", secret, 3, "rounds must be from 4 to 16"},
		{"BLF-CRYPT", "", secret, 17, "rounds must be from 4 to 16"},
		{"ARGON2ID", "", secret, 129, "rounds must be from 1 to 128"},
		{"SHA512-CRYPT", "", secret, 10_000_001, "rounds must be from 1000 to 10000000"},
		{"PBKDF2", "", secret, -1, "rounds must be from 1 to 10000000"},
		{"SCRAM-SHA-256", "", secret, 4095, "rounds must be from 4096 to 10000000"},
		{"DES-CRYPT", "", secret + "ab", 0, "no more than 8 bytes"},
		{"CRYPT", "", strings.Repeat(secret, 11), 0, "no more than 72 bytes"},
		{"OTP", "", secret, 0, "not made here"},
	} {
		hash, err := Make(tt.scheme, tt.user, tt.password, tt.rounds)
		if hash != "" || err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: hash %q, error %v; want the error %q without the password", tt.scheme, hash, err, tt.want)
		}
	}
}
