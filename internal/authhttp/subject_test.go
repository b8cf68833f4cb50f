package authhttp

import "testing"

func TestSubjectValue(t *testing.T) {
	for _, tt := range []struct {
		subject, attribute, want string
		ok                       bool
	}{
		{"CN=bob@a.example", "CN", "bob@a.example", true},
		{"emailAddress=bob@a.example,CN=Bob,O=A", "emailAddress", "bob@a.example", true},
		{"emailAddress=bob@a.example,CN=Bob,O=A", "CN", "Bob", true},
		{"CN=Bob,emailaddress=bob@a.example", "emailAddress", "bob@a.example", true},
		{"CN=Bob+emailAddress=bob@a.example,O=A", "emailAddress", "bob@a.example", true},
		{`CN=Bob\, Jr\+\"\\,O=A`, "CN", `Bob, Jr+"\`, true},
		{`CN=B\C3\BCcher`, "CN", "Bücher", true},
		{"CN=Bücher", "CN", "Bücher", true},
		// An escaped separator begins no attribute.
		{`CN=x\,emailAddress=root@a.example`, "emailAddress", "", false},
		{`CN=x\,emailAddress=root@a.example`, "CN", "x,emailAddress=root@a.example", true},
		{`CN=emailAddress=root@a.example`, "emailAddress", "", false},
		{`CN=x\`, "CN", `x\`, true},
		// The attribute is repeated, missing or empty.
		{"CN=a,CN=b", "CN", "b", false},
		{"O=A", "CN", "", false},
		{"CN=", "CN", "", false},
		{"", "CN", "", false},
		{"no attribute", "CN", "", false},
	} {
		got, ok := Certificate{Subject: tt.subject}.SubjectValue(tt.attribute)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%s of %q = %q, %v; want %q, %v", tt.attribute, tt.subject, got, ok, tt.want, tt.ok)
		}
	}
}

func FuzzSubjectValue(f *testing.F) {
	f.Add("emailAddress=bob@a.example,CN=Bob", "CN")
	f.Add(`CN=a\,b\2C\`, "CN")
	f.Fuzz(func(t *testing.T, subject, attribute string) {
		value, ok := Certificate{Subject: subject}.SubjectValue(attribute)
		if ok && (value == "" || len(value) > len(subject)) {
			t.Errorf("SubjectValue of %q = %q", subject, value)
		}
	})
}
