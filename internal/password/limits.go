package password

import "fmt"

// What one hash may cost. A login has to pay it, so one entry of the map could
// otherwise stop the service.
const (
	DefaultMaxMemory = 1 << 20    // KiB, that is 1 GiB: argon2, scrypt and yescrypt
	MaxPasses        = 8          // times that the memory may be gone through, or as often less of it
	MaxBcryptCost    = 16         // 2^16 rounds
	MaxIterations    = 10_000_000 // of everything that counts rounds or iterations
)

func checkIterations(n uint64) error {
	if n < 1 {
		return errDamage
	}
	if n > MaxIterations {
		return fmt.Errorf("more than %d iterations", MaxIterations)
	}
	return nil
}

// checkMemory bounds the memory, in KiB, and how much of it is gone through in all.
func (p Policy) checkMemory(kib, passes uint64) error {
	limit := uint64(p.MaxArgon2Memory)
	if limit == 0 {
		limit = DefaultMaxMemory
	}
	if kib > limit {
		return fmt.Errorf("needs more memory than the limit of %d KiB", limit)
	}
	if passes > MaxPasses*limit/max(kib, 1) {
		return fmt.Errorf("needs more time than %d passes over %d KiB of memory", MaxPasses, limit)
	}
	return nil
}
