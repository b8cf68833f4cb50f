package throttle

func forgets(n int, user string) step {
	return func(s *scene) {
		s.Helper()
		if got, err := s.throttle.ForgetUser(s.Context(), user, s.now); got != n || err != nil {
			s.Errorf("%d counters of %s forgotten, %v; want %d", got, user, err, n)
		}
	}
}

func forgetsNetwork(n int, of string) step {
	return func(s *scene) {
		s.Helper()
		if got, err := s.throttle.ForgetNetwork(s.Context(), addr(of), s.now); got != n || err != nil {
			s.Errorf("%d counters of %s forgotten, %v; want %d", got, of, err, n)
		}
	}
}

var forgetting = []scenario{
	{"forget a user in all networks", nil, []step{
		guesses(10, home, bob), distributed(20, bob), guesses(10, home, alice),
		verdict(mobile, bob, User), forgets(1+20+1, bob), allowed(mobile, bob), guesses(10, home, bob),
		verdict(home, alice, Pair), forgets(2, bob), forgets(0, bob),
	}},
	{"forget a user, also in the count of the network", nil, []step{
		guesses(10, home, bob), each(90, func(i int) step { return guesses(1, home, user(i)) }),
		verdict(home, alice, Network), forgets(2, bob), guesses(10, home, alice), verdict(home, bob, Network),
	}},
	{"forget a network, but not in the counts of users", nil, []step{
		guesses(10, home, bob), each(90, func(i int) step { return guesses(1, home, user(i)) }),
		forgetsNetwork(1+1+90, home), allowed(home, bob), distributed(20, bob), verdict(mobile, bob, User),
	}},
	{"forget a network by any of its addresses", nil, []step{
		guesses(10, "2001:db8::1", bob), forgetsNetwork(2, "2001:db8::2"), allowed("2001:db8::1", bob),
	}},
	{"forget failures only: networks stay known", nil, []step{
		succeeds(home, bob), distributed(30, bob), forgets(31, bob), distributed(30, bob), allowed(home, bob), verdict(mobile, bob, User),
	}},
}
