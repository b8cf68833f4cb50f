package mailaddr

import "testing"

func TestMask(t *testing.T) {
	for _, tt := range []struct {
		mask, name string
		want       bool
	}{
		{"", "bob@a.example", true},
		{"*", "bob@a.example", true},
		{"bob@a.example", "bob@a.example", true},
		{"BOB@*", "bob@a.example", true},
		{"*@a.example", "bob@a.example", true},
		{"*@a.example", "bob@b.example", false},
		{"*@a.example", "bob@a.example.org", false},
		{"b?b@*", "bob@a.example", true},
		{"b?b@*", "bb@a.example", false},
		{"*o*a*e", "bob@a.example", true},
		{"*o*z*e", "bob@a.example", false},
		{"b**", "b", true},
		{"b?", "b", false},
		{"a*", "bob", false},
		{"[b]ob", "bob", false},
		{"*/x", "a/b/x", true},
	} {
		if got := Mask(tt.mask)(tt.name); got != tt.want {
			t.Errorf("Mask(%q)(%q) = %v, want %v", tt.mask, tt.name, got, tt.want)
		}
	}
}
