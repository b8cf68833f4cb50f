-- Brings back a counter that Redis has lost, or has as it was before. It had the count at the time when this machine last saw
-- it. What was counted since Redis lost it is kept. Of several machines, and of the state that was restored, the one that
-- saw it last has the right count: an entry remembers which count was brought back, and of which time.
-- KEYS: the counter, site. ARGV: see entry.lua; count, time, tags, largest count.
local e = load(KEYS[1])
local count, at = tonumber(ARGV[4]), tonumber(ARGV[5])
if at > e.seeded then
	e.count = math.max(0, e.count - decayed(e.seed, clock - e.seeded)) + decayed(count, clock - at)
	e.count = math.min(e.count, tonumber(ARGV[7]))
	e.seed, e.seeded = count, at
	for tag in string.gmatch(ARGV[6], '....') do
		if #e.tags < 4 * max_tags and not string.find(e.tags, tag, 1, true) then
			e.tags = e.tags .. tag
		end
	end
	save(e)
end
local writes = redis.call('HINCRBY', KEYS[2], 'writes', 1)
return {redis.call('HGET', KEYS[2], 'id'), writes - 1, writes}
