-- How a job reads inputs that name records by a property: ahead, so that the records are looked up while what
-- was read before is sent. Methods of the job (job.lua).

local input_text = require "hubspot.associations.job.input_text"

---@class hubspot.associations.Job
---@field ahead hubspot.associations.LookAhead|nil of a job with look-ups
---@field asking integer how many of its requests for look-ups have no response yet
local looking_up = {}

local AT_ONCE = 500 -- inputs that are read in one step, which is to be short

---Reads inputs ahead.
function looking_up:read_ahead()
  local ahead = self.ahead
  for _ = 1, AT_ONCE do
    if ahead:is_full() or self.source_ended then return end
    local more, input, index = self:next_given()
    if not more then
      self.source_ended = true
      return
    end
    ahead:add(index, input)
  end
end

-- Whether more inputs can be read ahead.
local function has_more(self)
  return not (self.source_ended or self.ahead:is_full())
end

---The next input whose records are known; false when there are no more, nil when it waits for its records.
---@return boolean|nil more
---@return any given
---@return integer|nil index
---@return hubspot.associations.AheadInput|nil ready
function looking_up:next_ready()
  local ahead = self.ahead
  if not ahead:is_ready() then
    if ahead:is_empty() and self.source_ended then return false end
    return nil
  end
  local ready = ahead:take_ready()
  return true, ready.given, ready.index, ready
end

---Whether the job waits for records, and can read nothing until they are known.
---@return boolean
function looking_up:waits_for_records()
  local ahead = self.ahead
  return ahead ~= nil and self.held == nil and not ahead:is_empty() and not ahead:is_ready()
    and not has_more(self)
end

---What tells an input from others, as it is given: its records may be others, or found, the next time.
---@param input any
---@return string
function looking_up:text_of(input)
  self.is_adding = true
  local fields, raised = self.ahead:read(input)
  if raised then error(raised, 0) end
  self.is_adding = false
  return input_text(fields == nil and input or fields)
end

-- Takes the response to a look-up, or its failure.
local function answered(self, look_up, entries, response, err)
  self.asking = self.asking - 1
  if response then return look_up:answered(entries, response) end
  local stop = look_up:failed(entries, err)
  if stop then self:stop(stop) end
end

---The next look-up to ask for; nil when there is none, or as many requests as may be are in flight.
---@return hubspot.associations.Question|nil
function looking_up:next_look_up()
  if not self.ahead or self.in_flight + self.asking >= self.concurrency:allowed() then return nil end
  local look_up, entries = self.ahead:next_request(has_more(self))
  if not look_up then return nil end
  local request, err = self.look_up_request(look_up.object_type, look_up:fields(entries))
  if not request then
    self:stop(err)
    return nil
  end
  self.asking = self.asking + 1
  self.report.look_ups = self.report.look_ups + 1
  return {
    request = request, response = "batch",
    answered = function(response, failure) answered(self, look_up, entries, response, failure) end,
  }
end

return looking_up
