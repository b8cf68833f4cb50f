package config

import (
	"strings"
	"testing"
)

// A domain's own set replaces the one in [auth], even if it is empty.
func TestRecipientDelimiter(t *testing.T) {
	const other = "[domains.\"domain2.com\"]\nservers = [\"s\"]\n"
	for _, tt := range []struct {
		auth, domain string // lines
		want         string // for domain1.com; domain2.com has the value of [auth]
	}{
		{"", "", ""},
		{`recipient_delimiter = "+"`, "", "+"},
		{`recipient_delimiter = "+"`, `recipient_delimiter = "-_"`, "-_"},
		{`recipient_delimiter = "+"`, `recipient_delimiter = ""`, ""},
		{"", `recipient_delimiter = "!#$%&/=?"`, "!#$%&/=?"},
	} {
		c, err := Load(write(t, "m.toml", minimal+tt.domain+"\n"+other+"[auth]\n"+tt.auth+"\n"))
		if err != nil {
			t.Errorf("%+v: %v", tt, err)
			continue
		}
		everywhere := strings.Trim(strings.TrimPrefix(tt.auth, "recipient_delimiter = "), `"`)
		if got := c.Domains.Find("domain1.com").RecipientDelimiter; got != tt.want {
			t.Errorf("%+v: domain1.com has %q", tt, got)
		}
		if got := c.Domains.Find("domain2.com").RecipientDelimiter; got != everywhere {
			t.Errorf("%+v: domain2.com has %q", tt, got)
		}
	}
}

func TestRecipientDelimiterProblems(t *testing.T) {
	const what = `recipient_delimiter: want at most 8 characters such as "+" or "+-": printable ASCII, but no letter, digit, space, "@", "." or "*"`
	for _, value := range []string{`"+a"`, `"Z"`, `"7"`, `"@"`, `"."`, `"*"`, `" "`, `"\t"`, `"\u007f"`, `"§"`, `"+-_!#$%&/"`} {
		for prefix, section := range map[string]string{"auth.": "[auth]\n", `domains."domain1.com".`: ""} {
			path := write(t, "m.toml", minimal+section+"recipient_delimiter = "+value+"\n")
			line := ":8: "
			if section != "" {
				line = ":9: "
			}
			if _, err := Load(path); err == nil || err.Error() != path+line+prefix+what {
				t.Errorf("%s in %s: %v", value, prefix, err)
			}
		}
	}
}
