package ldapdb

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// MaxName is the largest length of a name that is looked for, in bytes. RFC 5321 allows 254 in an address (section
// 4.5.3.1.3); some sites do not care.
const MaxName = 512

// possible reports whether an entry may have a name. A directory compares names in a form of its own (RFC 4518): it ignores
// spaces at the ends, case, and some characters. So a client could find one entry by many names, and each would count its
// failures anew. Only the name that has this form already is looked for. The map does not find another spelling either.
func possible(name string) bool {
	if name == "" || len(name) > MaxName || strings.ContainsFunc(name, ignored) {
		return false
	}
	folded := strings.ToLower(norm.NFKC.String(name)) // changes what is not UTF-8
	return folded == name && strings.Join(strings.Fields(name), " ") == name
}

// ignored reports whether a directory may ignore a character (RFC 4518, section 2.2).
func ignored(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Variation_Selector) ||
		r == '\u034f' || r == '\ufffc' || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}
