package dovecotconf

import (
	"fmt"
	"strings"
	"testing"
)

// show writes a block in one line.
func (b *block) show() string {
	var parts []string
	for _, s := range b.settings {
		parts = append(parts, fmt.Sprintf("%s=%s@%d", s.key, s.value, s.line))
	}
	for _, inner := range b.blocks {
		parts = append(parts, fmt.Sprintf("%s[%s]@%d(%s)", inner.kind, inner.name, inner.line, inner.show()))
	}
	return strings.Join(parts, " ")
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text, want string
		told       int // the line of the only finding
	}{
		{"a = b", "a=b@1", 0},
		{"\t a=b \r\n\r\n#x\n c = d # e", "a=b@1 c=d@4", 0},
		{"a = b#c", "a=b@1", 1},
		{"a = 'b # c' # d", "a=b # c@1", 0},
		{`a = "b\"c"`, `a=b"c@1`, 0},
		{"a = x '%u'", "a=x '%u'@1", 0},
		{"a = \"", `a="@1`, 0},
		{"a = b \\\n # c\n\n  d \\\n e\nf = g", "a=b d e@1 f=g@6", 0},
		{"a = b\\", "a=b @1", 0},
		{"a =", "a=@1", 0},
		{"a { \n b \"c d\" {\n e = f\n}\n}\ng = h", "g=h@6 a[]@1(b[c d]@2(e=f@3))", 0},
		{"a {\n b = c", "a[]@1(b=c@2)", 1},
		{"a = b\n}\nc = d", "a=b@1 c=d@3", 2},
		{"a = b\nc\nd = e", "a=b@1 d=e@3", 2},
		{"!include x.conf\na = b", "a=b@2", 1},
		{"a = \xff\nb = c", "b=c@2", 1},
	} {
		f := new(findings)
		if got := parse(c.text, f).show(); got != c.want {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
		if c.told == 0 && f.list != nil || c.told > 0 && (len(f.list) != 1 || f.list[0].Line != c.told) {
			t.Errorf("%q: told %v, want line %d", c.text, f.list, c.told)
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	f := new(findings)
	parse(strings.Repeat("a {\n", 1000), f)
	if len(f.list) == 0 || !strings.Contains(f.list[len(f.list)-2].Text, "more than 16 blocks") {
		t.Errorf("told %v", f.list)
	}
}
