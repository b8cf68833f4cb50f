package crypt

import (
	"crypto/md5"
	"strings"
)

// MD5 returns an MD5 crypt hash: magic + salt + "$" and 22 of the [Digits]. The magic is "$1$" or
// Apache's "$apr1$". It is a part of what is hashed. The hash takes two sums and a thousand rounds.
func MD5(password, salt, magic string) string {
	sum := md5.Sum([]byte(password + salt + password))
	var b strings.Builder
	b.WriteString(password + magic + salt)
	for n := len(password); n > 0; n -= md5.Size {
		b.Write(sum[:min(n, md5.Size)])
	}
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			b.WriteByte(0)
		} else {
			b.WriteByte(password[0])
		}
	}
	sum = md5.Sum([]byte(b.String()))
	buf := make([]byte, 0, 2*len(password)+md5.Size+len(salt))
	for i := range 1000 {
		sum = md5.Sum(md5Round(buf[:0], i, password, salt, sum[:]))
	}
	return magic + salt + "$" + encodeMD5(sum)
}

func md5Round(buf []byte, i int, password, salt string, sum []byte) []byte {
	if i&1 != 0 {
		buf = append(buf, password...)
	} else {
		buf = append(buf, sum...)
	}
	if i%3 != 0 {
		buf = append(buf, salt...)
	}
	if i%7 != 0 {
		buf = append(buf, password...)
	}
	if i&1 != 0 {
		return append(buf, sum...)
	}
	return append(buf, password...)
}

// encodeMD5 encodes three bytes at a time, in the order of MD5 crypt.
func encodeMD5(sum [md5.Size]byte) string {
	var b strings.Builder
	digits := func(v, n int) {
		for range n {
			b.WriteByte(Digits[v&63])
			v >>= 6
		}
	}
	for _, t := range [][3]int{{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}} {
		digits(int(sum[t[0]])<<16|int(sum[t[1]])<<8|int(sum[t[2]]), 4)
	}
	digits(int(sum[11]), 2)
	return b.String()
}
