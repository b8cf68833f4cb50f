package mailaddr

import "strings"

// Mask returns a function that reports whether a user name matches a mask. As in doveadm,
// "*" matches any sequence of bytes and "?" matches one byte. Case is ignored. An empty mask
// matches every name.
func Mask(mask string) func(name string) bool {
	mask = lower(mask)
	if mask == "" {
		mask = "*"
	}
	return func(name string) bool { return matches(mask, lower(name)) }
}

// matches backtracks to the last "*" only, so its time is bounded by the product of the
// lengths.
func matches(mask, name string) bool {
	star, retry := -1, 0
	m, n := 0, 0
	for n < len(name) {
		switch {
		case m < len(mask) && mask[m] == '*':
			star, retry = m, n
			m++
		case m < len(mask) && (mask[m] == '?' || mask[m] == name[n]):
			m++
			n++
		case star >= 0:
			retry++
			m, n = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(mask[m:], "*") == ""
}
