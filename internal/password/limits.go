package password

import "fmt"

// The largest costs of a hash. Every login pays the cost of its hash, so without limits one
// expensive hash could stop the service.
const (
	DefaultMaxMemory = 1 << 20    // memory of argon2, scrypt and yescrypt in KiB: 1 GiB
	MaxPasses        = 8          // passes over that memory, or more passes over less memory
	MaxBcryptCost    = 16         // 2^16 rounds
	MaxIterations    = 10_000_000 // rounds or iterations of all other schemes
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

// checkMemory limits the memory, in KiB, and the total memory of all passes.
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
