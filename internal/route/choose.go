package route

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
)

// How the servers of a domain share its users.
const (
	PolicyOrder = "order" // all users are on the first server that is not set aside
	PolicyHash  = "hash"  // a hash of the user name selects the server
)

// Choose returns servers in the order in which the logins of a user try them. The user name is
// in canonical form. Choose may return its argument, so the caller must change neither.
func Choose(servers []*Server, policy, user string) []*Server {
	if policy != PolicyHash || len(servers) < 2 {
		return servers
	}
	type entry struct {
		server *Server
		rank   float64
	}
	entries := make([]entry, len(servers))
	for i, s := range servers {
		entries[i] = entry{s, s.rank(user)}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.server.Name, b.server.Name))
	})
	chosen := make([]*Server, len(servers))
	for i, e := range entries {
		chosen[i] = e.server
	}
	return chosen
}

// rank returns a number for a server and a user; the server with the smallest number is the
// user's. The hash makes it a sample of the exponential distribution whose rate is the weight.
// Each of such samples is the smallest with a probability of its share of all weights.
func (s *Server) rank(user string) float64 {
	buf := make([]byte, 0, 256) // on the stack
	buf = append(buf, s.Name...)
	buf = append(buf, 0) // no user name contains it
	buf = append(buf, user...)
	sum := sha256.Sum256(buf)
	// 52 bits, plus a half: above 0 and below 1, without rounding.
	uniform := (float64(binary.BigEndian.Uint64(sum[:])>>12) + 0.5) / (1 << 52)
	return -math.Log(uniform) / float64(max(s.Weight, 1))
}
