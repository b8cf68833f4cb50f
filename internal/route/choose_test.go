package route

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// stores makes servers with names of one letter, and with weights.
func stores(names string, weights ...int) []*Server {
	var list []*Server
	for i, name := range names {
		s := &Server{Name: string(name), VerifyProtocol: "imap"}
		if i < len(weights) {
			s.Weight = weights[i]
		}
		list = append(list, s)
	}
	return list
}

func namesOf(servers []*Server) string {
	s := ""
	for _, server := range servers {
		s += server.Name
	}
	return s
}

// The orders by hash were computed by another program. A release that computes other orders
// would move users away from their mail.
func TestChoose(t *testing.T) {
	for _, tt := range []struct {
		servers      []*Server
		policy, user string
		want         string
	}{
		{stores("abc"), PolicyOrder, "alice@domain1.com", "abc"},
		{stores("cab"), PolicyOrder, "alice@domain1.com", "cab"},
		{stores("cab", 1, 5, 9), PolicyOrder, "alice@domain1.com", "cab"},
		{stores("cab"), "", "alice@domain1.com", "cab"},
		{stores("a"), PolicyHash, "alice@domain1.com", "a"},
		{stores(""), PolicyHash, "alice@domain1.com", ""},
		{stores("abcd"), PolicyHash, "alice@domain1.com", "bcda"},
		{stores("dcba"), PolicyHash, "alice@domain1.com", "bcda"},
		{stores("abcd"), PolicyHash, "bob@domain1.com", "cbda"},
		{stores("abcd"), PolicyHash, "carol@domain1.com", "acbd"},
		{stores("abcd", 1, 1, 1, 1), PolicyHash, "carol@domain1.com", "acbd"},
		{stores("abcd", 0, 0, 0, 1000), PolicyHash, "carol@domain1.com", "dacb"},
		{stores("aa"), PolicyHash, "carol@domain1.com", "aa"},
	} {
		before := namesOf(tt.servers)
		if got := namesOf(Choose(tt.servers, tt.policy, tt.user)); got != tt.want {
			t.Errorf("Choose(%s, %q, %q) = %s, want %s", before, tt.policy, tt.user, got, tt.want)
		}
		if after := namesOf(tt.servers); after != before {
			t.Errorf("Choose changed its argument from %s to %s", before, after)
		}
	}
}

const userCount = 6000

// firsts returns the first servers of userCount users, by user.
func firsts(servers []*Server) []string {
	list := make([]string, userCount)
	for i := range list {
		list[i] = Choose(servers, PolicyHash, fmt.Sprintf("user%d@domain1.com", i))[0].Name
	}
	return list
}

func TestSharesFollowWeights(t *testing.T) {
	for _, weights := range [][]int{{1, 1}, {1, 1, 1, 1, 1}, {1, 2}, {1, 2, 3, 4}, {10, 20, 30, 40}, {0, 1, 98}} {
		servers := stores("abcdefgh"[:len(weights)], weights...)
		sum, counts := 0, make(map[string]int)
		for _, s := range servers {
			sum += max(s.Weight, 1)
		}
		for _, name := range firsts(servers) {
			counts[name]++
		}
		for _, s := range servers {
			share, want := float64(counts[s.Name])/userCount, float64(max(s.Weight, 1))/float64(sum)
			if math.Abs(share-want) > 0.02 {
				t.Errorf("weights %v: server %s has %.3f of the users, want %.3f", weights, s.Name, share, want)
			}
		}
	}
}

// When the servers change, users move only from a server that leaves or loses weight, or to one
// that joins or gains weight.
func TestOnlyTheChangeMovesUsers(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, after []*Server
		from, to      string // "" is any
	}{
		{"the first leaves", stores("abcde"), stores("bcde"), "a", ""},
		{"one in the middle leaves", stores("abcde", 1, 2, 3, 4, 5), stores("abde", 1, 2, 4, 5), "c", ""},
		{"one joins", stores("abcd"), stores("xabcd"), "", "x"},
		{"one gains weight", stores("abc"), stores("abc", 1, 3, 1), "", "b"},
		{"one loses weight", stores("abc", 5, 5, 5), stores("abc", 5, 5, 1), "c", ""},
		{"another order", stores("abcde"), stores("edcba"), "none", "none"},
		{"weights in proportion", stores("abc", 1, 2, 3), stores("abc", 2, 4, 6), "none", "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			moved := 0
			after := firsts(tt.after)
			for i, from := range firsts(tt.before) {
				to := after[i]
				if from == to {
					continue
				}
				moved++
				if tt.from != "" && from != tt.from || tt.to != "" && to != tt.to {
					t.Fatalf("user %d moved from %s to %s", i, from, to)
				}
			}
			if mayMove := tt.from != "none"; mayMove != (moved > 0) {
				t.Errorf("%d users moved", moved)
			}
		})
	}
}

// The users of a server that is set aside use the server that they would have without it.
func TestUsersMoveToTheSecondServer(t *testing.T) {
	all := stores("abcd", 1, 2, 3, 4)
	for i := range 1000 {
		user := fmt.Sprintf("user%d@domain1.com", i)
		order := Choose(all, PolicyHash, user)
		left := slices.DeleteFunc(slices.Clone(all), func(s *Server) bool { return s == order[0] })
		if got, want := namesOf(Choose(left, PolicyHash, user)), namesOf(order[1:]); got != want {
			t.Errorf("user %s: without %s the order is %s, want %s", user, order[0].Name, got, want)
		}
	}
}

func BenchmarkChoose(b *testing.B) {
	for _, policy := range []string{PolicyOrder, PolicyHash} {
		servers := stores("abcdefgh")
		b.Run(policy, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Choose(servers, policy, "alice@domain1.com")
			}
		})
	}
}
