-- A queue of inputs on Redis: what redis.queue returns. Programs add to it; workers (work/worker.lua) hold
-- its streams, and take from them.

local cjson = require "cjson"
local client_options = require "hubspot.associations.options"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local connections = require "hubspot.associations.redis.connection"
local given_options = require "hubspot.associations.redis.options"
local queue_scripts = require "hubspot.associations.redis.queue_scripts"
local digits_of = require "hubspot.associations.text.digits"
local one_line = require "hubspot.associations.text.one_line"
local redis_names = require "hubspot.associations.text.redis_names"
local types = require "hubspot.associations.types"

local queue = {}

local OPTIONS = {
  url = "url", name = "name", max_pending = "count", max_dead = "count", streams = "streams",
  timeout = "client", ca_file = "client", ca_path = "client", loop = "client",
}
local MAX_PENDING, MAX_DEAD, STREAMS = 1000000, 100000, 16
local AT_ONCE = 500 -- dead letters that one script looks at

-- Bytes of an object type, and of types: a worker reads thousands of entries in one reply, which has a limit.
local LONGEST_NAME, LONGEST_TYPES = 200, 4096

local ENDPOINTS = { create = true, create_default = true, archive = true, archive_labels = true }
local HAS_TYPES = { create = true, archive_labels = true }
local NO_TYPES = { -- why an input of the endpoint has none
  create_default = "expected no types: the default type is made, whatever an input has",
  archive = "expected no types: all types of the pair are removed; archive_labels removes some",
}

local found = client_options.found
local json = cjson.new()

---@class hubspot.associations.QueueOptions
---@field url string redis[s]://[user[:password]@]host[:port][/database]
---@field name string|nil "default"
---@field max_pending integer|nil how many entries it holds at most, 1,000,000
---@field max_dead integer|nil dead letters with which a worker stops, 100,000
---@field streams integer|nil into how many a new queue is divided, 16: no more workers than that have work
---@field timeout number|nil seconds that a call takes at most, 5
---@field ca_file string|nil
---@field ca_path string|nil
---@field loop table|nil as of a client

---@class hubspot.associations.SharedQueue what `redis.queue` returns
local Queue = {}
Queue.__index = Queue
Queue.__name = "hubspot.associations.queue"

---@param given hubspot.associations.QueueOptions
---@param level integer of the caller to blame, as for `error`
---@return hubspot.associations.SharedQueue|nil
---@return hubspot.associations.Error|nil
function queue.new(given, level)
  local read = given_options.read("redis.queue", given, OPTIONS, level + 1)
  local connection, err = connections.open(read)
  if not connection then return nil, err end
  local scripts = {}
  for name, source in pairs(queue_scripts) do scripts[name] = connection:script(source) end
  local prefix = ("hubspot-associations:queue:{%s}:"):format(read.name or "default")
  return setmetatable({
    connection = connection,
    scripts = scripts,
    prefix = prefix,
    keys = { prefix },
    max_pending = ("%d"):format(read.max_pending or MAX_PENDING),
    max_dead = read.max_dead or MAX_DEAD,
    streams = ("%d"):format(read.streams or STREAMS),
  }, Queue)
end

-- ---- adding ----

local function check_type(name, value)
  local valid = type(value) == "string" and value ~= "" and #value <= LONGEST_NAME
    and not value:find "[%z\1-\32\127]"
  if valid then return end
  error(("queue:add: %s: expected an object type, such as \"contacts\" or \"0-1\", found %s"):format(name,
    found(value)), 3)
end

local function invalid(field, message)
  return nil, errors.new { kind = "invalid_input", field = field, message = message, retryable = false }
end

-- What JSON makes of a value; nil when it is none. Without memory, that is not known.
local function attempt(action, value)
  local worked, result = pcall(action, value)
  if worked then return result end
  if result == "not enough memory" then error(result, 0) end
end

local function id_of(name, value)
  if type(value) == "table" then value, name = value.id, name .. ".id" end
  local id = type(value) == "number" and digits_of(value) or value
  if core.is_record_id(id) then return id end
  return invalid(name, "expected a record id (a string of 1 to 19 digits, the first of them not 0, or a "
    .. "whole number), found " .. found(value))
end

local function types_of(endpoint, given)
  local its_type = type(given)
  if not HAS_TYPES[endpoint] then
    if given == nil then return "" end
    return invalid("types", NO_TYPES[endpoint])
  end
  if its_type == "number" then
    local digits = digits_of(given)
    if digits then return digits end
    return invalid("types", "expected a whole number, found " .. found(given))
  end
  if given == nil or its_type ~= "string" and its_type ~= "table" then
    return invalid("types", "expected association types, found " .. found(given))
  end
  local text = attempt(json.encode, given)
  if not text then return invalid("types", "expected association types") end
  if #text > LONGEST_TYPES then return invalid("types", "expected at most 4,096 bytes of them") end
  return text
end

-- A link is one of its two directions: so both are in one stream, and their order is kept. HubSpot's own
-- object types have several spellings.
local function pair_of(from_type, from, to_type, to)
  local one = (types.object_name(from_type) or from_type) .. ":" .. from
  local other = (types.object_name(to_type) or to_type) .. ":" .. to
  if one > other then one, other = other, one end
  return one .. " " .. other
end

-- The endpoint that `add` was told. A slip must not become another endpoint: it may be to remove.
local function endpoint_of(given)
  if given == nil then return "create" end
  if type(given) ~= "table" then
    error('queue:add: options: expected a table such as { endpoint = "archive" }, found ' .. found(given), 3)
  end
  for name in pairs(given) do
    if name ~= "endpoint" then
      error(("queue:add: option %s is unknown; there is endpoint"):format(one_line(name)), 3)
    end
  end
  local endpoint = given.endpoint
  if endpoint == nil then return "create" end
  if ENDPOINTS[endpoint] then return endpoint end
  error("queue:add: option endpoint: expected create, create_default, archive or archive_labels, found "
    .. found(endpoint), 3)
end

local function check_input(input)
  if type(input) ~= "table" then
    error("queue:add: input: expected a table { from, to, types }, found " .. found(input), 3)
  elseif input[1] ~= nil and input.from == nil then
    error("queue:add: input: expected one input, found a list: add each of them", 3)
  end
end

---Adds an input, and returns when Redis has it.
---@param from_object_type string
---@param to_object_type string
---@param input table { from, to, types }, as of a call
---@param given table|nil { endpoint = "create", "create_default", "archive" or "archive_labels" }
---@return string|nil id as dead letters have it
---@return hubspot.associations.Error|nil of kind `busy` when the queue is full; with `may_be_done`, it may
---  have been added all the same
function Queue:add(from_object_type, to_object_type, input, given)
  check_type("from", from_object_type)
  check_type("to", to_object_type)
  local endpoint = endpoint_of(given)
  check_input(input)
  local from, from_err = id_of("from", input.from)
  if not from then return nil, from_err end
  local to, to_err = id_of("to", input.to)
  if not to then return nil, to_err end
  local its_types, types_err = types_of(endpoint, input.types)
  if not its_types then return nil, types_err end
  local reply, err = self.scripts.add:call(self.keys, self.streams, self.max_pending,
    pair_of(from_object_type, from, to_object_type, to),
    endpoint .. " " .. from_object_type .. " " .. to_object_type, from, to, its_types)
  if not reply then return nil, err end
  if reply[1] ~= "busy" then return reply[1] end
  return nil, errors.new {
    kind = "busy", service = "Redis", retryable = true, sent = false,
    message = ("the queue is full: it has %d entries"):format(reply[2]),
  }
end

-- ---- looking ----

---@class hubspot.associations.QueueStatus
---@field depth integer entries without an outcome
---@field oldest number|nil seconds since the oldest of them was added
---@field workers integer
---@field dead integer dead letters
---@field streams integer
---@field held integer streams that a worker holds
---@field appendonly boolean|nil whether Redis has an append-only file; nil when it does not say. How often
---  that is synced (`appendfsync`), it never says

local FILE = { [0] = false, [1] = true } -- what Redis says of its append-only file

---@return hubspot.associations.QueueStatus|nil
---@return hubspot.associations.Error|nil
function Queue:status()
  local reply, err = self.scripts.status:call(self.keys)
  if not reply then return nil, err end
  return {
    depth = reply[1], oldest = reply[2] >= 0 and reply[2] / 1000 or nil, workers = reply[3], dead = reply[4],
    streams = reply[5], held = reply[6], appendonly = FILE[reply[7]],
  }
end

local function fields_of(list)
  local fields = {}
  for index = 1, #list, 2 do fields[list[index]] = list[index + 1] end
  return fields
end

---@class hubspot.associations.QueueEntry
---@field id string
---@field pair string
---@field endpoint string|nil
---@field from_type string|nil
---@field to_type string|nil
---@field input table { from, to, types }
---@field problem string|nil why it is none that `add` has written; then some of the others are missing

local NO_ENTRY = "this is no entry of queue:add: its field %s is missing, or makes no sense"

-- Also of what somebody else has written to the stream: nothing is sure then.
local function entry_of(id, list)
  local fields, problem, types_of_it = fields_of(list), nil, nil
  local function check(name, valid)
    if not valid then problem = problem or NO_ENTRY:format(name) end
  end
  local endpoint, from_type, to_type = (fields.kind or ""):match "^([^ ]+) ([^ ]+) ([^ ]+)$"
  check("pair", list[1] == "pair")
  check("kind", ENDPOINTS[endpoint])
  check("from", core.is_record_id(fields.from))
  check("to", core.is_record_id(fields.to))
  if fields.types and fields.types ~= "" then
    types_of_it = fields.types:find '^["%[{]' and attempt(json.decode, fields.types) or tonumber(fields.types)
  end
  check("types", fields.types == "" or types_of_it)
  return {
    id = id, pair = list[2], endpoint = endpoint, from_type = from_type, to_type = to_type,
    input = { from = fields.from, to = fields.to, types = types_of_it }, problem = problem,
  }
end

-- Why an entry is a dead letter.
local function reason_of(text)
  local reason = text and attempt(json.decode, text)
  return type(reason) == "table" and reason or { message = "no worker has written why" }
end

---Dead letters, the oldest first.
---@param after string|nil the id of the one before
---@param most integer|nil 100
---@return table[]|nil list of { id, entry, reason = { message, kind, … } }
---@return hubspot.associations.Error|nil
function Queue:dead_letters(after, most)
  local reply, err = self.connection:call("XRANGE", self.prefix .. "dead", after and "(" .. after or "-", "+",
    "COUNT", most or 100)
  if not reply then return nil, err end
  local list = {}
  for index, each in ipairs(reply) do
    local fields = fields_of(each[2])
    list[index] = {
      id = each[1], entry = entry_of(fields.entry, each[2]), reason = reason_of(fields.reason),
    }
  end
  return list
end

---Puts dead letters back into the queue, but for those whose pair has a newer entry: these are dropped.
---@return table|nil { retried, dropped }
---@return hubspot.associations.Error|nil of kind `busy` when the queue is full; what was done stays done
function Queue:retry_failed()
  local done, after = { retried = 0, dropped = 0 }, ""
  repeat
    local reply, err = self.scripts.retry:call(self.keys, after, AT_ONCE, self.max_pending)
    if not reply then return nil, err end
    after = reply[1]
    done.retried, done.dropped = done.retried + reply[2], done.dropped + reply[3]
    if reply[4] == 1 then
      return nil, errors.new {
        kind = "busy", service = "Redis", retryable = true,
        message = ("the queue is full: %d failed entries were put back"):format(done.retried),
      }
    end
  until after == ""
  return done
end

---Removes dead letters that somebody has looked at.
---@param last string the id of the last one to remove, as `dead_letters` gives it: also all before it go
---@return table|nil { discarded }
---@return hubspot.associations.Error|nil what was removed stays removed
function Queue:discard_failed(last)
  if type(last) ~= "string" or not redis_names.is_entry_id(last) then
    error("queue:discard_failed: expected the id of a dead letter, such as 1764364800000-0", 2)
  end
  local discarded = 0
  repeat
    local count, err = self.scripts.discard:call(self.keys, last, AT_ONCE)
    if not count then return nil, err end
    discarded = discarded + count
  until count < AT_ONCE
  return { discarded = discarded }
end

---Ends the connection.
function Queue:close()
  self.connection:close()
end

-- ---- for workers ----

-- Appends the index and the fence of each stream that is held.
local function add_held(words, held)
  for index, fence in pairs(held) do
    words[#words + 1] = index
    words[#words + 1] = fence
  end
  return words
end

local unpack = table.unpack or unpack -- luacheck: ignore

---What a worker holds from here on.
---@param worker string "" for a new one
---@param held table<string, string> index -> fence
---@param valid number seconds
---@param is_working boolean nothing is let go
---@param account string|nil the worker's
---@return table|nil { worker, workers, dead, held }
---@return hubspot.associations.Error|nil of kind `invalid_input` when the queue is of another account
function Queue:hold(worker, held, valid, is_working, account)
  local words = { worker, ("%d"):format(valid * 1000), is_working and "1" or "0", account or "" }
  local reply, err = self.scripts.hold:call(self.keys, unpack(add_held(words, held)))
  if not reply then return nil, err end
  if reply[1] == "account" then
    return invalid("account", ("the queue is of the account %s, and this worker of %s: give it a token of "
      .. "that account, or a queue of its own"):format(one_line(reply[2]), one_line(account)))
  end
  local now_held = {}
  for at = 4, #reply, 2 do now_held[reply[at]] = reply[at + 1] end
  return { worker = reply[1], workers = reply[2], dead = reply[3], held = now_held }
end

---@param worker string
---@param held table<string, string>
function Queue:leave(worker, held)
  return self.scripts.leave:call(self.keys, unpack(add_held({ worker }, held)))
end

---The first entries of streams, in order; also what somebody else has written there, with a `problem`.
---@param held table<string, string>
---@param most integer of each stream
---@return table[]|nil entries, with `stream`, the index
---@return hubspot.associations.Error|nil
function Queue:read(held, most)
  local commands, indices = {}, {}
  for index in pairs(held) do
    indices[#indices + 1] = index
    commands[#commands + 1] = { "XRANGE", self.prefix .. "stream:" .. index, "-", "+", "COUNT", most }
  end
  local replies, err = self.connection:pipeline(commands)
  if not replies then return nil, err end
  local entries = {}
  for at, reply in ipairs(replies) do
    if reply.kind then return nil, reply end
    for _, each in ipairs(reply) do
      local entry = entry_of(each[1], each[2])
      entry.stream = indices[at]
      entries[#entries + 1] = entry
    end
  end
  return entries
end

---Removes entries of a stream that have their outcome.
---@param worker string
---@param stream string its index
---@param fence string
---@param settled table[] list of { entry, reason = nil or a table }
---@return boolean|nil held false when the stream is another worker's by now; nothing is removed then
---@return hubspot.associations.Error|nil
function Queue:settle(worker, stream, fence, settled)
  local words = { worker, stream, fence }
  for _, each in ipairs(settled) do
    words[#words + 1] = each.entry.id
    words[#words + 1] = each.entry.pair
    words[#words + 1] = each.reason and json.encode(each.reason) or ""
  end
  local reply, err = self.scripts.settle:call(self.keys, unpack(words))
  if not reply then return nil, err end
  return reply >= 0
end

return queue
