-- A sandbox for tests, in a process of its own: `start` returns its address and what it holds. The process is
-- a Lua that runs sandbox/child.lua; it ends when its standard input does, and so with the test.
-- Questions go to it as lines of JSON through a pipe, and the responses come back through a fifo: neither an
-- HTTP client nor the C core is needed for that.

local json = require "hubspot.associations.sandbox.json"
local options = require "hubspot.associations.sandbox.options"

local sandbox = {}

---As the value of an option in `configure`: back to the default.
sandbox.DEFAULT = options.DEFAULT

local TOKEN = "pat-sandbox"

local ROOT = debug.getinfo(1, "S").source:match "^@(.*)hubspot/associations/sandbox%.lua$"

---@class hubspot.associations.Sandbox
---@field url string the address, for the option base_url of a client
---@field token string one that it accepts
local Sandbox = {}
Sandbox.__index = Sandbox

-- The interpreter that runs this program; "lua5.4" and the like in a program that embeds Lua.
local function interpreter()
  local first = 0
  while arg and arg[first - 1] do first = first - 1 end
  local name = first < 0 and arg[first] or ""
  if name:match "[^/]*$":find "^lua" then return name end
  return type(rawget(_G, "jit")) == "table" and "luajit" or "lua" .. _VERSION:match "%d.%d"
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The child's search paths: this program's, or, for another Lua, its own and this library's folder.
local function program(given_lua)
  local paths = ("package.path, package.cpath = %q, %q"):format(package.path, package.cpath)
  if given_lua then paths = ("package.path = %q .. package.path"):format((ROOT or "./") .. "?.lua;") end
  return paths .. ' require "hubspot.associations.sandbox.child"()'
end

-- A value as JSON can carry it: numbers as keys become text, unless the table is a list.
local function portable(value)
  if type(value) == "function" then
    error("sandbox options: a function does not reach the sandbox's process; use a list or a table", 0)
  end
  if value == options.DEFAULT then return json.null end
  if type(value) ~= "table" then return value end
  local count, copy = 0, {}
  for _ in pairs(value) do count = count + 1 end
  for key, one in pairs(value) do
    local is_name = type(key) == "number" and #value ~= count
    copy[is_name and ("%d"):format(key) or key] = portable(one)
  end
  return copy
end

-- A line of JSON, or nil and why there is none.
local function encode(value)
  local encoded, line = pcall(function() return json.encode(portable(value)) end)
  if not encoded then return nil, line end
  return line
end

-- Sends a line, and returns the response to it, or nil when the process has ended.
local function exchange(self, line)
  self.input:write(line, "\n")
  self.input:flush()
  local response = self.output:read "*l"
  return response and json.decode(response)
end

-- An id as JSON carries it without loss.
local function id_text(id)
  return type(id) == "number" and ("%.0f"):format(id) or id
end

-- What the account's method of that name returns. A test cannot go on without it, so that failing raises.
local function ask(self, method, ...)
  if not self.input then error("the sandbox has been stopped", 3) end
  local line, message = encode { method = method, arguments = { ... } }
  if not line then error(message, 3) end
  local response = exchange(self, line)
  if not response then error("the sandbox has ended", 3) end
  if response.message then error(response.message, 3) end
  return response.result
end

-- The account's options among those of `start`, and the token to use.
local function account_options(given)
  local copy = {}
  for name, value in pairs(given) do
    if name ~= "lua" and name ~= "faults" then copy[name] = value end
  end
  copy.token = copy.token or TOKEN
  local changes, message = options.check(copy)
  if not changes then error(message, 3) end
  return copy, type(copy.token) == "table" and copy.token[1] or copy.token
end

local function make_fifo()
  local name = os.tmpname()
  os.remove(name)
  name = name .. ".fifo"
  local made = os.execute("mkfifo -m 600 " .. quote(name))
  return (made == true or made == 0) and name or nil
end

-- Starts the process. Nothing is written to it before it has said that it runs: writing to one that does not
-- would raise SIGPIPE.
local function launch(self, lua)
  local fifo = make_fifo()
  if not fifo then return nil, "mkfifo failed" end
  local words = { quote(lua or interpreter()), quote(program(lua)), quote(fifo) }
  local input, why = io.popen(("exec %s -e %s >%s"):format(words[1], words[2], words[3]), "w")
  local output
  if input then output, why = io.open(fifo, "r") end -- waits until the shell has opened it
  os.remove(fifo)
  if not output then return nil, why end
  self.input, self.output = input, output
  if not output:read "*l" then return nil, "its process ended at once" end
  return true
end

---Starts a sandbox.
---@param given? table the account's options; `faults`, a script of faults: number of the request -> fault;
---  `lua`, an interpreter for the process, when it is not to be this program's
---@return hubspot.associations.Sandbox|nil
---@return string|nil err
function sandbox.start(given)
  given = given or {}
  if type(given) ~= "table" then error("sandbox options: expected a table", 2) end
  local account, token = account_options(given)
  local line, message = encode { options = account, faults = given.faults }
  if not line then error(message, 2) end
  local self = setmetatable({ token = token }, Sandbox)
  local launched, why = launch(self, given.lua)
  local response = launched and (exchange(self, line) or { message = "its process ended" })
  if not launched or response.message then
    self:stop()
    return nil, "the sandbox did not start: " .. (why or response.message)
  end
  self.url = response.result
  return self
end

---Ends the sandbox. Twice does no harm.
function Sandbox:stop()
  if self.input then self.input:close() end -- its process ends, and is waited for
  if self.output then self.output:close() end
  self.input, self.output = nil, nil
end

---The associations that it holds, in order: fromObjectTypeId, fromObjectId, toObjectTypeId, toObjectId,
---associationCategory, associationTypeId. Those that a write implies, such as its inverse, are not listed.
---@return table[]
function Sandbox:associations()
  local list = ask(self, "associations")
  for _, one in ipairs(list) do one.associationTypeId = math.floor(one.associationTypeId) end
  return list
end

---@return integer count of the associations that `associations` lists
function Sandbox:count()
  return math.floor(ask(self, "count"))
end

---Whether a read in this direction would show that two records are linked by a type.
---@param from_type string object name or object type id
---@param from_id string|integer
---@param to_type string object name or object type id
---@param to_id string|integer
---@param type_id integer
---@param category? string any category when absent
---@return boolean
function Sandbox:has(from_type, from_id, to_type, to_id, type_id, category)
  return ask(self, "has", from_type, id_text(from_id), to_type, id_text(to_id), type_id, category)
end

---@return { requests: integer, inputs: integer, associations: integer, status: table<integer, integer> }
function Sandbox:statistics()
  local statistics, by_status = ask(self, "statistics"), {}
  for status, count in pairs(statistics.status) do by_status[tonumber(status)] = math.floor(count) end
  return {
    requests = math.floor(statistics.requests), inputs = math.floor(statistics.inputs),
    associations = math.floor(statistics.associations), status = by_status,
  }
end

---Changes options of the account.
---@param changes table a value may be `sandbox.DEFAULT`
function Sandbox:configure(changes)
  ask(self, "configure", changes)
end

---Forgets associations, labels, limits and counts, and puts the options back as they were at the start.
function Sandbox:reset()
  ask(self, "reset")
end

return sandbox
