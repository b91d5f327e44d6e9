-- Handles the requests of hosts that are web servers, in their own Lua: one client for all requests of a
-- state.

local associations = require "hubspot.associations"
local exercise = require "hosts.support.exercise"

local client
local count = 0

---@param loop table
---@param state integer|nil which one this is, of several in one host
---@return fun(): string create links a pair of its own by a call, and returns the id in the result
---@return fun(): string link the same, together with what is linked at the same time
return function(loop, state)
  local function input()
    client = client or assert(associations.new { token = "secret", base_url = exercise.url(), loop = loop })
    count = count + 1
    return { from = tostring((state or 0) * 100000 + 10000 + count), to = 7, types = 279 }
  end

  local function create()
    local given = input()
    local batch, err = client:create("contacts", "companies", { given })
    if not batch then error(tostring(err), 0) end
    local got = batch.results[1].fromObjectId
    if got ~= given.from then error("asked for " .. given.from .. ", got " .. got, 0) end
    return got
  end

  local function link()
    local given = input()
    local linked, err = client:link("contacts", "companies", given)
    if not linked then error(tostring(err), 0) end
    return given.from
  end

  return create, link
end
