// Package house has only tests, which assert the house rules: which package may import which, what
// the top of the tree holds, how long a file may be, and what contrib/CONTRIBUTING.md says of that.
package house
