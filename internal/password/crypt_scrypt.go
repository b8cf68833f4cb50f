package password

import (
	"crypto/hmac"
	"crypto/subtle"
	"errors"
	"strings"

	"github.com/go-crypt/x/yescrypt"
	"golang.org/x/crypto/scrypt"

	"mailauthd/internal/crypt"
)

// scryptHash is a hash of scrypt (RFC 7914) as libxcrypt writes it: "$7$", log2 N in one
// digit, r and p in five digits each, the salt as written, "$" and the key.
type scryptHash struct {
	n, r, p int
	salt    string
	key     string
}

// libxcrypt's limits for $7$, $y$ and $gy$.
const (
	scryptLog    = 2  // the smallest log2 N
	scryptKey    = 32 // bytes of the key
	scryptDigits = 43 // digits of the key
)

func parseScrypt(src source) (verifier, error) {
	const prefix, costs = len("$7$"), 1 + 5 + 5
	i := strings.LastIndexByte(src.value, '$')
	if i < prefix+costs || !isCrypt64(src.value[prefix:prefix+costs]) {
		return nil, errDamage
	}
	setting, key := src.value[prefix:i], src.value[i+1:]
	log, r, p := digits64(setting[:1]), digits64(setting[1:6]), digits64(setting[6:11])
	salt := setting[costs:]
	if log < scryptLog || r < 1 || p < 1 || !isCrypt64(strings.ReplaceAll(salt, "$", "")) || !isScryptKey(key) {
		return nil, errDamage
	}
	if err := src.policy.checkScrypt(log, r, p); err != nil {
		return nil, err
	}
	if r*p >= 1<<30 { // RFC 7914, section 2
		return nil, errDamage
	}
	return &scryptHash{1 << log, int(r), int(p), salt, key}, nil
}

func (h *scryptHash) verify(password string) (bool, error) {
	key, err := scrypt.Key([]byte(password), []byte(h.salt), h.n, h.r, h.p, scryptKey)
	return err == nil && subtle.ConstantTimeCompare(yescrypt.Encode64(key), []byte(h.key)) == 1, err
}

// checkScrypt limits the memory, 128·r·N bytes of blocks and 128·r·p bytes of their input,
// and the p passes over the blocks. Neither r nor p may have more than 30 bits.
func (p Policy) checkScrypt(log, r, lanes uint64) error {
	const most = 32 // a larger one could overflow, and is over any limit
	n := uint64(1) << min(log, most)
	return p.checkMemory(r*(n+lanes)/8+1, lanes)
}

// digits64 returns the value of digits of crypt(3), the lowest first.
func digits64(s string) (n uint64) {
	for i := range len(s) {
		n |= uint64(strings.IndexByte(crypt.Digits, s[i])) << (6 * i)
	}
	return n
}

func isScryptKey(s string) bool {
	return len(s) == scryptDigits && len(yescrypt.Decode64([]byte(s))) == scryptKey
}

// yescryptHash is a hash of yescrypt, "$y$j9T$salt$key", or its GOST variant, "$gy$j9T$salt$key".
type yescryptHash struct {
	n, r    int
	salt    []byte
	key     string
	setting string // the value up to the last "$"; empty if it is not the GOST variant
}

// parseYescrypt accepts what libxcrypt makes: the flavour "j" and one digit each for
// log2 N - 1 and r - 1. The format allows more (p, t, g, a ROM, other flavours), but no
// program writes it.
func parseYescrypt(src source) (verifier, error) {
	fields := strings.Split(src.value, "$")
	if len(fields) != 5 {
		return nil, errDamage
	}
	costs, key := fields[2], fields[4]
	const single = 47 // a larger digit is the first one of several
	if len(costs) != 3 || costs[0] != 'j' || !isCrypt64(costs) || digits64(costs[1:2]) > single || digits64(costs[2:]) > single {
		return nil, errors.New("yescrypt with parameters that libxcrypt does not make")
	}
	log, r := digits64(costs[1:2])+1, digits64(costs[2:])+1
	salt := yescrypt.Decode64([]byte(fields[3]))
	if log < scryptLog || salt == nil || len(salt) > 64 || !isScryptKey(key) {
		return nil, errDamage
	}
	if err := src.policy.checkScrypt(log, r, 1); err != nil {
		return nil, err
	}
	h := &yescryptHash{n: 1 << log, r: int(r), salt: salt, key: key}
	if fields[1] == "gy" {
		h.setting = strings.TrimSuffix(src.value, "$"+key)
	}
	return h, nil
}

func (h *yescryptHash) verify(password string) (bool, error) {
	key, err := yescrypt.Key([]byte(password), h.salt, h.n, h.r, 1, scryptKey)
	if err != nil {
		return false, err
	}
	if h.setting != "" {
		key = gostKey(password, h.setting, key)
	}
	return subtle.ConstantTimeCompare(yescrypt.Encode64(key), []byte(h.key)) == 1, nil
}

// gostKey returns HMAC(HMAC(Streebog(password), setting), key), as crypt(5) of libxcrypt
// defines gost-yescrypt. It is for systems that must use GOST algorithms, and is no weaker
// than yescrypt.
func gostKey(password, setting string, key []byte) []byte {
	mac := func(key, message []byte) []byte {
		m := hmac.New(crypt.NewStreebog256, key)
		m.Write(message)
		return m.Sum(nil)
	}
	s := crypt.NewStreebog256()
	s.Write([]byte(password))
	return mac(mac(s.Sum(nil), []byte(setting)), key)
}
