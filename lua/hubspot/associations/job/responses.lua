-- What a job makes of an answer: outcomes, and chunks to send again. Methods of the job (import.lua).

local input_errors = require "hubspot.associations.api.input_errors"
local matching = require "hubspot.associations.job.matching"
local chunks = require "hubspot.associations.job.chunk"
local rejection = require "hubspot.associations.api.rejection"
local retryable = require "hubspot.associations.policy.retryable"
local trials = require "hubspot.associations.job.trial"

---@class hubspot.associations.Job
local responses = {}

-- Stands for a response that was confirmed, where nobody asks for its results.
local CONFIRMED = {}

-- Parts of chunks that failed for 409 or 5xx, one after the other: no single input is at fault any more then.
local MOST_FAILED_PARTS = 32

-- The same, while nothing has passed since the chunk failed first: both its halves.
local MOST_PROBES = 2

-- Tries the chunk again later, if it may be.
function responses:again(chunk, now, err)
  if retryable.counts(err) then chunk.counted_failures = chunk.counted_failures + 1 end
  local delay = self.retry:after(err, chunk.counted_failures, now - chunk.began)
  if not delay then return false end
  chunk.not_before = now + delay
  self:push(chunk)
  return true
end

-- Does what a search or a trial found out.
function responses:follow(chunk, verdict)
  local batch = chunk.batch
  for i = #verdict.send, 1, -1 do self:push(verdict.send[i]) end
  self:settle_positions(batch, verdict.created, "created")
  for _, failed in ipairs(verdict.failed) do
    input_errors.shorten(failed.err)
    local may_be_done = chunk.may_be_done and retryable.may_have_been_done(failed.err)
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
    rest.retried_missing, rest.may_be_done = true, true
    if response.status ~= "COMPLETE" then rest.not_before = now + self.retry:backoff(chunk.attempts) end
    self:push(rest)
  end
end

-- The answer to the one input that inputs of a pair were merged into.
function responses:tried(chunk, now, matched, response)
  local _, err = next(matched.failed)
  if #matched.created > 0 then
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

-- HubSpot accepted the chunk; what it does not mention is asked for once more.
function responses:accepted(chunk, now, response)
  local batch = chunk.batch
  if chunk.confirmed then
    batch.results = response.results or {}
    batch:settle_all()
    return self:land(batch)
  end
  local matched = matching.match(batch.body, chunk.positions, response, self.direction)
  if self.on_batch then
    for _, result in ipairs(response.results or {}) do batch.results[#batch.results + 1] = result end
  end
  if chunk.trial then return self:tried(chunk, now, matched, response) end
  self:settle_positions(batch, matched.created, "created")
  local missing = self:named(chunk, matched)
  if #missing > 0 then self:left_out(chunk, now, missing, response, matched.batch_error) end
end

-- Its attempts are over. If others succeed meanwhile, it is this chunk that cannot pass, or one input of it,
-- and the outcome is final. If none do, or the rate limit lets nothing through, the job stops, and can be
-- resumed.
function responses:give_up(chunk, err)
  local others_pass = self.last_success >= chunk.failing_since
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
      part.is_part, part.failing_since = true, chunk.failing_since
    end
  else
    self:fail(chunk, chunk.may_be_done and "unconfirmed" or "failed", err)
  end
end

-- Whether a chunk may be tried in halves although no other request has passed since it failed. Where it is
-- the only one that is left, as in a resumed job, none ever would.
function responses:may_probe(chunk, err)
  return rejection.may_be_of_one(err) and self.retry.max_attempts > 1
    and (chunk.is_part or #chunk.positions > 1) and self.failed_parts <= MOST_PROBES
end

-- The chunk failed, or HubSpot rejected it as a whole.
function responses:rejected(chunk, now, err)
  chunk.failing_since = chunk.failing_since or now
  if retryable.may_have_been_done(err) then chunk.may_be_done = true end
  chunk.went_out = chunk.went_out or err.sent ~= false
  if chunk.went_out then err.sent = nil end -- it is the error of all attempts
  err.retryable = retryable.is_retryable(err)
  err.attempts = chunk.attempts
  if err.retryable then self.concurrency:overloaded(chunk.sent, now) end
  if self.error then return self:abandon(chunk, err) end
  if err.renewed and not chunk.renewed then -- there is a new token: at once, and once
    chunk.renewed = true
    return self:push(chunk)
  end
  local is_last = chunk.is_part and rejection.may_be_of_one(err)
  if not is_last and self:again(chunk, now, err) then return end
  if err.retryable or err.kind == "too_large" then return self:give_up(chunk, err) end
  if rejection.is_splittable(err, self.direction) then return self:divide(chunk, err) end
  self:stop(err)
  self:abandon(chunk, err)
end

---Notes whether a response has a result for each input and no error: there is nothing to match then. Gives
---the response for `answered` where nobody asks for its results, so that it need not be decoded.
---@param chunk hubspot.associations.Chunk
---@param text string the response's body
---@return table|nil
function responses:confirm(chunk, text)
  chunk.confirmed = chunk:is_whole() and not chunk.trial and chunk.batch.body:confirmed_by(text)
  if chunk.confirmed and not self.on_batch then return CONFIRMED end
end

---Tells what came of a chunk that `next` gave to send.
---@param chunk hubspot.associations.Chunk
---@param now number
---@param response hubspot.associations.BatchResponse|nil
---@param err hubspot.associations.Error|nil
---@param rate_limit hubspot.associations.RateLimit|nil
function responses:answered(chunk, now, response, err, rate_limit)
  self.in_flight = self.in_flight - 1
  self.limiter:answered(chunk.ticket, now, rate_limit, err)
  if not response then return self:rejected(chunk, now, err) end
  self.last_success = math.max(self.last_success, chunk.sent) -- the service was there then, at least
  self.failed_parts = 0
  if chunk.is_divided then self.search:succeeded() end
  self.retry:succeeded()
  self.concurrency:succeeded()
  self:accepted(chunk, now, response)
end

return responses
