-- Finds the inputs that are at fault in a rejected chunk: what to send next, and when to stop. Pure.
-- If the rejection names inputs, they are sent apart from the others, after them, and fail only when they are
-- rejected again: HubSpot may have meant another input with the same id. Otherwise the chunk is halved.
-- The number of divisions is limited, and the limit starts again with each part that passes: the search goes
-- on while it finds good inputs, and ends soon in a source that has none.

local input_errors = require "hubspot.associations.api.input_errors"
local rejection = require "hubspot.associations.api.rejection"
local chunks = require "hubspot.associations.job.chunk"
local matching = require "hubspot.associations.job.matching"
local trials = require "hubspot.associations.job.trial"

local search = {}

local MOST_DIVISIONS = 400 -- without a part that passes, over the whole job
local MOST_NAMED = 11 -- how often in a row names are followed before halving: about log2 of a full batch

---@class hubspot.associations.Search of one job
local Search = {}
Search.__index = Search

---@param direction hubspot.associations.Direction|nil
---@return hubspot.associations.Search
function search.new(direction)
  return setmetatable({ direction = direction, divisions_left = MOST_DIVISIONS }, Search)
end

---Takes note that a part of a divided chunk has passed.
function Search:succeeded()
  self.divisions_left = MOST_DIVISIONS
end

-- Takes one division; false when none is left. Beyond the job's limit, each batch has enough of its own to
-- find one bad input.
function Search:take_division(batch, count)
  if self.divisions_left > 0 then
    self.divisions_left = self.divisions_left - 1
    return true
  end
  batch.divisions_left = batch.divisions_left or math.ceil(math.log(math.max(2, count)) / math.log(2)) + 1
  batch.divisions_left = batch.divisions_left - 1
  return batch.divisions_left >= 0
end

local function failed(positions, err)
  return { failed = { { positions = positions, err = err } }, succeeded = {}, send = {} }
end

local function send(list)
  return { failed = {}, succeeded = {}, send = list }
end

-- The named inputs fail; the others of the chunk are sent again.
local function fail_named(chunk, positions, err)
  local verdict = failed(positions, err)
  local others = chunk:others(positions)
  if #others > 0 then
    verdict.send[1] = chunks.new(chunk.batch, others, chunk)
    verdict.send[1].suspected = chunk.suspected
  end
  return verdict
end

-- The search ends: the inputs of the chunk fail together, as any of them may be at fault.
local function fail_together(chunk, err)
  local passed, others = trials.positions(chunk)
  local verdict = failed(others, input_errors.together(err, #others))
  verdict.succeeded = passed
  return verdict
end

-- Sends the others first, then the suspects.
local function set_apart(chunk, suspects, is_sided)
  local others, list = chunk:others(suspects), {}
  if #others > 0 then
    list[1] = chunks.new(chunk.batch, others, chunk)
    list[1].named = (chunk.named or 0) + 1
  end
  local apart = chunks.new(chunk.batch, suspects, chunk)
  apart.suspected = is_sided
  list[#list + 1] = apart
  return send(list)
end

-- The inputs to set apart, and whether they were named by id and side.
local function choose_suspects(chunk, inputs, named, err)
  if #named.sided > 0 then return named.sided, true end
  if #named.loose > 0 then return named.loose, false end
  local column = rejection.column(err)
  return column and chunk:input_at(inputs, column) or {}, false
end

-- Whether to set suspects apart. If they are the whole chunk, that only helps where a second rejection that
-- names them settles them.
local function may_set_apart(chunk, suspects, is_sided)
  return #suspects > 0 and (chunk.named or 0) < MOST_NAMED and (#suspects < #chunk.positions or is_sided)
end

---What follows from the rejection of a chunk, or from a failure that lasts and may have the same cause.
---@param chunk hubspot.associations.Chunk
---@param err table
---@return hubspot.associations.Verdict
---@return integer|nil size how many inputs a request may have, if the chunk had too many
function Search:divide(chunk, err)
  local units, inputs = chunk:units(), chunk:inputs()
  local named = matching.suspects(chunk.batch.body, chunk.positions, err, self.direction, inputs)
  if not chunk.trial and #named.typed > 0 then return fail_named(chunk, named.typed, err) end
  if chunk.suspected and #named.sided > 0 then return fail_named(chunk, named.sided, err) end
  if not chunk.trial and #chunk.positions == 1 then return failed(chunk.positions, err) end
  if not self:take_division(chunk.batch, #units) then return fail_together(chunk, err) end
  if chunk.trial or #units == 1 then return trials.rejected(chunk, err) end
  local suspects, is_sided = choose_suspects(chunk, inputs, named, err)
  if may_set_apart(chunk, suspects, is_sided) then return set_apart(chunk, suspects, is_sided) end
  local size = #suspects == 0 and rejection.size(err, #inputs) or nil
  local whole = #inputs > 1 and inputs or units -- one input with many pairs is split, too
  return send(chunk:parts(whole, size or math.ceil(#whole / 2))), size
end

return search
