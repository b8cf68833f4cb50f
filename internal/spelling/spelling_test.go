package spelling

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"check", "serve", "test-login", "throttle", "pw", strings.Repeat("x", MaxLen)}
	for word, want := range map[string]string{
		"check": "check", "chek": "check", "cehck": "check", "chick": "check", "checks": "check",
		"sevre": "serve", "testlogin": "test-login", "test_login": "test-login", "trotle": "throttle",
		"pq": "pw", "wp": "pw", "pass": "", "chuk": "", "test": "test-login", "throt": "throttle", "th": "", "xxx": strings.Repeat("x", MaxLen), "frobnicate": "", "": "",
		strings.Repeat("x", MaxLen-1): strings.Repeat("x", MaxLen), strings.Repeat("x", MaxLen+1): "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

// A prefix of two words is no hint.
func TestNearestOfTwo(t *testing.T) {
	if got := Nearest("user", []string{"user-add", "user-del"}); got != "" {
		t.Errorf("got %q", got)
	}
}

// The distance is the same in both directions, and zero only for the word itself.
func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"domain", "domains", 1}, {"passwort", "password", 1}, {"ab", "ba", 1}, {"abc", "abc", 0}, {"kitten", "sitting", 3}, {"ca", "abc", 3}} {
		if ab, ba := distance(tt.a, tt.b), distance(tt.b, tt.a); ab != tt.want || ba != tt.want {
			t.Errorf("distance of %q and %q: %d and %d, want %d", tt.a, tt.b, ab, ba, tt.want)
		}
	}
}
