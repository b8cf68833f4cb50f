-- Returns the clock and what is kept for a login.
-- KEYS: pair, network, user, known networks, site. ARGV: the clock, or 0 for that of Redis.
local clock = tonumber(ARGV[1])
if clock == 0 then
	local time = redis.call('TIME')
	clock = time[1] * 1000000 + time[2]
end
local found = redis.call('MGET', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
-- After the clock was set back, an entry decays from the new time on: see settle in entry.go.
for i = 1, 3 do
	local count, last, rest = string.match(found[i] or '', '^([^,]*),([^,]*),(.*)$')
	if (tonumber(last) or 0) > clock + 60000000 then
		found[i] = string.format('%s,%.0f,%s', count, clock, rest)
		redis.call('SET', KEYS[i], found[i], 'KEEPTTL')
	end
end
local site = redis.call('HMGET', KEYS[5], 'id', 'writes')
local writes = tonumber(site[2] or 0)
return {site[1], writes, writes, clock, found[1], found[2], found[3], found[4]}
