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
	PolicyOrder = "order" // all users on the first server; the others stand by
	PolicyHash  = "hash"  // each user on a server of their own
)

// Choose returns servers in the order in which a user, in the one spelling, tries them.
// It may return its argument; the caller changes neither.
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

// rank is the smaller the more a server is the user's. It is a number drawn from the
// exponential distribution whose rate is the weight: among such numbers each is the
// smallest with the probability of its weight's share, whoever else takes part.
func (s *Server) rank(user string) float64 {
	buf := make([]byte, 0, 256) // on the stack
	buf = append(buf, s.Name...)
	buf = append(buf, 0) // no user name has it
	buf = append(buf, user...)
	sum := sha256.Sum256(buf)
	// 52 bits and a half: above 0 and below 1, without rounding.
	uniform := (float64(binary.BigEndian.Uint64(sum[:])>>12) + 0.5) / (1 << 52)
	return -math.Log(uniform) / float64(max(s.Weight, 1))
}
