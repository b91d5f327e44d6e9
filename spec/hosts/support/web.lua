-- Handles the requests of hosts that are web servers, in their own Lua: one client for all requests of a
-- state.

local associations = require "hubspot.associations"
local exercise = require "hosts.support.exercise"

local client
local count = 0

---@param loop table
---@param state integer|nil which one this is, of several in one host
---@return fun(): string create links a pair of its own, and returns the id in the result
return function(loop, state)
  return function()
    client = client or assert(associations.new { token = "secret", base_url = exercise.url(), loop = loop })
    count = count + 1
    local id = tostring((state or 0) * 100000 + 10000 + count)
    local batch, err = client:create("contacts", "companies", { { from = id, to = 7, types = 279 } })
    if not batch then error(tostring(err), 0) end
    local got = batch.results[1].fromObjectId
    if got ~= id then error("asked for " .. id .. ", got " .. got, 0) end
    return got
  end
end
