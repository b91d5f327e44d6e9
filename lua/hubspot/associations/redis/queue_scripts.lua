-- What Redis does for a queue: scripts, as text. Each is the only one that runs while it does, so what it
-- checks holds until it has changed what it changes.
--
-- A queue is a number of streams. The pair of an entry says in which one it is, so that the order of a pair
-- is that of its stream. Each stream is held by one worker at a time, under a lease with a number, the
-- fence, that is new for each holder: who no longer has the lease can remove nothing.
--
-- `last` has the name of the last entry of each pair that is in a stream or a dead letter. So a dead letter
-- is known to be the last word on its pair, or not. The name of an entry is its id and the index of its
-- stream, as two streams may give the same id.

local scripts = {}

-- All keys of a queue have one hash tag, so that they are in one slot of a cluster.
local HEAD = [==[
local prefix = KEYS[1]
local meta, last, dead, workers = prefix .. "meta", prefix .. "last", prefix .. "dead", prefix .. "workers"
local function stream_of(index) return prefix .. "stream:" .. index end
local function lease_of(index) return prefix .. "lease:" .. index end
local function count_of_streams() return tonumber(redis.call("HGET", meta, "streams") or "0") end
local function now_of()
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local SET_BACK = 60000 -- what ends later than that ends at once: the clock was set back
local function fields_of(list)
  local fields = {}
  for index = 1, #list, 2 do fields[list[index]] = list[index + 1] end
  return fields
end
local function length_of(streams)
  local length = 0
  for index = 0, streams - 1 do length = length + redis.call("XLEN", stream_of(index)) end
  return length
end
local function name_of(id, index) return id .. "-" .. index end
local function append(streams, pair, fields)
  local index = tonumber(redis.sha1hex(pair):sub(1, 7), 16) % streams
  local name = name_of(redis.call("XADD", stream_of(index), "*", unpack(fields)), index)
  redis.call("HSET", last, pair, name)
  return name
end
]==]

-- ARGV: how many streams a new queue has, the ceiling, and for each entry its pair, kind, from, to and
-- types. All of them are added, or none. Returns their names.
scripts.add = HEAD .. [==[
local streams = count_of_streams()
if streams == 0 then
  streams = tonumber(ARGV[1])
  redis.call("HSET", meta, "streams", streams)
end
local length, entries = length_of(streams), (#ARGV - 2) / 5
if length + entries > tonumber(ARGV[2]) then return { "busy", length } end
local names = {}
for at = 3, #ARGV, 5 do
  names[#names + 1] = append(streams, ARGV[at], {
    "pair", ARGV[at], "kind", ARGV[at + 1], "from", ARGV[at + 2], "to", ARGV[at + 3], "types", ARGV[at + 4],
  })
end
return names
]==]

-- What a worker holds from here on. ARGV: the worker's name or "", for how many ms, whether it works on
-- what it holds ("1": nothing is let go), its account or "", and the index and fence of each stream that it
-- holds. Returns its name, the number of workers, that of dead letters, and the index and fence of each
-- stream that it holds now.
--
-- Record ids of one account fit any other: so what is in a queue is sent to one account, that of the first
-- worker that named its own.
scripts.hold = HEAD .. [==[
local now, streams = now_of(), count_of_streams()
local worker, valid, is_working, account = ARGV[1], tonumber(ARGV[2]), ARGV[3] == "1", ARGV[4]
local known = account ~= "" and redis.call("HGET", meta, "account")
if known and known ~= account and length_of(streams) + redis.call("XLEN", dead) > 0 then
  return { "account", known }
end
-- First, as a Redis that is full accepts it, and then what takes memory, too: workers have to empty it.
redis.call("ZREMRANGEBYSCORE", workers, "-inf", now)
redis.call("ZREMRANGEBYSCORE", workers, now + SET_BACK, "+inf")
-- With the time, as a Redis that has lost its last writes counts them again.
if worker == "" then
  local time, number = redis.call("TIME"), redis.call("HINCRBY", meta, "workers", 1)
  worker = string.format("%s.%s-%.0f", time[1], time[2], number)
end
redis.call("ZADD", workers, now + valid, worker)
if account ~= "" and known ~= account then redis.call("HSET", meta, "account", account) end
local others = redis.call("ZCARD", workers)
local most = math.ceil(streams / others)
local held, is_held = {}, {}
local function hold(index, fence)
  local ends = string.format("%.0f", now + valid)
  redis.call("HSET", lease_of(index), "worker", worker, "fence", fence, "ends", ends)
  held[#held + 1] = tostring(index)
  held[#held + 1] = tostring(fence)
  is_held[index] = true
end
for at = 5, #ARGV, 2 do
  local index, fence = tonumber(ARGV[at]), ARGV[at + 1]
  local lease = fields_of(redis.call("HGETALL", lease_of(index)))
  if lease.worker == worker and lease.fence == fence then
    if is_working or #held / 2 < most then
      hold(index, fence)
    else
      redis.call("HDEL", lease_of(index), "worker", "ends")
    end
  end
end
if not is_working then
  for index = 0, streams - 1 do
    if #held / 2 >= most then break end
    local ends = tonumber(redis.call("HGET", lease_of(index), "ends") or "0")
    if not is_held[index] and (ends <= now or ends > now + SET_BACK) then
      hold(index, redis.call("HINCRBY", lease_of(index), "fence", 1))
    end
  end
end
return { worker, others, redis.call("XLEN", dead), unpack(held) }
]==]

-- Ends a worker, and what it holds. ARGV: its name, and the index and fence of each stream.
scripts.leave = HEAD .. [==[
redis.call("ZREM", workers, ARGV[1])
for at = 2, #ARGV, 2 do
  local lease = fields_of(redis.call("HGETALL", lease_of(ARGV[at])))
  if lease.worker == ARGV[1] and lease.fence == ARGV[at + 1] then
    redis.call("HDEL", lease_of(ARGV[at]), "worker", "ends")
  end
end
return 1
]==]

-- Removes entries that have their outcome. ARGV: the worker, the index of the stream, the fence, and for
-- each entry its id, its pair (the value of its first field, whoever wrote it), and "" or why it failed: then
-- it becomes a dead letter. Returns how many were removed, or -1 when the lease is another's.
scripts.settle = HEAD .. [==[
local worker, index, fence = ARGV[1], ARGV[2], ARGV[3]
local lease = fields_of(redis.call("HGETALL", lease_of(index)))
if lease.worker ~= worker or lease.fence ~= fence then return -1 end
redis.call("HDEL", last, "") -- changes nothing; after it, a Redis that is full accepts dead letters, too
local stream, removed = stream_of(index), 0
for at = 4, #ARGV, 3 do
  local id, pair, reason = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local name = name_of(id, index)
  local found = redis.call("XRANGE", stream, id, id)[1]
  if found and found[2][2] == pair then -- a Redis that has lost its last writes may give their ids again
    if reason ~= "" then
      local fields = found[2]
      fields[#fields + 1] = "entry"
      fields[#fields + 1] = name
      fields[#fields + 1] = "reason"
      fields[#fields + 1] = reason
      redis.call("XADD", dead, "*", unpack(fields))
    elseif redis.call("HGET", last, pair) == name then
      redis.call("HDEL", last, pair)
    end
    redis.call("XDEL", stream, id)
    removed = removed + 1
  end
end
return removed
]==]

-- Puts dead letters back, the oldest first. ARGV: after which one, how many at most, and the ceiling. Those
-- whose pair has a newer entry, whatever became of it, are removed; what is no entry of `add` stays. Returns
-- the last one that it looked at, "" at the end; how many were put back, how many removed; and 1 when there
-- was no room for more.
scripts.retry = HEAD .. [==[
local streams, after, back, removed = count_of_streams(), ARGV[1], 0, 0
local room = tonumber(ARGV[3]) - length_of(streams)
local letters = redis.call("XRANGE", dead, after == "" and "-" or "(" .. after, "+", "COUNT", ARGV[2])
for _, letter in ipairs(letters) do
  local fields = fields_of(letter[2])
  if fields.pair and fields.kind and fields.from and fields.to and fields.types then
    if redis.call("HGET", last, fields.pair) ~= fields.entry then
      removed = removed + 1
    elseif back >= room then
      return { after, back, removed, 1 }
    else
      back = back + 1
      append(streams, fields.pair, {
        "pair", fields.pair, "kind", fields.kind, "from", fields.from, "to", fields.to, "types", fields.types,
      })
    end
    redis.call("XDEL", dead, letter[1])
  end
  after = letter[1]
end
return { #letters == tonumber(ARGV[2]) and after or "", back, removed, 0 }
]==]

-- Removes dead letters, the oldest first. ARGV: the last one to remove, and how many at most. Returns how
-- many were removed.
scripts.discard = HEAD .. [==[
local letters = redis.call("XRANGE", dead, "-", ARGV[1], "COUNT", ARGV[2])
for _, letter in ipairs(letters) do
  local fields = fields_of(letter[2])
  if fields.pair and redis.call("HGET", last, fields.pair) == fields.entry then
    redis.call("HDEL", last, fields.pair)
  end
  redis.call("XDEL", dead, letter[1])
end
return #letters
]==]

-- Returns the number of entries, the age of the oldest in ms or -1, the workers, the dead letters, the
-- streams, how many of these are held, and whether Redis has an append-only file: 1, 0, or -1 when it does
-- not say.
scripts.status = HEAD .. [==[
local now, streams, oldest, held = now_of(), count_of_streams(), nil, 0
for index = 0, streams - 1 do
  local first = redis.call("XRANGE", stream_of(index), "-", "+", "COUNT", 1)[1]
  if first then oldest = math.min(oldest or now, tonumber(first[1]:match("^%d+"))) end
  if tonumber(redis.call("HGET", lease_of(index), "ends") or "0") > now then held = held + 1 end
end
local info = redis.pcall("INFO", "persistence") -- the user may not be allowed to ask
local file = type(info) == "string" and info:match("aof_enabled:([01])") or "-1"
return {
  length_of(streams), oldest and math.max(0, now - oldest) or -1, redis.call("ZCOUNT", workers, now, "+inf"),
  redis.call("XLEN", dead), streams, held, tonumber(file),
}
]==]

return scripts
