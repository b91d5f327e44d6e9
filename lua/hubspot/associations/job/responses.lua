-- What a job makes of an answer: outcomes, and pieces to send again. Methods of the job (import.lua).

local errors = require "hubspot.associations.errors"
local outcome = require "hubspot.associations.job.matching"
local pieces = require "hubspot.associations.job.chunk"
local rejection = require "hubspot.associations.api.rejection"
local retryable = require "hubspot.associations.policy.retryable"
local trials = require "hubspot.associations.job.trial"

---@class hubspot.associations.Job
local answers = {}

-- Stands for a response that was confirmed, where nobody asks for its results.
local CONFIRMED = {}

-- Parts of pieces that failed for 409 or 5xx, one after the other: no single input is at fault any more then.
local MOST_FAILED_PARTS = 32

-- The same, while nothing has passed since the piece failed first: both its halves.
local MOST_PROBES = 2

-- Tries the piece again later, if it may be.
function answers:again(piece, now, err)
  if retryable.counts(err) then piece.strikes = piece.strikes + 1 end
  local delay = self.retry:after(err, piece.strikes, now - piece.began)
  if not delay then return false end
  piece.not_before = now + delay
  self:push(piece)
  return true
end

-- Does what a search or a trial found out.
function answers:follow(piece, verdict)
  local group = piece.group
  for i = #verdict.send, 1, -1 do self:push(verdict.send[i]) end
  self:settle_places(group, verdict.created, "created")
  for _, failed in ipairs(verdict.failed) do
    errors.shorten(failed.err)
    local may_be_done = piece.maybe and retryable.may_have_been_done(failed.err)
    self:settle_places(group, failed.places, may_be_done and "unconfirmed" or "failed", failed.err)
  end
end

-- Finds out which inputs of a rejected piece are at fault.
function answers:divide(piece, err)
  local verdict, size = self.search:divide(piece, err)
  if size then self.batch_size = math.min(self.batch_size, size) end
  for _, part in ipairs(verdict.send) do part.is_divided = true end
  self:follow(piece, verdict)
  return verdict
end

-- An answer left out these inputs of the piece: they are asked for once more, alone.
function answers:left_out(piece, now, places, response, hint)
  local rest = piece.trial and piece or pieces.new(piece.group, places, piece)
  local is_canceled = tostring(response.status):find "^CANCEL" and not next(response.results or {})
  if hint and not self.error and (piece.asked or is_canceled) then
    self:divide(rest, hint)
  elseif piece.asked or self.error then
    rest.group.complete = rest.group.complete and not self.error
    self:settle(rest, "unconfirmed", hint or {
      kind = "decode",
      message = ("HubSpot neither listed nor rejected it (batch status %s)"):format(tostring(response.status)),
    })
  else
    rest.asked, rest.maybe = true, true
    if response.status ~= "COMPLETE" then rest.not_before = now + self.retry:backoff(piece.attempts) end
    self:push(rest)
  end
end

-- The answer to the one input that inputs of a pair were merged into.
function answers:tried(piece, now, matched, response)
  local _, err = next(matched.failed)
  if #matched.created > 0 then
    self:follow(piece, trials.passed(piece))
  elseif err then
    self:divide(piece, err)
  else
    self:left_out(piece, now, matched.rest, response, matched.hint)
  end
end

-- The inputs that an answer names as failed. Where they were merged into one with others of their pair, those
-- are sent again without them; and where the answer does not tell which of them is at fault, that is found
-- out.
function answers:named(piece, matched)
  local is_resent = {}
  for _, unit in ipairs(next(matched.failed) and piece:units() or {}) do
    local failed, others = {}, {}
    for _, place in ipairs(unit) do
      local is_sure = matched.failed[place] and (#unit == 1 or matched.is_final[place])
      table.insert(is_sure and failed or others, place)
    end
    for _, place in ipairs(failed) do
      self:settle_places(piece.group, { place }, "failed", matched.failed[place])
    end
    local following = #others > 0 and pieces.new(piece.group, others, piece)
    local err = following and matched.failed[others[1]]
    if err then
      self:divide(following, err)
    elseif following and #failed > 0 then
      following.asked = false
      self:push(following)
      for _, place in ipairs(others) do is_resent[place] = true end
    end
  end
  local rest = {}
  for _, place in ipairs(matched.rest) do
    if not is_resent[place] then rest[#rest + 1] = place end
  end
  return rest
end

-- HubSpot accepted the piece; what it does not mention is asked for once more.
function answers:accepted(piece, now, response)
  local group = piece.group
  if piece.confirmed then
    group.results = response.results or {}
    group:settle_all()
    return self:land(group)
  end
  local matched = outcome.match(group.body, piece.places, response, self.direction)
  if self.on_batch then
    for _, result in ipairs(response.results or {}) do group.results[#group.results + 1] = result end
  end
  if piece.trial then return self:tried(piece, now, matched, response) end
  self:settle_places(group, matched.created, "created")
  local rest = self:named(piece, matched)
  if #rest > 0 then self:left_out(piece, now, rest, response, matched.hint) end
end

-- Its attempts are over. If others succeed meanwhile, it is this piece that cannot pass, or one input of it,
-- and the outcome is final. If none do, or the rate limit lets nothing through, the job stops, and can be
-- resumed.
function answers:give_up(piece, err)
  local others_pass = self.last_success >= piece.failing_since
  if piece.is_part then self.failed_parts = self.failed_parts + 1 end
  local is_outage = self.failed_parts > MOST_FAILED_PARTS
    or not others_pass and not self:may_probe(piece, err)
  if is_outage or not retryable.counts(err) then
    self:stop(err)
    self:abandon(piece, err)
  elseif not others_pass and piece.is_part then
    table.insert(self.queue, 1, piece) -- the other half first: when it passes, the service is there
  elseif rejection.may_be_of_one(err) then
    for _, part in ipairs(self:divide(piece, err).send) do
      part.is_part, part.failing_since = true, piece.failing_since
    end
  else
    self:fail(piece, piece.maybe and "unconfirmed" or "failed", err)
  end
end

-- Whether a piece may be tried in halves although no other request has passed since it failed. Where it is
-- the only one that is left, as in a resumed job, none ever would.
function answers:may_probe(piece, err)
  return rejection.may_be_of_one(err) and self.retry.max_attempts > 1
    and (piece.is_part or #piece.places > 1) and self.failed_parts <= MOST_PROBES
end

-- The piece failed, or HubSpot rejected it as a whole.
function answers:rejected(piece, now, err)
  piece.failing_since = piece.failing_since or now
  if retryable.may_have_been_done(err) then piece.maybe = true end
  piece.went_out = piece.went_out or err.sent ~= false
  if piece.went_out then err.sent = nil end -- it is the error of all attempts
  err.retryable = retryable.is_retryable(err)
  err.attempts = piece.attempts
  if err.retryable then self.concurrency:overloaded(piece.sent, now) end
  if self.error then return self:abandon(piece, err) end
  if err.renewed and not piece.renewed then -- there is a new token: at once, and once
    piece.renewed = true
    return self:push(piece)
  end
  local is_last = piece.is_part and rejection.may_be_of_one(err)
  if not is_last and self:again(piece, now, err) then return end
  if err.retryable or err.kind == "too_large" then return self:give_up(piece, err) end
  if rejection.is_splittable(err, self.direction) then return self:divide(piece, err) end
  self:stop(err)
  self:abandon(piece, err)
end

---Notes whether a response has a result for each input and no error: there is nothing to match then. Gives
---the response for `answered` where nobody asks for its results, so that it need not be decoded.
---@param piece hubspot.associations.Piece
---@param text string the response's body
---@return table|nil
function answers:confirm(piece, text)
  piece.confirmed = piece:is_whole() and not piece.trial and piece.group.body:confirmed_by(text)
  if piece.confirmed and not self.on_batch then return CONFIRMED end
end

---Tells what came of a piece that `next` gave to send.
---@param piece hubspot.associations.Piece
---@param now number
---@param response hubspot.associations.BatchResponse|nil
---@param err hubspot.associations.Error|nil
---@param rate_limit hubspot.associations.RateLimit|nil
function answers:answered(piece, now, response, err, rate_limit)
  self.in_flight = self.in_flight - 1
  self.limiter:answered(piece.ticket, now, rate_limit, err)
  if not response then return self:rejected(piece, now, err) end
  self.last_success = math.max(self.last_success, piece.sent) -- the service was there then, at least
  self.failed_parts = 0
  if piece.is_divided then self.search:succeeded() end
  self.retry:succeeded()
  self.concurrency:succeeded()
  self:accepted(piece, now, response)
end

return answers
