// Package crypt has the hash functions of old password files that no maintained library
// has. They are here only to verify what other systems have stored: all but Streebog are weak.
//
//	DES               traditional crypt(3): FIPS 46-3; Morris and Thompson, "Password
//	                  Security: A Case History" (crypto/des has no place for a salt)
//	MD5               MD5 crypt, $1$ and Apache's $apr1$: Poul-Henning Kamp, FreeBSD's
//	                  crypt-md5.c (1994)
//	OTP               one-time passwords: RFC 2289
//	NewStreebog256    GOST R 34.11-2012 with 256 bits: RFC 6986; gost-yescrypt needs it
//
// Nothing is checked or bounded here: package password parses what was stored.
package crypt

// Digits are the digits of crypt(3), by value.
const Digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
