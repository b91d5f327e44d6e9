-- What Redis does for the budget of an account: a script that grants leases, so many requests at a time,
-- from one sliding window, with Redis's clock. It is text here, and runs in Redis.
--
-- A lease is charged until it has expired, and then for the window. The process counts its validity from
-- sending the request for it, Redis from handling that request, which is later: so Redis's charge ends
-- last, and no two clocks need agree.
--
-- The rule of fairness: what is free goes to the process that was charged least, one request after another;
-- among equals, to the one that has waited longest. As what is charged is the requests of one interval, each
-- process gets what it asks for, or as much in an interval as any other. While several wait, or have waited
-- within an interval, what is free is given out evenly: it would come and go in bursts otherwise, and of each
-- burst a process with one request at a time would have one.

return [==[
local state, charges, members, line = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local given = {}
for index = 1, #ARGV, 2 do given[ARGV[index]] = ARGV[index + 1] end
local function number(name) return tonumber(given[name] or "") end
local function get(name) return tonumber(redis.call("HGET", state, name) or "") end
local function set(name, value) redis.call("HSET", state, name, string.format("%.0f", value)) end

local GRACE = 1000 -- how much later than told a process may ask again, before it waits no longer
local LONGEST_DELAY = 1000 -- something may have changed by then
local SHORTEST_DELAY = 5
local PACE = 1.3 -- at which several that wait get what is free, relative to the limit
local AT_ONCE = 400 -- as many as this pace has in so many milliseconds may go together
local MEMBER_FOR = 30000 -- a process that was not heard of for this long counts no more
local USUAL_LIMIT, USUAL_INTERVAL = 100, 10000 -- of an account whose limit nobody has seen yet
local SET_BACK = 1000
local OLDEST = 1000 -- what HubSpot said so long ago still counts
local STEP, DECAY, MOST = 0.02, 0.01, 0.08 -- of the limit: what a 429 leaves to others, less in each interval
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

local known_interval = get("interval") or USUAL_INTERVAL

-- A rate that some process gives is that of all: the lowest of those that were given of late.
local rate = (get("rate_until") or 0) > now and get("rate") or nil
if number("rate") and number("rate") <= (rate or number("rate")) then
  rate = number("rate")
  set("rate", rate)
  set("rate_until", now + MEMBER_FOR)
end
if rate then
  set("limit", rate)
  set("interval", USUAL_INTERVAL)
elseif number("limit") then
  set("limit", number("limit"))
  set("interval", number("interval"))
end
local limit, interval = get("limit") or USUAL_LIMIT, get("interval") or USUAL_INTERVAL

-- What was charged for an interval that turned out to be another one is charged for that.
if interval ~= known_interval then
  for _, name in ipairs(redis.call("ZRANGE", charges, 0, -1)) do
    redis.call("ZINCRBY", charges, string.format("%.0f", interval - known_interval), name)
  end
end

redis.call("ZREMRANGEBYSCORE", members, "-inf", now)
redis.call("ZADD", members, now + MEMBER_FOR, member)
local processes = redis.call("ZCARD", members)
local place = 0 -- of this one among them, where they will have to take turns without Redis
if processes > limit then
  for _, name in ipairs(redis.call("ZRANGE", members, 0, -1)) do
    if tonumber(name) < tonumber(member) then place = place + 1 end
  end
end

-- ---- what is charged ----

redis.call("ZREMRANGEBYSCORE", charges, "-inf", now - OLDEST)

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

-- What is charged now, and what was when HubSpot said what remained.
local charged, charged_then, charged_to = 0, 0, {}
local said_at = now - (number("age") or 0)
local function whole(valid) return 1 + valid + interval end -- how long a lease is charged
local entries = redis.call("ZRANGE", charges, 0, -1, "WITHSCORES")
for index = 1, #entries, 2 do
  local count, name, valid = entries[index]:match("^(%d+):(%d+)/[^-]*-?(%d*)")
  local ends_at = tonumber(entries[index + 1])
  count = tonumber(count)
  local began = ends_at - whole(tonumber(valid) or 0)
  if ends_at > said_at and began <= said_at then charged_then = charged_then + count end
  if ends_at > now then
    charged = charged + count
    charged_to[name] = (charged_to[name] or 0) + count
  end
end

-- ---- what other programs use ----

if (get("others_until") or 0) <= now then redis.call("HDEL", state, "others", "others_until") end

local function fill(count)
  set("others", count)
  set("others_until", now + interval)
end

if number("remaining") and not rate then
  fill(math.max(0, limit - number("remaining") - charged_then))
end

-- A lease that is out may be used or not, so what others use is known too low. Each 429 leaves them a little
-- more, and each interval without one a little less.
local known_margin = get("margin") or 0 -- in millionths of a request
local margin = math.max(0, known_margin / 1e6 - DECAY * limit * (now - seen) / interval)

-- A 429. There is room again when the first of the fleet's own requests stops counting, if it has any.
if given.limited then
  local pause = number("retry_after")
  if not pause and given.limited == "SECONDLY" then pause = 1000 end
  if not pause and (charged == 0 or rate) then pause = interval end
  if pause then
    set("paused_until", math.max(get("paused_until") or 0, now + pause))
  else
    fill(math.max(get("others") or 0, limit - charged))
    margin = math.min(margin + STEP * limit, MOST * limit)
  end
end
if margin > 0 or known_margin > 0 then set("margin", margin * 1e6) end

local others, others_until = get("others") or 0, get("others_until") or 0
local paused = math.max(0, (get("paused_until") or 0) - now)

-- ---- the line ----

-- Of each other process that waits, or has waited: how much it wants, since when (a turn), until when that
-- holds, and whether the time has come at which it was told to ask again.
local waiting, own_turn = {}, nil
local list = redis.call("HGETALL", line)
for index = 1, #list, 2 do
  local name = list[index]
  local wants, turn, ends_at = list[index + 1]:match("(%d+) (%d+) (%d+)")
  wants, turn, ends_at = tonumber(wants), tonumber(turn), tonumber(ends_at)
  if ends_at <= now then
    redis.call("HDEL", line, name)
  elseif name ~= member then
    waiting[#waiting + 1] = {
      want = wants, turn = turn, charged = charged_to[name] or 0, is_due = ends_at - GRACE <= now,
    }
  elseif wants > 0 then
    own_turn = turn
  end
end

local function put(wants, turn, ends_at)
  redis.call("HSET", line, member, string.format("%.0f %.0f %.0f", wants, turn, ends_at))
end

-- How many have to be free so that this process gets so many: those, and what others get before. For those
-- that were told to ask later nothing is kept, as it would lie idle.
local own = charged_to[member] or 0
local function needed(count, with_later)
  local sum = count
  for _, other in ipairs(waiting) do
    local before = own + count - other.charged
    if own_turn and own_turn < other.turn then before = before - 1 end
    if with_later or other.is_due then sum = sum + math.max(0, math.min(other.want, before)) end
  end
  return sum
end

-- Milliseconds until so many requests are free.
local function delay_until(count, free)
  if free >= count then return SHORTEST_DELAY end
  local left = others
  for index = 1, #entries, 2 do
    local ends_at = tonumber(entries[index + 1])
    if left > 0 and others_until <= ends_at then
      free, left = free + left, 0
      if free >= count then return others_until - now end
    end
    if ends_at > now then
      free = free + tonumber(entries[index]:match("^%d+"))
      if free >= count then return ends_at - now end
    end
  end
  return left > 0 and others_until - now or LONGEST_DELAY
end

local want, granted, delay = number("want") or 0, 0, 0
local free, is_shared = math.floor(limit - others - margin) - charged, #waiting > 0
local each = interval / PACE / math.max(1, limit - others) -- milliseconds of the pace for one request
local paced_to = math.max(get("paced_to") or 0, now - math.max(AT_ONCE, 2 * each))
local most = is_shared and math.min(free, math.floor((now - paced_to) / each)) or free
if paused > 0 then most = 0 end
while granted < want and needed(granted + 1) <= most do granted = granted + 1 end
charge(given.name, granted, now + whole(number("valid") or 0))
if is_shared and granted > 0 then
  paced_to = paced_to + granted * each
  set("paced_to", paced_to)
end

if granted < want then
  if granted > 0 or not own_turn then own_turn = redis.call("HINCRBY", state, "turn", 1) end
  own = own + granted
  local count = needed(1, true)
  delay = delay_until(count, free - granted)
  if is_shared then delay = math.max(delay, math.ceil(paced_to + count * each) - now) end
  delay = math.min(LONGEST_DELAY, math.max(SHORTEST_DELAY, delay))
  put(want - granted, own_turn, now + math.max(delay, paused) + GRACE)
elseif own_turn then
  put(0, own_turn, now + interval)
end

for _, key in ipairs(KEYS) do redis.call("PEXPIRE", key, KEPT_FOR + paused) end
local function text(value) return string.format("%.0f", value) end
return {
  member, epoch, text(granted), text(delay), text(paused), text(limit), text(interval), text(processes),
  text(now), text(place),
}
]==]
