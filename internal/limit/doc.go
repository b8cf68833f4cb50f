// Package limit bounds who does something expensive at a time and who waits for it: in all, and by client
// network.
//
// A [Limiter] has slots, such as the connections to one mail server. [Limiter.Acquire] takes one, or waits for
// it. A [Group] bounds all callers of several limiters together, those with a slot and those that wait, so
// that what they all have in common (requests that are being answered) does not run out. A [Counter] only
// counts.
//
// # Who goes first
//
// Clients say which network they come from, and whether it is known: a network that the user has logged in
// from before. When a slot becomes free:
//
//   - Known networks go before unknown ones, but for every fifth slot that an unknown one waits for.
//   - Of several networks, the one with the fewest slots comes first; of those with as many, the one that was
//     served longest ago.
//   - Of one network, the caller that has waited longest comes first.
//
// Some slots may be reserved: a known network leaves them to others, and so do all unknown networks together, of
// which a single one takes at most half of the rest. Trusted clients belong to no network: nothing is reserved
// from them.
//
// # Who is refused
//
// A group may bound the callers of a single network, and of all unknown networks together. When there is no room for
// another caller, one that waits is refused in its place, if there is one to whom that is fair: the newest caller of the
// network that has the most, which must have at least two callers more than the newcomer's. Known networks go first
// as long as each has no more than a quarter of the room: a newcomer from one makes any unknown one leave, whatever that
// has, and no newcomer from an unknown network makes it leave. If there is nobody to refuse, the newcomer is. A caller that only
// waits for the result of another one ([Group.Join]) makes room for those of its own client that want a slot.
//
// A caller that has a slot keeps it until it releases it.
package limit
