package crypt

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"hash"
	"testing"

	//lint:ignore SA1019 RFC 2289 allows MD4
	"golang.org/x/crypto/md4"
)

func TestDES(t *testing.T) {
	for hash, password := range map[string]string{
		"rqXexS6ZhobKA": "myPasswo", // Apache httpd 2.4, "Password Formats"
		"qQ5vTYO3c8dsU": "myPassword and more",
		"abFZSxKKdq5s6": "abc", // libxcrypt 4.4, test/ka-table.inc
	} {
		if got := DES(password, hash[:2]); got != hash {
			t.Errorf("DES(%q) = %s, want %s", password, got, hash)
		}
	}
}

func TestMD5(t *testing.T) {
	for _, tt := range []struct{ password, salt, magic, want string }{
		// Apache httpd 2.4, "Password Formats".
		{"myPassword", "r31.....", "$apr1$", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"},
		{"myPassword", "qHDFfhPC", "$apr1$", "$apr1$qHDFfhPC$nITSVHgYbDAK1Y0acGRnY0"},
		// libxcrypt 4.4, test/ka-table.inc.
		{"ecclesiastically", "CCCCCCCC", "$1$", "$1$CCCCCCCC$YF.So56GLoDKmLeZdudRb/"},
		{"726 even", "CCCCCCCC", "$1$", "$1$CCCCCCCC$D6VIjDq8l9PRLFIQ4dkbN."},
	} {
		if got := MD5(tt.password, tt.salt, tt.magic); got != tt.want {
			t.Errorf("MD5(%q) = %s, want %s", tt.password, got, tt.want)
		}
	}
}

// TestOTP has the test vectors of RFC 2289, appendix C.
func TestOTP(t *testing.T) {
	for _, tt := range []struct {
		new   func() hash.Hash
		count int
		want  string
	}{
		{md4.New, 0, "d1854218ebbb0b51"},
		{md4.New, 99, "c5e612776e6c237a"},
		{md5.New, 0, "9e876134d90499dd"},
		{md5.New, 1, "7965e05436f5029f"},
		{md5.New, 99, "50fe1962c4965880"},
		{sha1.New, 0, "bb9e6ae1979d8ff4"},
		{sha1.New, 99, "87fec7768b73ccf9"},
	} {
		if got := hex.EncodeToString(OTP(tt.new, tt.count, "test", "This is a test.")); got != tt.want {
			t.Errorf("%d bytes of hash, %d steps: %s, want %s", tt.new().Size(), tt.count, got, tt.want)
		}
	}
}

func TestStreebog(t *testing.T) {
	s := NewStreebog256()
	// The examples with 256 bits of RFC 6986, section 10, which writes the last byte first.
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
		s.Reset()
		s.Write(reversed(t, tt.message))
		if got := s.Sum(nil); !bytes.Equal(got, reversed(t, tt.sum)) || len(got) != s.Size() {
			t.Errorf("got %x, want the reverse of %s", got, tt.sum)
		}
	}
}

func reversed(t *testing.T, s string) []byte {
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
