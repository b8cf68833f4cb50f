-- Reads the site, or makes it. HSET is refused while Redis is out of memory, and so shows that it is. If Redis lacks writes
-- that this machine has seen, the site gets a new id and begins a new generation, so that all machines bring back what they
-- have seen.
-- KEYS: site. ARGV: a new id, the fingerprint of the secret, how long the site is kept in ms, the id that this machine
-- knows, the number of writes that it has seen.
local site = redis.call('HMGET', KEYS[1], 'id', 'epoch', 'secret', 'writes', 'generation')
if site[3] and site[3] ~= ARGV[2] then
	return redis.error_reply('SECRET of this machine is another one than the site has')
end
local id, writes, generation = site[1] or ARGV[1], tonumber(site[4] or 0), tonumber(site[5] or 0)
local seen = tonumber(ARGV[5])
if site[1] == ARGV[4] and writes < seen then
	id, generation = ARGV[1], generation + 1
end
writes = math.max(writes, seen)
redis.call('HSET', KEYS[1], 'id', id, 'epoch', site[2] or 0, 'secret', ARGV[2], 'writes', writes, 'generation', generation)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {id, tonumber(site[2] or 0), writes}
