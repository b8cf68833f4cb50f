-- Brings back known networks of a user that Redis has lost, behind those that it has.
-- KEYS: known networks, site. ARGV: the networks; how long they are kept in ms.
local width, max_networks = 11, 8
local before = redis.call('MGET', KEYS[1])[1]
local time, known = string.match(before or '', '^([^,]*,)([^,]*)$')
time, known = time or '0,', known or ''
local has = {}
for network in string.gmatch(known, string.rep('.', width)) do
	has[network] = true
end
for network in string.gmatch(ARGV[1], string.rep('.', width)) do
	if not has[network] and #known < width * max_networks then
		known = known .. network
	end
end
redis.call('SET', KEYS[1], time .. known, 'PX', ARGV[2])
local writes = redis.call('HINCRBY', KEYS[2], 'writes', 1)
return {redis.call('HGET', KEYS[2], 'id'), writes - 1, writes}
