// Package limit bounds how many callers do something expensive at a time, and how many wait for it: in total, and by
// client network. It decides which caller gets the next slot, and which one is refused under overload.
//
// A [Limiter] has slots, such as the connections to one mail server. [Limiter.Acquire] takes a slot, or waits for one.
// A [Group] bounds all callers of several limiters together, those with a slot and those that wait. They share a
// resource that must not run out, such as the requests that are being answered. A [Counter] only counts.
//
// # Order
//
// A caller names the network of its client, and says whether that is known: whether the user has logged in from
// there before. When a slot becomes free:
//
//   - Known networks go first, except that every fifth slot goes to an unknown one while one waits.
//   - Of several networks, the one with the fewest slots goes first. If several have equally few, the one that was
//     served longest ago goes first.
//   - Of one network, the caller that has waited longest goes first.
//
// Some slots may be reserved. A known network leaves them to others, and so do all unknown networks together. A single
// unknown network takes at most half of the rest. Trusted clients belong to no network, and may take all slots.
//
// # Overload
//
// A group may bound the callers of a single network, and of all unknown networks together. When there is no room for
// another caller, either the newcomer or a caller that waits is refused ([ErrFull]):
//
//   - The newest caller that waits, of the network with the most callers, makes room for the newcomer if that network
//     has at least two callers more than the newcomer's.
//   - A known network has priority while it has at most a quarter of the room. A newcomer from there replaces any caller
//     that waits from an unknown network. No newcomer from an unknown network replaces a caller from there.
//   - If no other caller makes room, the newcomer is refused.
//
// A caller that only waits for the result of another one ([Group.Join]) makes room for callers of its own client that
// want a slot.
//
// A caller that has a slot keeps it until it releases it.
package limit
