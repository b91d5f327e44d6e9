-- The job: any number of inputs in, exactly one outcome each out. A state machine without I/O of its own:
-- it is asked what to send and when, and told what came of it. The clock and the luck come in.
--
-- A group of inputs is read for one request. It is sent as a piece, which may be tried again, split, or
-- partly asked for again, until every input of the group is settled. Then the group lands: it is recorded
-- in the journal, counted, and told to the callbacks.

local concurrency = require "hubspot.associations.concurrency"
local errors = require "hubspot.associations.errors"
local groups = require "hubspot.associations.group"
local core = require "hubspot.associations.core"
local outcome = require "hubspot.associations.outcome"
local printable = require "hubspot.associations.printable"
local pieces = require "hubspot.associations.piece"
local rejection = require "hubspot.associations.rejection"
local retry = require "hubspot.associations.retry"
local search = require "hubspot.associations.search"
local source = require "hubspot.associations.source"
local trials = require "hubspot.associations.trial"

local import = {}

-- Stands for a batch that was confirmed, where nobody asks for its results.
local CONFIRMED = {}

-- Parts of pieces that failed for 409 or 5xx, one after the other: no single input is at fault any more then.
local MOST_FAILED_PARTS = 32

-- The same, while nothing has passed since the piece failed first: both its halves.
local MOST_PROBES = 2

---@class hubspot.associations.Report
---@field inputs integer how many inputs of the source were read, or are known of
---@field created integer
---@field failed integer refused, by HubSpot or before anything was sent
---@field unconfirmed integer sent, but HubSpot neither listed nor rejected them
---@field not_sent integer the job stopped first
---@field resumed integer of the inputs, those whose outcome comes from the journal
---@field requests integer
---@field retries integer of the requests, those that repeated one
---@field elapsed number seconds
---@field failures table[]|nil { index, input, outcome, error }, in no order across batches; absent when
---  on_failure took them
---@field failures_dropped integer|nil failures beyond max_failures
---@field event_error any what on_event raised, if it did

---@class hubspot.associations.Job
local Job = {}
Job.__index = Job

---@param spec table { source, checks, batch_size, concurrency, max_failures, on_failure, on_batch, retry,
---  limiter, journal, direction = of rejection.direction }
---@param now number seconds
---@return hubspot.associations.Job|nil
---@return hubspot.associations.Error|nil
function import.new(spec, now)
  local read, total, count = source.reader(spec.source)
  if not read then return nil, total end
  return setmetatable({
    read = read,
    total = total,
    count = count, -- of a long list, until its entries are counted
    input_at = type(spec.source) == "table" and function(index)
      return spec.source[index]
    end or nil,
    index = 0, -- of the input read last
    exhausted = false,
    checks = spec.checks, -- options of core.body
    batch_size = spec.batch_size,
    concurrency = concurrency.new(spec.concurrency),
    most_groups = spec.concurrency + 1, -- one more than can be in flight: so one that waits holds up nobody
    open_groups = 0,
    last_group = 0, -- the number of the group that was sent last
    is_open = {}, -- number -> true
    pairs = core.pairs(), -- those of open groups
    in_flight = 0,
    queue = {}, -- pieces that wait to be sent; the last comes first
    retry = spec.retry,
    limiter = spec.limiter,
    journal = spec.journal,
    on_failure = spec.on_failure,
    on_batch = spec.on_batch,
    max_failures = spec.max_failures,
    began = now,
    last_success = -math.huge,
    direction = spec.direction,
    search = search.new(spec.direction),
    failed_parts = 0,
    error = nil, -- why the job stops
    report = {
      inputs = 0, created = 0, failed = 0, unconfirmed = 0, not_sent = 0, resumed = 0,
      requests = 0, retries = 0, elapsed = 0,
      failures = not spec.on_failure and {} or nil,
    },
  }, Job)
end

-- Counts some more of a long list.
function Job:count_on()
  self.total, self.unusable = self.count()
  if self.unusable then self:stop(self.unusable) end
  if self.total or self.unusable then self.count = nil end
end

-- Nothing new is sent from here on; what is in flight is waited for.
function Job:stop(err)
  self.error = self.error or err
end

-- ---- landing ----

-- A callback of the caller's: one that raises, or returns false, stops the job.
function Job:call(callback, argument)
  if self.callback_raised then return end
  local called, result = pcall(callback, argument)
  if not called then
    self.callback_raised = true
    self:stop(errors.new { kind = "callback", message = "a callback raised: " .. printable(result) })
  elseif result == false then
    self:stop(errors.new { kind = "canceled", message = "a callback ended the job" })
  end
end

function Job:tell_failure(failure)
  local report = self.report
  report[failure.outcome] = report[failure.outcome] + 1
  if self.on_failure then
    self:call(self.on_failure, failure)
  elseif #report.failures < self.max_failures then
    report.failures[#report.failures + 1] = failure
  else
    report.failures_dropped = (report.failures_dropped or 0) + 1
  end
end

-- Every input of the group has its outcome: record it, count it, tell it.
function Job:land(group)
  self.open_groups = self.open_groups - 1
  if group.number then
    self.pairs:leave(group.body, group.number)
    self.is_open[group.number] = nil
  end
  local failures = group:ordered_failures()
  if self.journal and group.complete then
    local recorded, err = self.journal:record(group)
    if not recorded then self:stop(err) end
  end
  local report = self.report
  report.inputs = report.inputs + group.count
  report.created = report.created + group.created
  for _, failure in ipairs(failures) do self:tell_failure(failure) end
  if self.on_batch then
    self:call(self.on_batch, {
      first = group.first,
      last = group.first + group.count - 1,
      created = group.created,
      failures = failures,
      results = group.results,
      report = report,
    })
  end
end

-- Gives inputs of the group their outcome, and lands it with the last of them.
function Job:settle_places(group, places, outcome_name, err)
  for _, place in ipairs(places) do group:settle(place, outcome_name, err) end
  if #places > 0 and group.open == 0 then self:land(group) end
end

-- The same for all inputs of a piece. What was in the last confirmed write of a pair is created all the same.
function Job:settle(piece, outcome_name, err)
  local passed, others = trials.places(piece)
  self:settle_places(piece.group, passed, "created")
  self:settle_places(piece.group, others, outcome_name, err)
end

-- For a reason of its own; there may be many of these in a report.
function Job:fail(piece, outcome_name, err)
  errors.shorten(err)
  self:settle(piece, outcome_name, err)
end

-- The job stopped before these inputs had an outcome that is final: a resumed job will see to them.
function Job:abandon(piece, err)
  piece.group.complete = false
  err = err or self.error
  if piece.went_out then err = errors.of_sent(err) end
  self:settle(piece, piece.maybe and "unconfirmed" or "not_sent", err)
end

-- ---- reading ----

-- An iterator's inputs are kept for on_failure only, which may want more of them than was sent.
function Job:new_group(first)
  return groups.new(first, self.input_at, self.on_failure ~= nil, self.checks)
end

-- What the journal says of the next inputs, which are read from the source and compared, not sent.
function Job:replay(record)
  local group = self:new_group(record.first)
  self.group = group
  local is_recorded = self.journal.failures_by_index(record)
  local inputs = {}
  for index = record.first, record.first + record.inputs - 1 do
    local more, input = self.read()
    if not more then break end
    if not self:add(group, input) then
      self.held = input -- no room, where there was room before: it is another source
      break
    end
    if is_recorded[index] then inputs[index] = input end
  end
  if group.count ~= record.inputs or group.body:digest() ~= record.digest then
    return self:stop(self.journal:mismatch(record))
  end
  self.group = nil -- its inputs have their outcome
  self.journal:forget(record)
  local report = self.report
  report.inputs = report.inputs + record.inputs
  report.resumed = report.resumed + record.inputs
  report.created = report.created + record.created
  for _, failure in ipairs(self.journal.failures(record)) do
    failure.input = inputs[failure.index]
    self:tell_failure(failure)
  end
end

-- Reads inputs into the group until it is full, the source ends, or the journal knows the next ones.
function Job:read_into(group)
  local read, journal = self.read, self.journal
  while group.count < self.batch_size and not (journal and self:recorded()) do
    local more, input = true, self.held
    if input ~= nil then
      self.held = nil
    else
      more, input = read()
    end
    if not more then
      self.exhausted = true
      return
    end
    if not self:add(group, input) then
      self.held = input
      return
    end
  end
end

-- Takes the next input into the group; false when the group has no room for it.
function Job:add(group, input)
  self.adding = true
  local taken = group:add(self.index + 1, input)
  self.adding = false
  if taken then self.index = self.index + 1 end
  return taken
end

function Job:recorded()
  return self.held == nil and self.journal and self.journal:record_at(self.index + 1)
end

-- A group is one piece, and one more for each open group that has pairs of it: these wait for that group,
-- since the writes of a pair must arrive in the order of the source.
function Job:push_group(group)
  self.last_group = self.last_group + 1
  group.number = self.last_group
  self.is_open[group.number] = true
  local held
  group.repeats, held = self.pairs:enter(group.body, group.number)
  local free, waiting = {}, {}
  for _, place in ipairs(group:places()) do
    local other = held and held[place]
    if other then waiting[other] = waiting[other] or {} end
    table.insert(waiting[other] or free, place)
  end
  for other, places in pairs(waiting) do
    local piece = pieces.new(group, places)
    piece.waits_for = other
    self:push(piece)
  end
  if #free > 0 then self:push(pieces.new(group, free)) end
end

-- What the source raised, or its reader, or an input that was read through a metatable: the job stops.
function Job:raised(raised)
  local message = printable(raised)
  if self.adding then -- the input counts, and is refused
    self.index = self.index + 1
    self.group.count = self.group.count + 1
    self.group:fail(self.index, nil, "failed", { kind = "invalid_input", message = message })
  end
  if self.group then self.group.complete = false end -- the input may be readable the next time
  local told = errors.is(raised) and raised.kind == "source" -- by the reader
  self:stop(told and raised or errors.new { kind = "source", message = "the source raised: " .. message })
end

-- Reads the next group, as pieces to send; none when the source has no more, or the job has to stop, or
-- nothing in the group is to be sent. One group at a time, since a step is not to take long.
function Job:fill()
  if self.exhausted or self.error then return end
  local record = self:recorded()
  local filled, raised
  if record then
    filled, raised = pcall(self.replay, self, record)
  else
    self.group = self:new_group(self.index + 1)
    filled, raised = pcall(self.read_into, self, self.group)
  end
  if not filled then self:raised(raised) end
  local group = self.group
  self.group = nil
  if not group or group.count == 0 then return end
  self.open_groups = self.open_groups + 1
  if group.open == 0 then
    self:land(group)
  else
    self:push_group(group)
  end
end

-- ---- sending ----

-- The last piece in the queue that may be sent now; else nil, and when the first of them may.
function Job:take(now)
  local soonest = math.huge
  for i = #self.queue, 1, -1 do
    local piece = self.queue[i]
    if not self.is_open[piece.waits_for or 0] then
      if piece.not_before <= now then return table.remove(self.queue, i) end
      soonest = math.min(soonest, piece.not_before)
    end
  end
  return nil, soonest
end

---What to do next.
---@param now number seconds
---@return "send"|"wait"|"done"
---@return hubspot.associations.Piece|number|nil the piece to send; or how many seconds to wait at the most
---  (nil: for an answer)
function Job:next(now)
  if self.count then
    self:count_on()
    return "wait", 0
  end
  if self.error and #self.queue > 0 then
    self:abandon(table.remove(self.queue)) -- one at a time: a step is not to take long
    return "wait", 0
  end
  local piece, soonest = nil, math.huge
  local may_send = not self.error and self.in_flight < self.concurrency:allowed()
  if may_send then
    piece, soonest = self:take(now)
    if not piece and self.open_groups < self.most_groups then
      self:fill()
      if self.error then return self:next(now) end
      piece, soonest = self:take(now)
    end
  end
  if piece then
    local delay = self.limiter:delay(now)
    if delay == 0 then
      self:send(piece, now)
      return "send", piece
    end
    self:push(piece)
    local err = self.retry:too_long(delay)
    if err then
      self:stop(err)
      return self:next(now)
    end
    soonest = now + delay
  elseif may_send and not self.exhausted and self.open_groups < self.most_groups then
    return "wait", 0 -- to read on
  end
  if self.in_flight == 0 and #self.queue == 0 and (self.error or self.exhausted) then return "done" end
  return "wait", soonest < math.huge and math.max(0, soonest - now) or nil
end

function Job:send(piece, now)
  self.in_flight = self.in_flight + 1
  piece.ticket = self.limiter:sent(now)
  piece.attempts = piece.attempts + 1
  piece.began = piece.began or now
  piece.sent = now
  self.report.requests = self.report.requests + 1
  if piece.attempts > 1 then self.report.retries = self.report.retries + 1 end
end

-- ---- answers ----

function Job:push(piece)
  self.queue[#self.queue + 1] = piece
end

-- Tries the piece again later, if it may be.
function Job:again(piece, now, err)
  if retry.counts(err) then piece.strikes = piece.strikes + 1 end
  local delay = self.retry:after(err, piece.strikes, now - piece.began)
  if not delay then return false end
  piece.not_before = now + delay
  self:push(piece)
  return true
end

-- Does what a search or a trial found out.
function Job:follow(piece, verdict)
  local group = piece.group
  for i = #verdict.send, 1, -1 do self:push(verdict.send[i]) end
  self:settle_places(group, verdict.created, "created")
  for _, failed in ipairs(verdict.failed) do
    errors.shorten(failed.err)
    local may_be_done = piece.maybe and retry.may_have_been_done(failed.err)
    self:settle_places(group, failed.places, may_be_done and "unconfirmed" or "failed", failed.err)
  end
end

-- Finds out which inputs of a rejected piece are at fault.
function Job:divide(piece, err)
  local verdict, size = self.search:divide(piece, err)
  if size then self.batch_size = math.min(self.batch_size, size) end
  for _, part in ipairs(verdict.send) do part.is_divided = true end
  self:follow(piece, verdict)
  return verdict
end

-- An answer left out these inputs of the piece: they are asked for once more, alone.
function Job:left_out(piece, now, places, batch, hint)
  local rest = piece.trial and piece or pieces.new(piece.group, places, piece)
  local is_canceled = tostring(batch.status):find "^CANCEL" and not next(batch.results or {})
  if hint and not self.error and (piece.asked or is_canceled) then
    self:divide(rest, hint)
  elseif piece.asked or self.error then
    rest.group.complete = rest.group.complete and not self.error
    self:settle(rest, "unconfirmed", hint or {
      kind = "decode",
      message = ("HubSpot neither listed nor rejected it (batch status %s)"):format(tostring(batch.status)),
    })
  else
    rest.asked, rest.maybe = true, true
    if batch.status ~= "COMPLETE" then rest.not_before = now + self.retry:backoff(piece.attempts) end
    self:push(rest)
  end
end

-- The answer to the one input that inputs of a pair were merged into.
function Job:tried(piece, now, matched, batch)
  local _, err = next(matched.failed)
  if #matched.created > 0 then
    self:follow(piece, trials.passed(piece))
  elseif err then
    self:divide(piece, err)
  else
    self:left_out(piece, now, matched.rest, batch, matched.hint)
  end
end

-- The inputs that an answer names as failed. Those that were merged into one may not all be at fault.
function Job:named(piece, matched)
  for _, unit in ipairs(next(matched.failed) and piece:units() or {}) do
    local failed = {}
    for _, place in ipairs(unit) do
      local is_sure = #unit == 1 or matched.is_final[place]
      if is_sure and matched.failed[place] then failed[#failed + 1] = place end
    end
    for _, place in ipairs(failed) do
      self:settle_places(piece.group, { place }, "failed", matched.failed[place])
    end
    local err = matched.failed[unit[1]]
    if err and #failed == 0 then self:divide(pieces.new(piece.group, unit, piece), err) end
  end
end

-- HubSpot accepted the piece; what it does not mention is asked for once more.
function Job:accepted(piece, now, batch)
  local group = piece.group
  if piece.confirmed then
    group.results = batch.results or {}
    group:settle_all()
    return self:land(group)
  end
  local matched = outcome.match(group.body, piece.places, batch, self.direction)
  if self.on_batch then
    for _, result in ipairs(batch.results or {}) do group.results[#group.results + 1] = result end
  end
  if piece.trial then return self:tried(piece, now, matched, batch) end
  self:settle_places(group, matched.created, "created")
  self:named(piece, matched)
  if #matched.rest > 0 then self:left_out(piece, now, matched.rest, batch, matched.hint) end
end

-- Its attempts are over. If others succeed meanwhile, it is this piece that cannot pass, or one input of it,
-- and the outcome is final. If none do, or the rate limit lets nothing through, the job stops, and can be
-- resumed.
function Job:give_up(piece, err)
  local others_pass = self.last_success >= piece.failing_since
  if piece.is_part then self.failed_parts = self.failed_parts + 1 end
  local is_outage = self.failed_parts > MOST_FAILED_PARTS
    or not others_pass and not self:may_probe(piece, err)
  if is_outage or not retry.counts(err) then
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
function Job:may_probe(piece, err)
  return rejection.may_be_of_one(err) and self.retry.max_attempts > 1
    and (piece.is_part or #piece.places > 1) and self.failed_parts <= MOST_PROBES
end

-- The piece failed, or HubSpot rejected it as a whole.
function Job:rejected(piece, now, err)
  piece.failing_since = piece.failing_since or now
  if retry.may_have_been_done(err) then piece.maybe = true end
  piece.went_out = piece.went_out or err.sent ~= false
  if piece.went_out then err.sent = nil end -- it is the error of all attempts
  err.retryable = retry.is_retryable(err)
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
---the batch for `answered` where nobody asks for its results, so that it need not be decoded.
---@param piece hubspot.associations.Piece
---@param text string the response's body
---@return table|nil
function Job:confirm(piece, text)
  piece.confirmed = piece:is_whole() and not piece.trial and piece.group.body:confirmed_by(text)
  if piece.confirmed and not self.on_batch then return CONFIRMED end
end

---Tells what came of a piece that `next` gave to send.
---@param piece hubspot.associations.Piece
---@param now number
---@param batch hubspot.associations.Batch|nil
---@param err hubspot.associations.Error|nil
---@param rate_limit hubspot.associations.RateLimit|nil
function Job:answered(piece, now, batch, err, rate_limit)
  self.in_flight = self.in_flight - 1
  self.limiter:answered(piece.ticket, now, rate_limit, err)
  if not batch then return self:rejected(piece, now, err) end
  self.last_success = math.max(self.last_success, piece.sent) -- the service was there then, at least
  self.failed_parts = 0
  if piece.is_divided then self.search:succeeded() end
  self.retry:succeeded()
  self.concurrency:succeeded()
  self:accepted(piece, now, batch)
end

---Ends the job early: what is in flight is waited for, the rest is not sent.
---@param err hubspot.associations.Error
function Job:cancel(err)
  self:stop(err)
end

---What came of it all, once `next` says "done".
---@param now number
---@return hubspot.associations.Report|nil report nil when the source is no list
---@return hubspot.associations.Error|nil why it stopped before the source ended
function Job:finish(now)
  if self.unusable then return nil, self.unusable end
  local report = self.report
  report.elapsed = now - self.began
  if self.held ~= nil then -- read, and then the job stopped
    report.inputs = report.inputs + 1
    self:tell_failure { index = self.index + 1, input = self.held, outcome = "not_sent", error = self.error }
    self.held = nil
  end
  if self.total and self.total > report.inputs then -- of a list, the inputs that were never read
    report.not_sent = report.not_sent + self.total - report.inputs
    report.inputs = self.total
  end
  return report, self.error
end

return import
