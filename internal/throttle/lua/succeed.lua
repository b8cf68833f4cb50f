-- Records a right password. KEYS: pair, network, known networks, site.
-- ARGV: see entry.lua; its age; the network; how long the known networks of a user are kept in ms.
local width, max_networks = 11, 8
local known = ARGV[5]
local before = redis.call('MGET', KEYS[3])[1]
for network in string.gmatch(string.match(before or '', '[^,]*$'), string.rep('.', width)) do
	if network ~= ARGV[5] and #known < width * max_networks then
		known = known .. network
	end
end
known = string.format('%.0f,%s', clock, known)
redis.call('SET', KEYS[3], known, 'PX', ARGV[6])

local pair, network = load(KEYS[1]), load(KEYS[2])
-- A later failure keeps what was counted.
if pair.text and (tonumber(ARGV[4]) == 0 or pair.failed <= clock - tonumber(ARGV[4])) then
	take_back(pair, network)
	pair.text = save(pair)
	network.text = network.text and save(network)
end
local writes = redis.call('HINCRBY', KEYS[4], 'writes', 1)
return {redis.call('HGET', KEYS[4], 'id'), writes - 1, writes, clock, pair.text or false, network.text or false, known}
