-- Reads the site, or makes it. HSET is refused while Redis is out of memory, and so shows that it is. If Redis lacks writes
-- that this machine has seen, or has an id from before the one that this machine knows, the site gets a new id and begins a
-- new generation, so that all machines bring back what they have seen. An id is "number-random". The number is the time in
-- seconds, or higher, so that ids have an order, also if a machine makes the site that knows none of the earlier ids.
-- KEYS: site. ARGV: the random part of a new id, the fingerprint of the secret, how long the site is kept in ms, the id that
-- this machine knows, the number of writes that it has seen, 1 if Redis lacked some of them.
local site = redis.call('HMGET', KEYS[1], 'id', 'epoch', 'secret', 'writes', 'generation')
if site[3] and site[3] ~= ARGV[2] then
	return redis.error_reply('SECRET of this machine is another one than the site has')
end
local id, writes, generation = site[1], tonumber(site[4] or 0), tonumber(site[5] or 0)
local known, seen = ARGV[4], tonumber(ARGV[5])
local function number(of)
	return tonumber(string.match(of or '', '^(%d+)%-') or 0)
end
local older = id and (number(id) < number(known) or id == known and (writes < seen or ARGV[6] == '1'))
if older then
	generation = generation + 1
end
if older or not id then
	local now = tonumber(redis.call('TIME')[1])
	id = string.format('%.0f-%s', math.max(now, number(id) + 1, number(known) + 1), ARGV[1])
end
writes = math.max(writes, seen)
redis.call('HSET', KEYS[1], 'id', id, 'epoch', site[2] or 0, 'secret', ARGV[2], 'writes', writes, 'generation', generation)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {id, tonumber(site[2] or 0), writes}
