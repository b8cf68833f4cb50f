-- An entry is "count,last,tags,seed,seeded,generation": see entry.go and seed.lua. Times are in microseconds. The site is the
-- last of the KEYS.
-- ARGV: the clock, or 0 for that of Redis; the half-life; how long an entry is kept in ms; and what the script needs.
local clock = tonumber(ARGV[1])
if clock == 0 then
	local time = redis.call('TIME')
	clock = time[1] * 1000000 + time[2]
end
local half_life = tonumber(ARGV[2])
local slack, max_tags, most_ever = 60000000, 8, 1e8
local generation = tonumber(redis.call('HGET', KEYS[#KEYS], 'generation') or 0)

-- decayed returns what is left of a count after a time.
local function decayed(count, passed)
	return count * 2 ^ (-math.max(passed, 0) / half_life)
end

-- load returns the entry of a key, settled. If there is none, or something else, the count is 0, and there is no text.
local function load(key)
	local text = redis.call('MGET', key)[1] -- unlike GET, without an error for a list
	local count, last, tags, seed, seeded, of = string.match(text or '', '^([^,]*),([^,]*),([^,]*),([^,]*),([^,]*),([^,]*)$')
	local e = {key = key, text = text, count = tonumber(count), last = tonumber(last), tags = tags, seed = tonumber(seed), seeded = tonumber(seeded)}
	if not (e.count and e.count >= 0 and e.count <= most_ever and e.last and e.seed and e.seeded) then
		return {key = key, count = 0, last = clock, tags = '', seed = 0, seeded = 0}
	end
	e.failed = e.last
	if tonumber(of) ~= generation then -- of an older state, which a machine may have seen later
		e.seed, e.seeded = e.count, e.last
	end
	local passed = clock - e.last
	e.count = decayed(e.count, passed)
	if passed > 0 or passed < -slack then
		e.last = clock
	end
	return e
end

-- save stores an entry, and returns its text.
local function save(e)
	local text = string.format('%.17g,%.0f,%s,%.17g,%.0f,%.0f', e.count, e.last, e.tags, e.seed, e.seeded, generation)
	redis.call('SET', e.key, text, 'PX', ARGV[3])
	return text
end

-- remember adds the tag of a password, and reports whether it was there.
local function remember(e, tag)
	for seen in string.gmatch(e.tags, '....') do
		if seen == tag then
			return true
		end
	end
	e.tags = string.sub(tag .. e.tags, 1, 4 * max_tags)
	return false
end

-- take_back clears a pair, and takes back what the pair has added to its network.
local function take_back(pair, network)
	network.count = math.max(0, network.count - pair.count)
	pair.count, pair.seed, pair.seeded = 0, 0, clock
end
