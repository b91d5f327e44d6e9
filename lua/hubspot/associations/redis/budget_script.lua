-- What Redis does for the budget of an account: a script that grants leases, so many requests at a time,
-- from one sliding window, with Redis's clock. It is text here, and runs in Redis.
--
-- A lease is charged until it has expired, and then for the window. The process counts its validity from
-- sending the request for it, Redis from handling that request, which is later: so Redis's charge ends
-- last, and no two clocks need agree.
--
-- Who has to wait is in a line. Of what is free, each one there gets an equal part, and the first ones of
-- the line what is left over; who got less than it asked for goes to the end. So each process gets its
-- turn, whatever the others ask for. One that does not ask again when it was told to is dropped from the
-- line.

return [==[
local state, charges, members, line, due = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local given = {}
for index = 1, #ARGV, 2 do given[ARGV[index]] = ARGV[index + 1] end
local function number(name) return tonumber(given[name] or "") end
local function get(name) return tonumber(redis.call("HGET", state, name) or "") end
local function set(name, value) redis.call("HSET", state, name, string.format("%.0f", value)) end

local GRACE = 1000 -- how much later than told a process may ask again, before it loses its place in the line
local LONGEST_DELAY = 1000 -- something may have changed by then
local SHORTEST_DELAY = 5
local MEMBER_FOR = 30000 -- a process that was not heard of for this long counts no more
local USUAL_LIMIT, USUAL_INTERVAL = 100, 10000 -- of an account whose limit nobody has seen yet
local SET_BACK = 1000
local KEPT_FOR = 120000 -- after the last request, all is forgotten

-- ---- the account ----

-- Where the clock was set back, all charges would end that much later: so Redis forgets them, and asks each
-- process what it has sent, as where it has lost its memory.
local seen = get("seen") or now
if seen > now + SET_BACK then
  redis.call("DEL", unpack(KEYS))
  seen = now
end
set("seen", math.max(seen, now))

local epoch = redis.call("HGET", state, "epoch")
local is_new = not epoch
if is_new then
  epoch = string.format("%.0f.%s", time[1], time[2])
  redis.call("HSET", state, "epoch", epoch)
end
local has_lost = given.epoch ~= nil and given.epoch ~= epoch
local member = not has_lost and given.member
if not member then member = string.format("%.0f", redis.call("HINCRBY", state, "members", 1)) end

if number("rate") then
  set("limit", number("rate"))
  set("interval", USUAL_INTERVAL)
elseif number("limit") then
  set("limit", number("limit"))
  set("interval", number("interval"))
end
local limit, interval = get("limit") or USUAL_LIMIT, get("interval") or USUAL_INTERVAL

redis.call("ZREMRANGEBYSCORE", members, "-inf", now)
redis.call("ZADD", members, now + MEMBER_FOR, member)
local processes = redis.call("ZCARD", members)

-- ---- what is charged ----

redis.call("ZREMRANGEBYSCORE", charges, "-inf", now)

local function charge(name, count, ends)
  if count > 0 then redis.call("ZADD", charges, ends, string.format("%.0f:%s/%s", count, member, name)) end
end

-- Leases that expired unused: "name:granted:unused", with spaces between them.
if not has_lost then
  for name, granted, unused in (given.returned or ""):gmatch("([^ ]+):(%d+):(%d+)") do
    local lease = granted .. ":" .. member .. "/" .. name
    local ends = redis.call("ZSCORE", charges, lease)
    if ends then
      redis.call("ZREM", charges, lease)
      charge(name, granted - unused, ends)
    end
  end
end

-- What was sent without a lease. When Redis has lost its memory, that is all of it; and where no other
-- process has said so yet, as much is charged for each of those that there were.
if has_lost then
  local fleet = is_new and math.max(1, number("processes") or 1) or 1
  charge("lost" .. given.name, math.min(limit, number("recent") * fleet), now + interval)
elseif number("debt") then
  charge("debt" .. given.name, number("debt"), now + interval)
end

local charged, ends = 0, {}
local entries = redis.call("ZRANGE", charges, 0, -1, "WITHSCORES")
for index = 1, #entries, 2 do
  local count = tonumber(entries[index]:match("^%d+"))
  charged = charged + count
  ends[#ends + 1] = { tonumber(entries[index + 1]), count }
end

-- ---- what other programs use ----

if (get("others_until") or 0) <= now then redis.call("HDEL", state, "others", "others_until") end

local function fill(count)
  set("others", count)
  set("others_until", now + interval)
end

if number("remaining") and not number("rate") then
  fill(math.max(0, limit - number("remaining") - charged))
end

-- A 429. There is room again when the first of the fleet's own requests stops counting, if it has any.
if given.limited then
  local pause = number("retry_after")
  if not pause and given.limited == "SECONDLY" then pause = 1000 end
  if not pause and (charged == 0 or number("rate")) then pause = interval end
  if pause then
    set("paused_until", math.max(get("paused_until") or 0, now + pause))
  else
    fill(math.max(get("others") or 0, limit - charged))
  end
end

local others, others_until = get("others") or 0, get("others_until") or 0
local paused = math.max(0, (get("paused_until") or 0) - now)

-- ---- the line ----

for _, name in ipairs(redis.call("ZRANGEBYSCORE", due, "-inf", now)) do
  redis.call("ZREM", due, name)
  redis.call("ZREM", line, name)
end

local function join() -- at the end
  redis.call("ZADD", line, redis.call("HINCRBY", state, "turn", 1), member)
end

local function leave()
  redis.call("ZREM", line, member)
  redis.call("ZREM", due, member)
end

-- Milliseconds until so many requests are free.
local function delay_until(count, free)
  if others > 0 then
    ends[#ends + 1] = { others_until, others }
    table.sort(ends, function(a, b) return a[1] < b[1] end)
  end
  for _, entry in ipairs(ends) do
    if free >= count then break end
    free = free + entry[2]
    if free >= count then return entry[1] - now end
  end
  return free >= count and SHORTEST_DELAY or LONGEST_DELAY
end

local want, granted, delay = number("want") or 0, 0, 0
local free = paused > 0 and 0 or math.max(0, limit - others - charged)
if want > 0 then
  if not redis.call("ZSCORE", line, member) then join() end
  local waiting, rank = redis.call("ZCARD", line), redis.call("ZRANK", line, member)
  local part = math.floor(free / waiting)
  if rank < free % waiting then part = part + 1 end
  granted = math.min(want, part)
  charge(given.name, granted, now + 1 + number("valid") + interval)
  if granted == want then
    leave()
  else
    if granted > 0 then join() end
    rank = redis.call("ZRANK", line, member)
    delay = math.min(LONGEST_DELAY, math.max(SHORTEST_DELAY, delay_until(rank + 1, free - granted)))
    redis.call("ZADD", due, now + math.max(delay, paused) + GRACE, member)
  end
else
  leave()
end

for _, key in ipairs(KEYS) do redis.call("PEXPIRE", key, KEPT_FOR + paused) end
local function text(value) return string.format("%.0f", value) end
return {
  member, epoch, text(granted), text(delay), text(paused), text(limit), text(interval), text(processes),
}
]==]
