package throttle

import (
	"net/netip"
	"time"
)

var counting = []scenario{
	{"a pair is refused at its limit, others are allowed", nil, []step{
		guesses(10, home, bob), verdict(home, bob, Pair), allowed(mobile, bob), allowed(home, alice),
	}},
	{"a network is refused at its limit, for all users", nil, []step{
		each(100, func(i int) step { return guesses(1, home, user(i)) }),
		verdict(home, alice, Network), allowed(mobile, alice),
	}},
	{"one password tried on many users counts for each", nil, []step{
		each(100, func(i int) step { return fails(home, user(i), "123456") }),
		verdict(home, bob, Network),
	}},
	{"a user is refused at the limit of guesses from all networks", nil, []step{
		distributed(30, bob), verdict(mobile, bob, User), allowed(mobile, alice),
	}},
	{"an old password repeated for a day counts once", nil, []step{
		times(24*6, fails(home, bob, "old"), after(10*time.Minute)), guesses(9, home, bob), allowed(home, bob),
	}},
	{"three old passwords repeated count three times", nil, []step{
		times(100, fails(home, bob, "a"), fails(home, bob, "b"), fails(home, bob, "c")),
		guesses(7, home, bob), verdict(home, bob, Pair),
	}},
	{"eight old passwords repeated count eight times", nil, []step{
		times(100, each(8, func(i int) step { return fails(home, bob, user(i)) })), guesses(2, home, bob), verdict(home, bob, Pair),
	}},
	{"an old password repeated from many networks counts once", nil, []step{
		each(300, func(i int) step { return fails(host(i), bob, "old") }), allowed(mobile, bob),
	}},
	{"twenty phones with old passwords do not lock out their address", nil, []step{
		times(100, each(20, func(i int) step { return fails(home, user(i), "old") })), allowed(home, bob),
	}},
	{"guesses from other networks do not make an old password count again", nil, []step{
		succeeds(home, bob),
		times(100, fails(home, bob, "old"), each(9, func(i int) step { return fails(host(i), bob, user(i)) })),
		guesses(9, home, bob),
	}},
	{"no limit", func(c *Config) { c.PairLimit, c.NetworkLimit, c.UserLimit = 0, 0, 0 }, []step{
		guesses(300, home, bob),
	}},
}

var decaying = []scenario{
	{"one more guess after a part of the half-life", nil, []step{
		guesses(10, home, bob), after(4 * time.Minute), verdict(home, bob, Pair),
		after(time.Minute), guesses(1, home, bob), verdict(home, bob, Pair),
		after(8 * time.Minute), verdict(home, bob, Pair), after(time.Minute), guesses(1, home, bob), verdict(home, bob, Pair),
	}},
	{"a limit is reached although failures decay meanwhile", func(c *Config) { c.PairLimit = 3 }, []step{
		times(3, guesses(1, home, bob), after(time.Minute)), verdict(home, bob, Pair), allowed(home, alice),
	}},
	{"a limit of one failure", func(c *Config) { c.PairLimit = 1 }, []step{
		guesses(1, home, bob), after(59 * time.Minute), verdict(home, bob, Pair), after(time.Minute), guesses(1, home, bob),
	}},
	{"half of the guesses after the half-life", nil, []step{
		guesses(10, home, bob), after(time.Hour), guesses(5, home, bob), verdict(home, bob, Pair),
	}},
	{"all guesses after a day", nil, []step{
		guesses(10, home, bob), after(24 * time.Hour), guesses(10, home, bob), verdict(home, bob, Pair),
	}},
	{"a clock set back by a year does not throttle for longer", nil, []step{
		guesses(10, home, bob), after(-365 * 24 * time.Hour), verdict(home, bob, Pair),
		after(time.Hour), guesses(5, home, bob), verdict(home, bob, Pair),
	}},
	{"calls out of order gain nothing", nil, []step{
		guesses(10, home, bob),
		times(200, after(-slack), verdict(home, bob, Pair), after(slack), verdict(home, bob, Pair)),
	}},
	{"a clock set forward by centuries", nil, []step{
		guesses(10, home, bob), times(5, after(100*365*24*time.Hour)), guesses(10, home, bob), verdict(home, bob, Pair),
	}},
	{"concurrent failures decay within four half-lives", nil, []step{
		each(300, func(i int) step { return fails(home, bob, user(i)) }),
		verdict(home, bob, Pair), after(4*time.Hour + time.Second), allowed(home, bob),
	}},
}

var succeeding = []scenario{
	{"a success clears the pair", nil, []step{
		guesses(9, home, bob), succeeds(home, bob), guesses(10, home, bob), verdict(home, bob, Pair),
	}},
	{"a success takes back what the pair added to the network", nil, []step{
		each(90, func(i int) step { return guesses(1, home, user(i)) }),
		guesses(9, home, bob), after(time.Second), succeeds(home, bob), guesses(9, home, bob),
		guesses(1, home, alice), verdict(home, alice, Network),
	}},
	{"an old password does not count after a success", nil, []step{
		times(200, fails(home, bob, "old"), succeeds(home, bob)), guesses(9, home, bob),
	}},
	{"guesses from other networks do not lock out a known network", nil, []step{
		knows(home, bob, false), succeeds(home, bob), knows(home, bob, true),
		distributed(30, bob), verdict(mobile, bob, User), succeeds(home, bob),
		knows(home, bob, true), knows(mobile, bob, false), knows(home, alice, false),
	}},
	{"guesses from a known network count there", nil, []step{
		succeeds(home, bob), distributed(30, bob), guesses(10, home, bob), verdict(home, bob, Pair),
	}},
	{"a network used more often does not replace another", nil, []step{
		succeeds(mobile, bob), times(20, succeeds(home, bob)), distributed(30, bob), allowed(mobile, bob),
	}},
	{"the last eight networks are remembered", nil, []step{
		each(9, func(i int) step { return succeeds(host(i), bob) }), succeeds(host(1), bob), succeeds(home, bob),
		each(30, func(i int) step { return guesses(1, host(100+i), bob) }),
		verdict(host(0), bob, User), allowed(host(1), bob), verdict(host(2), bob, User), allowed(host(3), bob), allowed(home, bob),
	}},
}

var networking = []scenario{
	{"an IPv6 network is a /64", nil, []step{
		guesses(5, "2001:db8::1", bob), guesses(5, "2001:db8::ffff:1", bob),
		verdict("2001:db8::2", bob, Pair), allowed("2001:db8:0:1::2", bob),
	}},
	{"an IPv4-mapped IPv6 address is the IPv4 address", nil, []step{
		guesses(10, "::ffff:192.0.2.1", bob), verdict(home, bob, Pair), allowed("::ffff:192.0.2.2", bob),
	}},
	{"a zone makes no difference", nil, []step{
		guesses(10, "fe80::1%eth0", bob), verdict("fe80::1%eth1", bob, Pair),
	}},
	{"wider networks", func(c *Config) { c.IPv4Prefix, c.IPv6Prefix = 24, 48 }, []step{
		guesses(10, home, bob), verdict("192.0.2.255", bob, Pair), allowed("192.0.3.1", bob),
		guesses(10, "2001:db8::1", alice), verdict("2001:db8:0:1::1", alice, Pair), allowed("2001:db8:1::1", alice),
	}},
	{"clients without an address are one network", nil, []step{
		guesses(10, "", bob), verdict("unix:", bob, Pair), allowed("0.0.0.0", bob), allowed("::", bob),
	}},
	{"a trusted network never counts and is always allowed", trust, []step{
		guesses(1000, home, bob), knows(home, bob, true), guesses(1000, "2001:db8::1", bob), guesses(1000, "::ffff:192.0.2.1", bob),
		allowed(mobile, bob), distributed(30, bob), verdict("198.51.100.1", bob, User), succeeds(home, bob),
		verdict("198.51.100.1", bob, User),
	}},
}

func trust(c *Config) {
	c.TrustedNetworks = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::/32")}
}

var small = func(c *Config) { c.MaxEntries = 100 }

var attacking = []scenario{
	{"successes of an attacker's account do not clear the network", nil, []step{
		each(100, func(i int) step { return all(succeeds(home, alice), guesses(1, home, user(i))) }),
		verdict(home, alice, Network),
	}},
	{"failures and successes of an attacker's account do not clear the network", nil, []step{
		each(99, func(i int) step {
			return all(guesses(1, home, alice), succeeds(home, alice), guesses(1, home, user(i)))
		}),
		guesses(1, home, bob), verdict(home, alice, Network),
	}},
	{"one account in many networks does not evict the known networks of others", small, []step{
		succeeds(home, bob), each(300, func(i int) step { return succeeds(host(i), alice) }),
		distributed(30, bob), allowed(home, bob), verdict(mobile, bob, User),
	}},
	{"failures do not evict known networks", func(c *Config) { small(c); c.NetworkLimit = 0 }, []step{
		succeeds(home, bob), each(300, func(i int) step { return guesses(1, host(i), user(i)) }),
		distributed(30, bob), allowed(home, bob), verdict(mobile, bob, User),
	}},
	{"a counter is kept until the table is full", small, []step{
		distributed(30, bob), each(99, func(i int) step { return guesses(1, host(1000+i), user(i)) }),
		verdict(mobile, bob, User),
	}},
	{"a refused attempt is a use", small, []step{
		distributed(30, bob), each(60, func(i int) step { return guesses(1, host(1000+i), user(i)) }), verdict(mobile, bob, User),
		each(60, func(i int) step { return guesses(1, host(2000+i), user(100+i)) }), verdict(mobile, bob, User),
	}},
	{"failures of many users do not evict a network", small, []step{
		each(99, func(i int) step { return guesses(1, home, user(i)) }), guesses(1, home, bob),
		each(100, func(i int) step { return fails(mobile, user(1000+i), "x") }),
		verdict(home, alice, Network),
	}},
	{"refused attempts keep a counter and evict nothing", small, []step{
		distributed(30, bob),
		each(300, func(i int) step { return verdict(host(2000+i), bob, User) }),
		guesses(5, home, alice), guesses(5, home, alice), verdict(home, alice, Pair), verdict(mobile, bob, User),
	}},
}

var evicting = []scenario{
	{"a good login is a use", small, []step{
		succeeds(home, bob), each(60, func(i int) step { return succeeds(host(i), user(i)) }), succeeds(home, bob),
		each(60, func(i int) step { return succeeds(host(i), user(100+i)) }), knows(home, bob, true), knows(host(0), user(0), false),
	}},
}
