-- Removes a pair, and takes back what it has added to its network. KEYS: pair, network, site. ARGV: see entry.lua.
local pair, network = load(KEYS[1]), load(KEYS[2])
take_back(pair, network)
if redis.call('EXISTS', KEYS[2]) == 1 then
	save(network)
end
local writes = redis.call('HINCRBY', KEYS[3], 'writes', 1)
return {redis.call('HGET', KEYS[3], 'id'), writes - 1, writes, redis.call('DEL', KEYS[1])}
