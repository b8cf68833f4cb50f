package password

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"math"
	"strings"

	"golang.org/x/crypto/argon2"
)

// argon2Hash is a hash of Argon2 (RFC 9106), "$argon2id$v=19$m=65536,t=3,p=1$salt$key", in
// the format of the reference implementation and libsodium.
type argon2Hash struct {
	id     bool   // whether it is argon2id, not argon2i
	memory uint32 // KiB
	passes uint32
	lanes  uint8
	salt   []byte
	key    []byte
}

func (a *argon2Hash) verify(password string) (bool, error) {
	return subtle.ConstantTimeCompare(a.compute(password, len(a.key)), a.key) == 1, nil
}

func (a *argon2Hash) compute(password string, size int) []byte {
	if a.id {
		return argon2.IDKey([]byte(password), a.salt, a.passes, a.memory, a.lanes, uint32(size))
	}
	return argon2.Key([]byte(password), a.salt, a.passes, a.memory, a.lanes, uint32(size))
}

func parseArgon2(src source) (verifier, error) {
	fields := strings.Split(src.value, "$")
	if len(fields) != 6 || fields[2] != "v=19" {
		return nil, errDamage
	}
	a := &argon2Hash{id: fields[1] == "argon2id"}
	if err := a.parseCosts(fields[3], src.policy); err != nil {
		return nil, err
	}
	var ok1, ok2 bool
	a.salt, ok1 = decode64(base64.RawStdEncoding, fields[4])
	a.key, ok2 = decode64(base64.RawStdEncoding, fields[5])
	if !ok1 || !ok2 || len(a.salt) < 8 || len(a.key) < 4 { // RFC 9106, section 3.1, and the reference implementation for the salt
		return nil, errDamage
	}
	return a, nil
}

// parseCosts reads "m=65536,t=3,p=1" and checks the limits.
func (a *argon2Hash) parseCosts(s string, policy Policy) error {
	fields := strings.Split(s, ",")
	if len(fields) != 3 {
		return errDamage
	}
	var costs [3]uint64
	for i, key := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(fields[i], key)
		n, err := number(digits)
		if !ok || err != nil {
			return errDamage
		}
		costs[i] = n
	}
	memory, passes, lanes := costs[0], costs[1], costs[2]
	if lanes < 1 || lanes > math.MaxUint8 || memory < 8*lanes {
		return errDamage
	}
	if err := checkIterations(passes); err != nil {
		return err
	}
	if err := policy.checkMemory(memory, passes); err != nil {
		return err
	}
	a.memory, a.passes, a.lanes = uint32(memory), uint32(passes), uint8(lanes)
	return nil
}

// The default costs are those of doveadm pw, which are libsodium's "interactive" costs.
func makeArgon2id(r request) (string, error) { return makeArgon2(r, "argon2id", 64*1024, 3) }
func makeArgon2i(r request) (string, error)  { return makeArgon2(r, "argon2i", 32*1024, 4) }

func makeArgon2(r request, name string, kib uint32, passes int) (string, error) {
	most := MaxPasses * DefaultMaxMemory / int(kib)
	passes, err := r.roundsOr(passes, 1, most)
	if err != nil {
		return "", err
	}
	a := argon2Hash{name == "argon2id", kib, uint32(passes), 1, randomBytes(16), nil}
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$%s$v=%d$m=%d,t=%d,p=%d$%s$%s", name, argon2.Version, a.memory, a.passes, a.lanes,
		encode(a.salt), encode(a.compute(r.password, 32))), nil
}
