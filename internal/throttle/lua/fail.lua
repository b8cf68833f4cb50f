-- Counts a wrong password. KEYS: pair, network, user, site.
-- ARGV: see entry.lua; the tag of the password; its age; the largest counts of the three.
local pair, network, user = load(KEYS[1]), load(KEYS[2]), load(KEYS[3])
local seen_here = remember(pair, ARGV[4])
local seen = remember(user, ARGV[4])
if not seen and not seen_here then
	local one = decayed(1, tonumber(ARGV[5]))
	pair.count = math.min(pair.count + one, tonumber(ARGV[6]))
	network.count = math.min(network.count + one, tonumber(ARGV[7]))
	user.count = math.min(user.count + one, tonumber(ARGV[8]))
end
local writes = redis.call('HINCRBY', KEYS[4], 'writes', 1)
return {redis.call('HGET', KEYS[4], 'id'), writes - 1, writes, clock, save(pair), save(network), save(user)}
