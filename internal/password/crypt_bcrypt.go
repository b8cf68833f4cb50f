package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// bcryptHash is "$2y$05$" with 22 digits of salt and 31 of key. The letters a, b and y mark
// bugs of old programs, which this implementation does not have. Like crypt(3) it reads only
// the first 72 bytes of a password.
type bcryptHash string

const (
	bcryptMax     = 72 // the largest number of bytes of a password
	bcryptDefault = 5  // the default cost of doveadm pw
)

var bcrypt64 = base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(base64.NoPadding)

func (h bcryptHash) verify(password string) (bool, error) {
	err := bcrypt.CompareHashAndPassword([]byte(h), []byte(password))
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	return err == nil, err
}

func parseBcrypt(src source) (verifier, error) {
	const prefix, salt = len("$2y$05$"), 22
	s := src.value
	if len(s) != prefix+salt+31 || s[prefix-1] != '$' || !strings.Contains("0123", s[4:5]) {
		return nil, errDamage
	}
	cost, err := number(strings.TrimPrefix(s[4:6], "0"))
	if err != nil || int(cost) < bcrypt.MinCost || int(cost) > bcrypt.MaxCost {
		return nil, errDamage
	}
	if cost > MaxBcryptCost {
		return nil, fmt.Errorf("cost is more than %d", MaxBcryptCost)
	}
	_, ok1 := decode64(bcrypt64, s[prefix:prefix+salt])
	_, ok2 := decode64(bcrypt64, s[prefix+salt:])
	if !ok1 || !ok2 {
		return nil, errDamage
	}
	return bcryptHash(s), nil
}

func makeBcrypt(r request) (string, error) {
	cost, err := r.roundsOr(bcryptDefault, bcrypt.MinCost, MaxBcryptCost)
	if err != nil {
		return "", err
	}
	if len(r.password) > bcryptMax {
		return "", fmt.Errorf("uses no more than %d bytes of a password", bcryptMax)
	}
	b, err := bcrypt.GenerateFromPassword([]byte(r.password), cost)
	return strings.Replace(string(b), "$2a$", "$2y$", 1), err
}
