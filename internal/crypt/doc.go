// Package crypt implements hash functions of old password files that no maintained library
// implements. Use them only to verify hashes that other systems have stored: all but Streebog
// are weak.
//
//	DES               traditional crypt(3): FIPS 46-3; Morris and Thompson, "Password
//	                  Security: A Case History" (crypto/des takes no salt)
//	MD5               MD5 crypt, $1$ and Apache's $apr1$: Poul-Henning Kamp, FreeBSD's
//	                  crypt-md5.c (1994)
//	OTP               one-time passwords: RFC 2289
//	NewStreebog256    GOST R 34.11-2012 with 256 bits: RFC 6986; gost-yescrypt needs it
//
// The functions do not check or bound their arguments. Package password does, when it parses
// a stored hash.
package crypt

// Digits are the digits of crypt(3), in the order of their values.
const Digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
