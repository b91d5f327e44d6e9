-- The commands of Redis that the budget's script uses, on tables and a clock of the spec's, so that the
-- script itself runs in virtual time. spec/redis/redis_spec.lua compares it with a real server.

local redis_stand_in = {}

local Server = {}
Server.__index = Server

---@param now fun(): number seconds
function redis_stand_in.new(now)
  return setmetatable({ now = now, keys = {}, scripts = {}, calls = 0 }, Server)
end

local commands = {}

local function key_of(self, key)
  local entry = self.keys[key]
  if entry and entry.expires and entry.expires <= self.now() then self.keys[key], entry = nil, nil end
  if not entry then
    entry = { values = {} }
    self.keys[key] = entry
  end
  return entry
end

local function values(self, key) return key_of(self, key).values end

local function text(value)
  return type(value) == "number" and ("%.17g"):format(value) or value
end

local function sorted(self, key)
  local list = {}
  for name, score in pairs(values(self, key)) do list[#list + 1] = { name, score } end
  table.sort(list, function(a, b)
    if a[2] ~= b[2] then return a[2] < b[2] end
    return a[1] < b[1]
  end)
  return list
end

function commands.TIME(self)
  local now = self.now()
  return { ("%.0f"):format(math.floor(now)), ("%.0f"):format(math.floor(now % 1 * 1e6)) }
end

function commands.HGET(self, key, field) return values(self, key)[field] or false end

function commands.HSET(self, key, field, value)
  local hash = values(self, key)
  local is_new = hash[field] == nil
  hash[field] = text(value)
  return is_new and 1 or 0
end

function commands.HGETALL(self, key)
  local list = {}
  for field, value in pairs(values(self, key)) do
    list[#list + 1], list[#list + 2] = field, value
  end
  return list
end

function commands.HDEL(self, key, ...)
  for _, field in ipairs { ... } do values(self, key)[field] = nil end
  return 0
end

function commands.HINCRBY(self, key, field, by)
  local hash = values(self, key)
  hash[field] = ("%.0f"):format((hash[field] or 0) + by)
  return tonumber(hash[field])
end

function commands.ZADD(self, key, score, name)
  values(self, key)[name] = tonumber(score)
  return 1
end

function commands.ZINCRBY(self, key, more, name)
  local list = values(self, key)
  list[name] = (list[name] or 0) + tonumber(more)
  return ("%.17g"):format(list[name])
end

function commands.ZREM(self, key, name)
  values(self, key)[name] = nil
  return 1
end

function commands.ZSCORE(self, key, name)
  local score = values(self, key)[name]
  return score and ("%.17g"):format(score) or false
end

function commands.ZCARD(self, key)
  local count = 0
  for _ in pairs(values(self, key)) do count = count + 1 end
  return count
end

function commands.ZRANK(self, key, name)
  local set, rank = values(self, key), 0
  local score = set[name]
  if not score then return false end
  for other, value in pairs(set) do
    if value < score or value == score and other < name then rank = rank + 1 end
  end
  return rank
end

function commands.ZRANGE(self, key, first, last, option)
  assert(first == 0 and last == -1 and (not option or option == "WITHSCORES"))
  local list = {}
  for _, entry in ipairs(sorted(self, key)) do
    list[#list + 1] = entry[1]
    if option then list[#list + 1] = ("%.17g"):format(entry[2]) end
  end
  return list
end

function commands.ZRANGEBYSCORE(self, key, low, high)
  assert(low == "-inf")
  local list = {}
  for name, score in pairs(values(self, key)) do
    if score <= high then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

function commands.ZREMRANGEBYSCORE(self, key, low, high)
  for _, name in ipairs(commands.ZRANGEBYSCORE(self, key, low, high)) do values(self, key)[name] = nil end
  return 0
end

function commands.DEL(self, ...)
  for _, key in ipairs { ... } do self.keys[key] = nil end
  return 0
end

function commands.PEXPIRE(self, key, milliseconds)
  key_of(self, key).expires = self.now() + milliseconds / 1000
  return 1
end

local function compile(script, environment)
  if setfenv then return setfenv(assert(loadstring(script)), environment) end -- luacheck: ignore
  return assert(load(script, "script", "t", environment))
end

---Runs a script as EVAL does.
function Server:eval(script, keys, arguments)
  self.calls = self.calls + 1
  local known = self.scripts[script]
  if not known then
    known = { environment = {
      redis = { call = function(name, ...) return commands[name](self, ...) end },
      unpack = table.unpack or unpack, -- luacheck: ignore
    } }
    setmetatable(known.environment, { __index = _G })
    known.run = compile(script, known.environment)
    self.scripts[script] = known
  end
  known.environment.KEYS, known.environment.ARGV = keys, arguments
  return known.run()
end

---Forgets everything, as a server without persistence does when it is started again.
function Server:lose()
  self.keys = {}
end

return redis_stand_in
