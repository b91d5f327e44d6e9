-- Drives core.transport for specs, as a host would: submit, wait for its descriptor, step. A request that
-- does not end fails the spec, instead of hanging it.

local core = require "hubspot.associations.core"

local PATIENCE = 20 -- seconds

local exchange = {}

--- The usual fields of a call, with changes.
---@param url string
---@param changes? table fields of transport:submit
---@return table
function exchange.call(url, changes)
  local call = { method = "POST", url = url, headers = {}, body = "{}", timeout = 10, connect_timeout = 5 }
  for name, value in pairs(changes or {}) do
    call[name] = value
  end
  return call
end

--- Waits for the end of a request.
---@param has_bytes? boolean whether the response's body is to be core's bytes, not a string
---@return table|nil response
---@return table|nil failure
function exchange.finish(transport, request, has_bytes)
  local deadline = core.now() + PATIENCE
  transport:step()
  while not request:done() do
    local left = deadline - core.now()
    if left <= 0 then
      error("the request did not end", 2)
    end
    core.poll(transport:fd(), left)
    transport:step()
  end
  return request:response(has_bytes)
end

--- Makes a request, and waits for its end.
---@param transport userdata
---@param url string
---@param changes? table fields of transport:submit
---@return table|nil response
---@return table|nil failure
function exchange.run(transport, url, changes)
  local request, failure = transport:submit(exchange.call(url, changes))
  if not request then
    return nil, failure
  end
  return exchange.finish(transport, request)
end

--- Waits until the condition holds. Raises if it does not in time.
---@param condition fun(): any
---@param what string for the error
---@return any value what the condition returned
function exchange.eventually(condition, what)
  local deadline = core.now() + PATIENCE
  repeat
    local value = condition()
    if value then
      return value
    end
    core.poll(nil, 0.002)
  until core.now() > deadline
  error("waited in vain: " .. what, 2)
end

return exchange
