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

// scryptHash is scrypt (RFC 7914) as libxcrypt writes it, "$7$" with log2 N in one
// digit, r and p in five each, the salt as it is written, "$" and the key.
type scryptHash struct {
	n, r, p int
	salt    string
	key     string
}

// What libxcrypt takes as $7$, $y$ and $gy$.
const (
	scryptLog    = 2  // the least log2 N
	scryptKey    = 32 // bytes
	scryptDigits = 43 // of the key
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

// checkScrypt bounds 128·r·N bytes of blocks, 128·r·p bytes of their input, and how
// often the blocks are gone through, p times. None of r and p has more than 30 bits.
func (p Policy) checkScrypt(log, r, lanes uint64) error {
	const most = 32 // more overflows, and is over any limit
	n := uint64(1) << min(log, most)
	return p.checkMemory(r*(n+lanes)/8+1, lanes)
}

// digits64 reads digits of crypt(3), the low ones first.
func digits64(s string) (n uint64) {
	for i := range len(s) {
		n |= uint64(strings.IndexByte(crypt.Digits, s[i])) << (6 * i)
	}
	return n
}

func isScryptKey(s string) bool {
	return len(s) == scryptDigits && len(yescrypt.Decode64([]byte(s))) == scryptKey
}

// yescryptHash is yescrypt, "$y$j9T$salt$key", and its GOST variant, "$gy$j9T$salt$key".
type yescryptHash struct {
	n, r    int
	salt    []byte
	key     string
	setting string // all before the key's "$", for the GOST variant only
}

// parseYescrypt takes what libxcrypt makes: the flavour "j" and one digit each for
// log2 N and r, both less one. yescrypt can write more (p, t, g, a ROM, other
// flavours), which nothing makes.
func parseYescrypt(src source) (verifier, error) {
	fields := strings.Split(src.value, "$")
	if len(fields) != 5 {
		return nil, errDamage
	}
	costs, key := fields[2], fields[4]
	const single = 47 // a greater digit begins a longer number
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

// gostKey is HMAC(HMAC(Streebog(password), setting), key), as crypt(5) of libxcrypt
// defines gost-yescrypt: whoever must use GOST algorithms can, and it is no weaker than
// yescrypt.
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
