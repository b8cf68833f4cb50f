-- Brings back known networks of a user that Redis has lost. Those that were written last come first.
-- KEYS: known networks, site. ARGV: the networks; how long they are kept in ms; when they were written.
local width, max_networks = 11, 8
local before = redis.call('MGET', KEYS[1])[1]
local time, there = string.match(before or '', '^([^,]*),([^,]*)$')
time, there = tonumber(time) or 0, there or ''
local lists, seen = {there, ARGV[1]}, tonumber(ARGV[3])
if seen > time then
	lists, time = {ARGV[1], there}, seen
end
local known, has = '', {}
for _, list in ipairs(lists) do
	for network in string.gmatch(list, string.rep('.', width)) do
		if not has[network] and #known < width * max_networks then
			has[network], known = true, known .. network
		end
	end
end
redis.call('SET', KEYS[1], string.format('%.0f,%s', time, known), 'PX', ARGV[2])
local writes = redis.call('HINCRBY', KEYS[2], 'writes', 1)
return {redis.call('HGET', KEYS[2], 'id'), writes - 1, writes}
