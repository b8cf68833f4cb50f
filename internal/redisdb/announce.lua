-- Sends an announcement to all machines, with its number. KEYS: site. ARGV: channel, text.
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('PUBLISH', ARGV[1], epoch .. ' ' .. ARGV[2])
return epoch
