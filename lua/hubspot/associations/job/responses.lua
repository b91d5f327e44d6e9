-- What follows from a response: outcomes of inputs, and chunks to send again. Methods of the job (job.lua).

local input_errors = require "hubspot.associations.api.input_errors"
local rejection = require "hubspot.associations.api.rejection"
local api = require "hubspot.associations.api.response"
local chunks = require "hubspot.associations.job.chunk"
local matching = require "hubspot.associations.job.matching"
local pages = require "hubspot.associations.job.pages"
local trials = require "hubspot.associations.job.trial"
local retryable = require "hubspot.associations.policy.retryable"

---@class hubspot.associations.Job
local responses = {}

-- How many parts of chunks may fail for 409, 423 or 5xx in a row: beyond it, no single input can be at fault.
local MOST_FAILED_PARTS = 32

-- The same while no other request has succeeded since the chunk first failed: both of its halves.
local MOST_PROBES = 2

-- ---- several requests for one chunk ----

-- Sends the chunk again later, if the policy allows another attempt.
function responses:retry(chunk, now, err, info)
  if not chunk.attempts:plan_retry(self.policy, now, err, info) then return false end
  self:push(chunk)
  return true
end

-- Settles what a search or a trial has found out, and sends what it has to know next.
function responses:apply(chunk, verdict)
  local batch = chunk.batch
  for i = #verdict.send, 1, -1 do self:push(verdict.send[i]) end
  self:settle_positions(batch, verdict.succeeded, "succeeded")
  for _, failed in ipairs(verdict.failed) do
    input_errors.shorten(failed.err)
    local may_be_done = chunk.attempts.may_be_done and retryable.may_have_been_done(failed.err)
    self:settle_positions(batch, failed.positions, may_be_done and "unconfirmed" or "failed", failed.err)
  end
end

-- HubSpot said how many inputs a request may have. If the shape groups pairs, these are groups.
function responses:limit_inputs(size)
  local checks = self.kind.checks
  if checks.most_groups then
    self.kind.bodies = nil -- these have the options of before
    checks.most_groups = math.min(checks.most_groups, size)
  else
    self.batch_size = math.min(self.batch_size, size)
  end
end

-- Finds out which inputs of a rejected chunk are at fault.
function responses:divide(chunk, err)
  local verdict, size = self.search:divide(chunk, err)
  if size then self:limit_inputs(size) end
  for _, part in ipairs(verdict.send) do part.is_divided = true end
  self:apply(chunk, verdict)
  return verdict
end

-- ---- success ----

-- The response does not mention these inputs of the chunk: they are sent once more, without the others.
function responses:retry_missing(chunk, now, positions, response, batch_error)
  local rest = chunk.trial and chunk or chunks.new(chunk.batch, positions, chunk)
  local is_canceled = rejection.is_canceled(response)
  if batch_error and not self.error and (chunk.retried_missing or is_canceled) then
    self:divide(rest, batch_error)
  elseif chunk.retried_missing or self.error then
    rest.batch.is_final = rest.batch.is_final and not self.error
    self:settle(rest, "unconfirmed", batch_error or {
      kind = "decode",
      message = "HubSpot neither listed nor rejected it (batch status " .. tostring(response.status) .. ")",
    })
  else
    rest.retried_missing, rest.attempts.may_be_done = true, true
    if response.status ~= "COMPLETE" then -- HubSpot may still be working on them
      rest.attempts.not_before = now + self.policy.retry:backoff(chunk.attempts.count)
    end
    self:push(rest)
  end
end

-- The response to a trial: its inputs were sent as one.
function responses:receive_trial(chunk, now, matched, response)
  local _, err = next(matched.failed)
  if #matched.succeeded > 0 then
    self:apply(chunk, trials.passed(chunk))
  elseif err then
    self:divide(chunk, err)
  else
    self:retry_missing(chunk, now, matched.missing, response, matched.batch_error)
  end
end

-- Splits the inputs of one pair into those that the response certainly fails, and the others. They were sent
-- as one input: unless the error is about an input's own record or types, any of them may be at fault.
local function split_unit(unit, matched)
  local failed, others = {}, {}
  for _, position in ipairs(unit) do
    local is_certain = matched.failed[position] and (#unit == 1 or matched.is_final[position])
    table.insert(is_certain and failed or others, position)
  end
  return failed, others
end

-- Settles the inputs of one pair that the response fails. The others were sent together with them, and are
-- sent again without them. Returns whether they are pushed for that; if an error fails them as well, the
-- search decides.
function responses:fail_unit(chunk, unit, matched)
  local failed, others = split_unit(unit, matched)
  for _, position in ipairs(failed) do
    self:settle_positions(chunk.batch, { position }, "failed", matched.failed[position])
  end
  if #others == 0 then return false end
  local err = matched.failed[others[1]]
  if not err and #failed == 0 then return false end -- the response does not fail this unit
  local rest = chunks.new(chunk.batch, others, chunk)
  if err then
    self:divide(rest, err)
    return false
  end
  rest.retried_missing = false
  self:push(rest)
  return true
end

-- Settles the inputs that the response fails. Returns the missing ones without those that are sent again.
function responses:fail_named(chunk, matched)
  if next(matched.failed) == nil then return matched.missing end
  local is_resent = {}
  for _, unit in ipairs(chunk:units()) do
    local is_pushed = self:fail_unit(chunk, unit, matched)
    for _, position in ipairs(is_pushed and unit or {}) do is_resent[position] = true end
  end
  local missing = {}
  for _, position in ipairs(matched.missing) do
    if not is_resent[position] then missing[#missing + 1] = position end
  end
  return missing
end

-- The records of a chunk were read: what is not the last page of its record is followed by another request.
function responses:receive_pages(chunk, matched)
  local batch = chunk.batch
  local delivered = pages.deliver(self, batch, matched)
  self:settle_positions(batch, delivered.last, "succeeded")
  for position, err in pairs(delivered.failed) do
    self:settle_positions(batch, { position }, "failed", err)
  end
  if #delivered.left > 0 then self:abandon(chunks.new(batch, delivered.left)) end
  if #delivered.more > 0 then self:push(chunks.new(batch, delivered.more)) end
end

function responses:match(chunk, response)
  local paths = self.endpoint.result
  if self.endpoint.page then response.errors = pages.ordered_errors(response.errors) end
  return matching.match(chunk.batch.body, chunk.positions, response, paths, self.direction)
end

-- HubSpot accepted the chunk as a whole: gives its inputs the outcomes that the response has for them.
function responses:accepted(chunk, now, response)
  local batch = chunk.batch
  local matched = self:match(chunk, response)
  if self.on_batch and not self.endpoint.page then
    batch.results = batch.results or {}
    for _, result in ipairs(response.results or {}) do table.insert(batch.results, result) end
  end
  if chunk.trial then return self:receive_trial(chunk, now, matched, response) end
  if self.endpoint.page then
    self:receive_pages(chunk, matched)
  else
    self:settle_positions(batch, matched.succeeded, "succeeded")
  end
  local missing = self:fail_named(chunk, matched)
  if #missing > 0 then self:retry_missing(chunk, now, missing, response, matched.batch_error) end
end

-- The service was up when the chunk was sent.
function responses:succeeded(chunk, now, info)
  chunk.attempts:succeeded(self.policy, now, info)
  self.last_success = math.max(self.last_success, chunk.attempts.sent_at)
  self.failed_parts = 0
  if chunk.is_divided then self.search:succeeded() end
  self.concurrency:succeeded()
end

-- Whether the response to a whole batch has a result for each input and no error: then there is nothing to
-- match or to decode. Not where the results are what the job is for.
local function is_confirmed(row, chunk, raw)
  return row.result and not row.page and chunk:is_whole() and not chunk.trial and api.is_success(raw)
    and chunk.batch.body:confirmed_by(raw.body)
end

-- Every input of the batch succeeded. Its results are decoded only for a callback.
function responses:confirmed(chunk, raw)
  local batch = chunk.batch
  local response = self.on_batch and api.read(raw, self.endpoint.response)
  batch.results = response and response.results
  batch:settle_all()
  self:complete(batch)
end

-- ---- failure ----

-- Whether a chunk may be tried in halves although no other request has succeeded since it first failed. If it
-- is the only chunk left, as in a resumed job, there is no other request to wait for.
function responses:may_probe(chunk, err)
  return rejection.may_be_of_one(err) and self.policy.retry.max_attempts > 1
    and (chunk.is_part or #chunk.positions > 1) and self.failed_parts <= MOST_PROBES
end

-- The chunk has no attempts left. If other requests succeed, the chunk itself or one of its inputs is at
-- fault, and the outcome is final. If none do, or the rate limit lets nothing through, the service is down:
-- the job stops, and can be resumed.
function responses:give_up(chunk, err)
  local others_pass = self.last_success >= chunk.attempts.failing_since
  if chunk.is_part then self.failed_parts = self.failed_parts + 1 end
  local is_outage = self.failed_parts > MOST_FAILED_PARTS
    or not others_pass and not self:may_probe(chunk, err)
  if is_outage or not retryable.counts(err) then
    self:stop(err)
    self:abandon(chunk, err)
  elseif not others_pass and chunk.is_part then
    table.insert(self.queue, 1, chunk) -- last: if the other half passes, the service is up
  elseif rejection.may_be_of_one(err) then
    for _, part in ipairs(self:divide(chunk, err).send) do
      part.is_part, part.attempts.failing_since = true, chunk.attempts.failing_since
    end
  else
    self:fail(chunk, chunk.attempts.may_be_done and "unconfirmed" or "failed", err)
  end
end

-- An attempt failed, or HubSpot rejected the chunk as a whole. Returns the error if the chunk is sent again
-- as it is.
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
  if not is_last and self:retry(chunk, now, err, info) then return err end
  if may_pass or err.kind == "too_large" then
    self:give_up(chunk, err)
  elseif rejection.is_splittable(err, self.direction) then
    self:divide(chunk, err)
  else
    self:stop(err)
    self:abandon(chunk, err)
  end
end

-- ---- what the runner calls ----

---Handles the response to a chunk, or the failure of its request.
---@param chunk hubspot.associations.Chunk
---@param now number
---@param raw hubspot.associations.RawResponse|nil
---@param err hubspot.associations.Error|nil why there is no response
---@param info hubspot.associations.ReceivedInfo
---@return hubspot.associations.Error|nil err for which the chunk is sent again
function responses:received(chunk, now, raw, err, info)
  self.in_flight = self.in_flight - 1
  if self.verifier and chunk.reader then
    return self.verifier:handle("received", chunk, now, raw, err, info)
  end
  if raw and is_confirmed(self.endpoint, chunk, raw) then
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

---Handles the failure to send a chunk that `next` returned.
---@param chunk hubspot.associations.Chunk
---@param now number
---@param err hubspot.associations.Error
---@param info hubspot.associations.ReceivedInfo
---@return hubspot.associations.Error|nil err for which the chunk is sent again
function responses:unsent(chunk, now, err, info)
  if self.verifier and chunk.reader then
    return self.verifier:handle("unsent", chunk, now, err, info)
  end
  return self:rejected(chunk, now, err, info)
end

return responses
