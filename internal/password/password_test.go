package password

import (
	"fmt"
	"strings"
	"testing"
)

const weakHint = "weak: set allow_weak_schemes = true in [auth]"

func TestWeakSchemesNeedAllowWeak(t *testing.T) {
	weak := make(map[string]bool)
	for _, s := range Schemes() {
		if !s.Weak && len(weak) > 0 {
			t.Errorf("%s is not weak, and listed after one that is", s.Name)
		}
		if s.Weak {
			weak[s.Name] = true
		}
	}
	for _, tt := range knownAnswers {
		_, err := Policy{}.Parse(tt.hash, dovecotUser)
		switch apr1 := strings.Contains(tt.hash, "$apr1$"); {
		case !weak[tt.scheme] && !apr1:
			if err != nil {
				t.Errorf("%s: %v", tt.hash, err)
			}
		case apr1:
			if err == nil || err.Error() != "scheme CRYPT: $apr1$ is "+weakHint {
				t.Errorf("%s: %v", tt.hash, err)
			}
		case err == nil || err.Error() != "scheme "+tt.scheme+" is "+weakHint:
			t.Errorf("%s: %v", tt.hash, err)
		}
	}
}

func TestParseRefusesWithoutTheValue(t *testing.T) {
	const secret = "hunter2"
	for _, tt := range []struct{ in, want string }{
		{secret, "no scheme"},
		{"", "no scheme"},
		{"{" + secret, "no scheme"},
		{"{my secret hunter2!}", "no scheme"},
		{"{}" + secret, "no scheme"},
		{"{FOO}" + secret, `unknown scheme "FOO" (known: ARGON2ID, ARGON2I, BLF-CRYPT,`},
		{"{SSHA.foo}" + secret, "scheme SSHA: unknown encoding (known: b64, base64, hex)"},
		{"{PLAIN}", "empty value"},
		{"{PLAIN.b64}" + secret, "not base64"},
		{"{PLAIN.hex}" + secret, "not hex"},
		{"{SSHA}" + secret, "not base64"},
		{"{SSHA}aHVudGVyMg==", "no salt"},
		{"{SHA}aHVudGVyMg==", "not 20 bytes in hex or base64"},
		{"{SHA1}" + secret, "not 20 bytes in hex or base64"},
		{"{SHA256.hex}a9993e364706816aba3e25717850c26c9cd0d89d", "not 32 bytes long"},
		{"{CRAM-MD5}00", "not 32 bytes in hex or base64"},
		{"{PLAIN-MD5}" + secret, "not 16 bytes in hex or base64"},
		{"{MD5}" + secret, "not 16 bytes in hex or base64"},
		{"{MD5}$1$" + secret, "damaged"},
		{"{MD5-CRYPT}$1$longsalt9$D6VIjDq8l9PRLFIQ4dkbN.", "damaged"},
		{"{MD5-CRYPT}$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "not in the scheme's format"},
		{"{SHA512-CRYPT}" + secret, "not in the scheme's format"},
		{"{SHA512-CRYPT}$6$" + secret, "not a hash of this scheme"},
		{"{SHA512-CRYPT}$6$salt$", "not a hash of this scheme"},
		{"{SHA256-CRYPT}$5$rounds=999$s$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "damaged"},
		{"{SHA256-CRYPT}$5$rounds=05000$s$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "damaged"},
		{"{SHA256-CRYPT}$5$saltofmorethan16b$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "damaged"},
		{"{BLF-CRYPT}$2y$05$" + secret, "not a hash of this scheme"},
		{"{BLF-CRYPT}$2x$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC", "not in the scheme's format"},
		{"{BLF-CRYPT}$2y$03$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC", "damaged"},
		{"{BLF-CRYPT}$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRq!", "damaged"},
		{"{BLF-CRYPT}$2y$5$$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC", "damaged"},
		{"{ARGON2ID}$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA", "not in the scheme's format"},
		{"{ARGON2ID}$argon2id$v=16$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA", "damaged"},
		{"{ARGON2ID}$argon2id$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA", "damaged"},
		{"{ARGON2ID}$argon2id$v=19$m=0,t=1,p=1$c2FsdHNhbHQ$aGFzaA", "damaged"},
		{"{ARGON2ID}$argon2id$v=19$m=8,t=0,p=1$c2FsdHNhbHQ$aGFzaA", "damaged"},
		{"{ARGON2ID}$argon2id$v=19$m=8,t=1,p=0$c2FsdHNhbHQ$aGFzaA", "damaged"},
		{"{ARGON2ID}$argon2id$v=19$m=8,t=1,p=2$c2FsdHNhbHQ$aGFzaA", "damaged"},
		{"{ARGON2ID}$argon2id$v=19$m=8192,t=1,p=256$c2FsdHNhbHQ$aGFzaA", "damaged"},
		{"{ARGON2ID}$argon2id$v=19$t=1,m=8,p=1$c2FsdHNhbHQ$aGFzaA", "damaged"},
		{"{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFz\naA", "damaged"},
		{"{SCRAM-SHA-1}4096," + secret, "not in the scheme's format"},
		{"{SCRAM-SHA-1}4095,c2FsdA==,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=", "at least 4096"},
		{"{SCRAM-SHA-256}4096,c2FsdA==,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=", "damaged"},
		{"{PBKDF2}$2$salt$1$0c60c80f961f0e71f3a9b524af6012062fe037a6", "not in the scheme's format"},
		{"{PBKDF2}$1$salt$0$0c60c80f961f0e71f3a9b524af6012062fe037a6", "damaged"},
		{"{PBKDF2}$1$salt$1$0c60c80f", "damaged"},
		{"{CRYPT}" + secret, "not in the scheme's format"},
		{"{CRYPT}abFZSxKKdq5s7", "damaged"},
		{"{CRYPT}abFZSxKKdq5s!", "not in the scheme's format"},
		{"{DES-CRYPT}$1$CCCCCCCC$D6VIjDq8l9PRLFIQ4dkbN.", "not in the scheme's format"},
		{"$9$" + secret, "scheme CRYPT: value is not in the scheme's format"},
		{"{SHA512-CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "not in the scheme's format (CRYPT accepts all formats of crypt(3))"},
		{"$y$j9T$salt$" + secret, "damaged"},
		{"$y$jzT$" + secret + "$9YMdFtGt/uJi6XsLbYVhRfnneKsMgoos2r.7fZ8Xn..", "libxcrypt does not make"},
		{"$y$/9T$//$DcruwIS63Fs/rFjEN0XX6h83bZyXgBTDICvINmSWVp5", "libxcrypt does not make"},
		{"$y$j..$//$DcruwIS63Fs/rFjEN0XX6h83bZyXgBTDICvINmSWVp5", "damaged"},
		{"$7$/6..../....salt$DcruwIS63Fs/rFjEN0XX6h83bZyXgBTDICvINmSWVp5", "damaged"},
		{"$7$C6..../....$" + secret, "damaged"},
		{"$sha1$1$$hBNaIXkt4wBI2o5rsi8KejSjNqIq", "damaged"},
		{"$sha1$0$salt$hBNaIXkt4wBI2o5rsi8KejSjNqIq", "damaged"},
		{"$sha1$01$salt$hBNaIXkt4wBI2o5rsi8KejSjNqIq", "damaged"},
		{"{OTP}sha2 1024 seed 0011223344556677", "not in the scheme's format"},
		{"{OTP}sha1 1024 seed", "not in the scheme's format"},
		{"{OTP}sha1 01 seed 0011223344556677", "damaged"},
		{"{OTP}sha1 1024 seed 00", "damaged"},
		{"{PLAIN-TRUNC}" + secret, "does not begin with a length"},
		{"{PLAIN-TRUNC}8-", "empty value"},
	} {
		checkRefused(t, anyScheme, tt.in, tt.want, secret)
	}
}

// TestLimits tests that a hash whose cost could stop the service is refused.
func TestLimits(t *testing.T) {
	const (
		argon                      = "$argon2id$v=19$m=%d,t=%d,p=1$c2FsdHNhbHQ$aGFzaA"
		sha2                       = "$5$rounds=%d$salt$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"
		key43                      = "DcruwIS63Fs/rFjEN0XX6h83bZyXgBTDICvINmSWVp5"
		memory, time, cost, rounds = "more memory than the limit of 1048576 KiB", "more time than 8 passes over 1048576 KiB", "cost is more than 16", "more than 10000000 iterations"
	)
	small := Policy{MaxArgon2Memory: 64}
	for _, tt := range []struct {
		policy   Policy
		in, want string // an empty want: accepted
	}{
		{Policy{}, fmt.Sprintf(argon, 1<<20, 8), ""},
		{Policy{}, fmt.Sprintf(argon, 1<<20+1, 1), memory},
		{Policy{}, fmt.Sprintf(argon, 1<<20, 9), time},
		{Policy{}, fmt.Sprintf(argon, 8, 1<<20), ""},
		{Policy{}, fmt.Sprintf(argon, 8, 1<<20+1), time},
		{Policy{}, fmt.Sprintf(argon, 8, 10_000_001), rounds},
		{Policy{}, fmt.Sprintf(argon, uint64(1)<<62, 1), memory},
		{Policy{MaxArgon2Memory: 1<<32 - 1}, fmt.Sprintf(argon, uint64(1)<<32-1, 1), ""},
		{Policy{MaxArgon2Memory: 1<<32 - 1}, fmt.Sprintf(argon, uint64(1)<<32, 1), "limit of 4294967295 KiB"},
		{Policy{MaxArgon2Memory: 1<<32 - 1}, "$7$06....zzz..salt$" + key43, "more time"}, // p = 2^18 - 1
		{Policy{MaxArgon2Memory: 1<<32 - 1}, "$7$0zzzzz2....salt$" + key43, "damaged"},   // r times p over 2^30
		{small, fmt.Sprintf(argon, 64, 8), ""},
		{small, fmt.Sprintf(argon, 65, 1), "limit of 64 KiB"},
		{small, "$y$j2.$//$" + key43, ""},                             // N = 2^5, r = 1
		{small, "$y$j75$//$" + key43, "limit of 64 KiB"},              // N = 2^10, r = 8
		{Policy{}, "$y$jFT$//$" + key43, "limit of 1048576 KiB"},      // N = 2^18, r = 32: with its input over 1 GiB
		{Policy{}, "$y$jET$//$" + key43, ""},                          // N = 2^17
		{Policy{}, "$gy$jj.$//$" + key43, "limit of 1048576 KiB"},     // N = 2^48
		{Policy{}, "$7$H6..../....salt$" + key43, ""},                 // N = 2^19, r = 8, p = 1
		{Policy{}, "$7$I6..../....salt$" + key43, memory},             // N = 2^20
		{Policy{}, "$7$z6..../....salt$" + key43, memory},             // N = 2^63
		{Policy{}, "$7$06....zzzzzsalt$" + key43, memory},             // p = 2^30 - 1
		{Policy{}, "$7$0zzzzz/....salt$" + key43, memory},             // r = 2^30 - 1
		{Policy{}, "$7$zzzzzzzzzzzsalt$" + key43, memory},             // log2 N, r and p are all at their largest
		{Policy{}, "$7$G6....E....salt$" + key43, ""},                 // N = 2^18, p = 16
		{Policy{}, "$7$G6....d/...salt$" + key43, "more time than 8"}, // p = 105
		{Policy{}, "{BLF-CRYPT}$2y$16$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC", ""},
		{Policy{}, "{BLF-CRYPT}$2y$17$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC", cost},
		{Policy{}, fmt.Sprintf(sha2, 10_000_000), ""},
		{Policy{}, fmt.Sprintf(sha2, 10_000_001), rounds},
		{Policy{}, "$6$rounds=999999999$salt$x", rounds},
		{Policy{}, "$sha1$10000001$salt$hBNaIXkt4wBI2o5rsi8KejSjNqIq", rounds},
		{Policy{}, "{PBKDF2}$1$salt$10000001$0c60c80f961f0e71f3a9b524af6012062fe037a6", rounds},
		{Policy{}, "{SCRAM-SHA-1}10000001,c2FsdA==,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=", rounds},
		{anyScheme, "{OTP}sha1 10000001 seed 0011223344556677", rounds},
	} {
		if tt.want != "" {
			checkRefused(t, tt.policy, tt.in, tt.want, "salt")
		} else if _, err := tt.policy.Parse(tt.in, ""); err != nil {
			t.Errorf("%s: %v", tt.in, err)
		}
	}
}

func checkRefused(t *testing.T, policy Policy, in, want, secret string) {
	t.Helper()
	h, err := policy.Parse(in, dovecotUser)
	if err == nil {
		t.Errorf("%s: no error, want %q", in, want)
		return
	}
	if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
		t.Errorf("%s: error %q, want %q without the value", in, err, want)
	}
	if ok, err := h.Verify(""); ok || err == nil {
		t.Errorf("Verify of the zero Hash = %v, %v; want an error", ok, err)
	}
}

func TestHashDoesNotPrint(t *testing.T) {
	for _, hash := range []string{"{PLAIN}hunter2", "$5$hunter2$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"} {
		h := parse(t, hash, "")
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			if s := fmt.Sprintf(verb, h); strings.Contains(s, "hunter2") || strings.Contains(s, "68756e74657232") {
				t.Errorf("%s prints %s", verb, s)
			}
		}
	}
	if s := parse(t, "{PLAIN}hunter2", "").String(); s != "{PLAIN}***" {
		t.Errorf("String() = %q", s)
	}
}
