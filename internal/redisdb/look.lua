-- Reads the site, or makes it. HSET is refused while Redis is out of memory, and so shows that it is.
-- KEYS: site. ARGV: a new id, the fingerprint of the secret, how long the site is kept in ms.
local site = redis.call('HMGET', KEYS[1], 'id', 'epoch', 'secret')
if site[3] and site[3] ~= ARGV[2] then
	return redis.error_reply('SECRET of this machine is another one than the site has')
end
local id = site[1] or ARGV[1]
redis.call('HSET', KEYS[1], 'id', id, 'epoch', site[2] or 0, 'secret', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {id, tonumber(site[2] or 0)}
