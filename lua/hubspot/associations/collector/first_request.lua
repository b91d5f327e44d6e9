-- The request by which a group's links are sent first. A response that confirms them all is the end of it:
-- that is what happens, and costs a fraction of a job. After any other response, a job goes on with the group
-- as if it had sent this request (group.lua): it alone says what that means for each link.

local responses = require "hubspot.associations.api.response"
local core = require "hubspot.associations.core"
local attempts = require "hubspot.associations.policy.attempts"

---@class hubspot.associations.FirstRequest
---@field attempts hubspot.associations.Attempts
---@field naming table that its types were read with
---@field raw hubspot.associations.RawResponse|nil
---@field err hubspot.associations.Error|nil why there is none
---@field received hubspot.associations.ReceivedInfo|nil
local FirstRequest = {}
FirstRequest.__index = FirstRequest

local first_request = {}

-- The body for links; nil where only a job can make it: two links of one pair are to be merged, or a type's
-- name is not known.
local function body_of(links, sender)
  local body, naming = sender.new_body()
  local pair
  for index = 1, #links do
    local link = links[index]
    if link.pair == pair or not body:add(link.input) then -- links of a pair follow one another
      body:free()
      return nil
    end
    pair = link.pair
  end
  return body, naming
end

---Sends links.
---@param links hubspot.associations.Link[]
---@param sender hubspot.associations.Sender
---@return hubspot.associations.FirstRequest|nil nil: a job has to send them
function first_request.send(links, sender)
  local body, naming = body_of(links, sender)
  if not body then return nil end
  local session = sender.session
  local self = setmetatable({
    sender = sender, body = body, naming = naming, attempts = attempts.new(),
    exchange = nil, raw = nil, err = nil, received = nil,
  }, FirstRequest)
  self.exchange, self.err, self.received = session:submit({
    method = sender.method, path = sender.path, body = body:payload(),
  }, 1, {})
  if self.exchange then
    self.attempts:sent(session.policy, core.now(), "job")
    session.wakeups:step(self.exchange.transfer) -- sent now
  end
  return self
end

---What the response is awaited from, if it is.
---@return userdata|nil core's request
function FirstRequest:transfer()
  return self.exchange and self.exchange.transfer
end

---Whether a response is awaited.
---@return boolean
function FirstRequest:is_in_flight()
  return self.exchange ~= nil and not self.exchange.transfer:done()
end

---Reads the response, once none is awaited any more.
---@return boolean is_confirmed whether all links are made
function FirstRequest:receive()
  local session, raw, is_confirmed = self.sender.session, nil, false
  if self.exchange then -- else it could not be sent
    raw, self.err, self.received = session:receive(self.exchange)
    self.exchange, self.raw = nil, raw
    is_confirmed = raw ~= nil and responses.is_success(raw) and self.body:confirmed_by(raw.body)
  end
  self.body:free() -- Lua's collector does not see how large it is
  if not is_confirmed then return false end
  self.attempts:succeeded(session.policy, core.now(), self.received)
  self.sender.window:succeeded()
  responses.release(raw)
  return true
end

---Drops it.
function FirstRequest:close()
  if self.exchange then self.exchange.transfer:close() end
end

return first_request
