-- What a job makes of a response: outcomes, and chunks to send again. Methods of the job (job.lua).

local input_errors = require "hubspot.associations.api.input_errors"
local rejection = require "hubspot.associations.api.rejection"
local api = require "hubspot.associations.api.response"
local chunks = require "hubspot.associations.job.chunk"
local matching = require "hubspot.associations.job.matching"
local trials = require "hubspot.associations.job.trial"
local retryable = require "hubspot.associations.policy.retryable"

---@class hubspot.associations.Job
local responses = {}

-- Parts of chunks that failed for 409 or 5xx, one after the other: no single input is at fault any more then.
local MOST_FAILED_PARTS = 32

-- The same, while nothing has passed since the chunk failed first: both its halves.
local MOST_PROBES = 2

-- Tries the chunk again later, if it may be.
function responses:again(chunk, now, err, info)
  if not chunk.attempts:retry_delay(self.policy, now, err, info) then return false end
  self:push(chunk)
  return true
end

-- Does what a search or a trial found out.
function responses:follow(chunk, verdict)
  local batch = chunk.batch
  for i = #verdict.send, 1, -1 do self:push(verdict.send[i]) end
  self:settle_positions(batch, verdict.succeeded, "succeeded")
  for _, failed in ipairs(verdict.failed) do
    input_errors.shorten(failed.err)
    local may_be_done = chunk.attempts.may_be_done and retryable.may_have_been_done(failed.err)
    self:settle_positions(batch, failed.positions, may_be_done and "unconfirmed" or "failed", failed.err)
  end
end

-- Finds out which inputs of a rejected chunk are at fault.
function responses:divide(chunk, err)
  local verdict, size = self.search:divide(chunk, err)
  if size then self.batch_size = math.min(self.batch_size, size) end
  for _, part in ipairs(verdict.send) do part.is_divided = true end
  self:follow(chunk, verdict)
  return verdict
end

-- An answer left out these inputs of the chunk: they are asked for once more, alone.
function responses:left_out(chunk, now, positions, response, batch_error)
  local rest = chunk.trial and chunk or chunks.new(chunk.batch, positions, chunk)
  local is_canceled = rejection.is_canceled(response)
  if batch_error and not self.error and (chunk.retried_missing or is_canceled) then
    self:divide(rest, batch_error)
  elseif chunk.retried_missing or self.error then
    rest.batch.complete = rest.batch.complete and not self.error
    self:settle(rest, "unconfirmed", batch_error or {
      kind = "decode",
      message = "HubSpot neither listed nor rejected it (batch status " .. tostring(response.status) .. ")",
    })
  else
    rest.retried_missing, rest.attempts.may_be_done = true, true
    if response.status ~= "COMPLETE" then
      rest.attempts.not_before = now + self.policy.retry:backoff(chunk.attempts.count)
    end
    self:push(rest)
  end
end

-- The answer to the one input that inputs of a pair were merged into.
function responses:tried(chunk, now, matched, response)
  local _, err = next(matched.failed)
  if #matched.succeeded > 0 then
    self:follow(chunk, trials.passed(chunk))
  elseif err then
    self:divide(chunk, err)
  else
    self:left_out(chunk, now, matched.missing, response, matched.batch_error)
  end
end

-- The inputs that an answer names as failed. Where they were merged into one with others of their pair, those
-- are sent again without them; and where the answer does not tell which of them is at fault, that is found
-- out.
function responses:named(chunk, matched)
  local is_resent = {}
  for _, unit in ipairs(next(matched.failed) and chunk:units() or {}) do
    local failed, others = {}, {}
    for _, position in ipairs(unit) do
      local is_sure = matched.failed[position] and (#unit == 1 or matched.is_final[position])
      table.insert(is_sure and failed or others, position)
    end
    for _, position in ipairs(failed) do
      self:settle_positions(chunk.batch, { position }, "failed", matched.failed[position])
    end
    local following = #others > 0 and chunks.new(chunk.batch, others, chunk)
    local err = following and matched.failed[others[1]]
    if err then
      self:divide(following, err)
    elseif following and #failed > 0 then
      following.retried_missing = false
      self:push(following)
      for _, position in ipairs(others) do is_resent[position] = true end
    end
  end
  local missing = {}
  for _, position in ipairs(matched.missing) do
    if not is_resent[position] then missing[#missing + 1] = position end
  end
  return missing
end

-- HubSpot accepted the chunk; what its response does not mention is asked for once more.
function responses:accepted(chunk, now, response)
  local batch = chunk.batch
  local matched = matching.match(batch.body, chunk.positions, response, self.direction)
  if self.on_batch then
    for _, result in ipairs(response.results or {}) do batch.results[#batch.results + 1] = result end
  end
  if chunk.trial then return self:tried(chunk, now, matched, response) end
  self:settle_positions(batch, matched.succeeded, "succeeded")
  local missing = self:named(chunk, matched)
  if #missing > 0 then self:left_out(chunk, now, missing, response, matched.batch_error) end
end

-- Its attempts are over. If others succeed meanwhile, it is this chunk that cannot pass, or one input of it,
-- and the outcome is final. If none do, or the rate limit lets nothing through, the job stops, and can be
-- resumed.
function responses:give_up(chunk, err)
  local others_pass = self.last_success >= chunk.attempts.failing_since
  if chunk.is_part then self.failed_parts = self.failed_parts + 1 end
  local is_outage = self.failed_parts > MOST_FAILED_PARTS
    or not others_pass and not self:may_probe(chunk, err)
  if is_outage or not retryable.counts(err) then
    self:stop(err)
    self:abandon(chunk, err)
  elseif not others_pass and chunk.is_part then
    table.insert(self.queue, 1, chunk) -- the other half first: when it passes, the service is there
  elseif rejection.may_be_of_one(err) then
    for _, part in ipairs(self:divide(chunk, err).send) do
      part.is_part, part.attempts.failing_since = true, chunk.attempts.failing_since
    end
  else
    self:fail(chunk, chunk.attempts.may_be_done and "unconfirmed" or "failed", err)
  end
end

-- Whether a chunk may be tried in halves although no other request has passed since it failed. Where it is
-- the only one that is left, as in a resumed job, none ever would.
function responses:may_probe(chunk, err)
  return rejection.may_be_of_one(err) and self.policy.retry.max_attempts > 1
    and (chunk.is_part or #chunk.positions > 1) and self.failed_parts <= MOST_PROBES
end

-- The chunk failed, or HubSpot rejected it as a whole. Returns the error when the chunk is sent again for it.
function responses:rejected(chunk, now, err, info)
  chunk.attempts:failed(self.policy, now, err, info)
  local may_pass = retryable.is_retryable(err) -- err.retryable is also true of a 401 with a new token
  if may_pass and chunk.attempts.sent_at then
    self.concurrency:overloaded(chunk.attempts.sent_at, now)
  end
  if self.error then
    self:abandon(chunk, err)
    return nil
  end
  local is_last = chunk.is_part and rejection.may_be_of_one(err)
  if not is_last and self:again(chunk, now, err, info) then return err end
  if may_pass or err.kind == "too_large" then
    self:give_up(chunk, err)
  elseif rejection.is_splittable(err, self.direction) then
    self:divide(chunk, err)
  else
    self:stop(err)
    self:abandon(chunk, err)
  end
end

-- The service was there when the chunk was sent, at least.
function responses:succeeded(chunk, now, info)
  chunk.attempts:succeeded(self.policy, now, info)
  self.last_success = math.max(self.last_success, chunk.attempts.sent_at)
  self.failed_parts = 0
  if chunk.is_divided then self.search:succeeded() end
  self.concurrency:succeeded()
end

-- Whether the response of a whole batch has a result for each input and no error: then there is nothing to
-- match, and nothing to decode.
local function is_confirmed(chunk, raw)
  return chunk:is_whole() and not chunk.trial and api.is_success(raw)
    and chunk.batch.body:confirmed_by(raw.body)
end

-- Every input of the batch succeeded. Its results are decoded where a callback is given them.
function responses:confirmed(chunk, raw)
  local batch = chunk.batch
  local response = self.on_batch and api.read(raw, self.endpoint.response)
  batch.results = response and response.results or {}
  batch:settle_all()
  self:complete(batch)
end

---Tells what came of a chunk that was sent.
---@param chunk hubspot.associations.Chunk
---@param now number
---@param raw hubspot.associations.RawResponse|nil
---@param err hubspot.associations.Error|nil why there is none
---@param info hubspot.associations.ReceivedInfo
---@return hubspot.associations.Error|nil err for which it is sent again
function responses:received(chunk, now, raw, err, info)
  self.in_flight = self.in_flight - 1
  if raw and is_confirmed(chunk, raw) then
    self:succeeded(chunk, now, info)
    self:confirmed(chunk, raw)
    return nil
  end
  local response
  if raw then response, err = api.read(raw, self.endpoint.response) end
  if not response then return self:rejected(chunk, now, err, info) end
  self:succeeded(chunk, now, info)
  self:accepted(chunk, now, response)
end

---Tells that a chunk that `next` gave to send was not sent.
---@param chunk hubspot.associations.Chunk
---@param now number
---@param err hubspot.associations.Error
---@param info hubspot.associations.ReceivedInfo
---@return hubspot.associations.Error|nil err for which it is tried again
function responses:unsent(chunk, now, err, info)
  return self:rejected(chunk, now, err, info)
end

return responses
