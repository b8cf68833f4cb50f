// Package spelling finds the known word that a misspelt one may have meant.
package spelling

import "strings"

// MaxLen is the length of the longest word that another one is suggested for, in bytes. It bounds the time of Nearest.
const MaxLen = 40

// minPrefix is the length of the shortest word that is completed, in bytes.
const minPrefix = 3

// Nearest returns the known word that a misspelt one resembles, or "" if none is close. A third of the word may be
// wrong, but at least one byte and at most three. If no word is so close, it returns the only one that begins with the
// misspelt word.
func Nearest(word string, known []string) string {
	if len(word) > MaxLen {
		return ""
	}
	best, least := "", max(1, min(len(word)/3, 3))+1
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	if best == "" && len(word) >= minPrefix {
		return completion(word, known)
	}
	return best
}

// completion returns the only known word that begins with a prefix, or "" if there is none or more than one.
func completion(prefix string, known []string) (word string) {
	for _, k := range known {
		if !strings.HasPrefix(k, prefix) {
			continue
		}
		if word != "" {
			return ""
		}
		word = k
	}
	return word
}

// distance returns how many bytes to insert, remove, replace or swap with the next one to make b of a: the optimal
// string alignment distance.
func distance(a, b string) int {
	var before, above []int // the rows of the table for the two bytes of a before this one
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, above, row = above, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			replaced := above[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(replaced, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
