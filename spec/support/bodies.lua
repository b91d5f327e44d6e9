-- The request bodies that specs of the core write, and the inputs in them.

local core = require "hubspot.associations.core"

local bodies = {}

--- Lets any string be an id, also one that JSON has to escape.
bodies.ANY_ID = { check_ids = false }

---@param from any
---@param to any
---@param types? any 1 by default
---@return table
function bodies.input(from, to, types)
  return { from = from, to = to, types = types or 1 }
end

--- A body with these inputs. Raises if one is invalid.
---@param options table|nil of core.body
---@param ... table inputs
---@return userdata
function bodies.of(options, ...)
  local body = core.body(options)
  for i = 1, select("#", ...) do assert(body:add((select(i, ...)))) end
  return body
end

return bodies
