-- Which inputs of a rejected chunk are at fault: what to send next to find out, and when to stop looking.
-- Pure. A rejection that names inputs is followed: the others go first, then those it names, which fail only
-- when they are rejected again (HubSpot may have meant another input with the same id). One that names nobody
-- is searched by halving. Each division is paid for, and a part that passes pays all back: the search goes on
-- as long as it finds good inputs, and ends soon in a file that is all bad.

local input_errors = require "hubspot.associations.api.input_errors"
local rejection = require "hubspot.associations.api.rejection"
local chunks = require "hubspot.associations.job.chunk"
local matching = require "hubspot.associations.job.matching"
local trials = require "hubspot.associations.job.trial"

local search = {}

local MOST = 400 -- divisions without a part that passes, over the whole job
local MOST_NAMED = 11 -- times in a row that names are followed before halving: about log2 of a full batch

---@class hubspot.associations.Search of one job
local Search = {}
Search.__index = Search

---@param direction hubspot.associations.Direction|nil
---@return hubspot.associations.Search
function search.new(direction)
  return setmetatable({ direction = direction, left = MOST }, Search)
end

---Tells that a part of a divided chunk has passed.
function Search:succeeded()
  self.left = MOST
end

-- Pays for a division. When nothing is left, each batch still has enough to find one bad input.
function Search:pay(batch, count)
  if self.left > 0 then
    self.left = self.left - 1
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

-- Inputs fail for what the rejection says of them; the others of the chunk are sent again.
local function fail_named(chunk, positions, err)
  local verdict = failed(positions, err)
  local others = chunk:others(positions)
  if #others > 0 then
    verdict.send[1] = chunks.new(chunk.batch, others, chunk)
    verdict.send[1].suspected = chunk.suspected
  end
  return verdict
end

-- The others first, then the suspects.
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
local function suspects_of(chunk, units, named, err)
  if #named.sided > 0 then return named.sided, true end
  if #named.loose > 0 then return named.loose, false end
  local column = rejection.column(err)
  return column and chunk:unit_at(units, column) or {}, false
end

---What follows from a rejection of a chunk. (A failure that lasts may be taken for one.)
---@param chunk hubspot.associations.Chunk
---@param err table
---@return hubspot.associations.Verdict
---@return integer|nil size how many inputs a request may have, when the chunk had too many
function Search:divide(chunk, err)
  local units = chunk:units()
  local named = matching.suspects(chunk.batch.body, chunk.positions, err, self.direction, units)
  if #named.typed > 0 and not chunk.trial then return fail_named(chunk, named.typed, err) end
  if chunk.suspected and #named.sided > 0 then return fail_named(chunk, named.sided, err) end
  if #chunk.positions == 1 and not chunk.trial then return failed(chunk.positions, err) end
  if not self:pay(chunk.batch, #units) then
    local passed, others = trials.positions(chunk)
    local verdict = failed(others, input_errors.together(err, #others))
    verdict.succeeded = passed
    return verdict
  end
  if chunk.trial or #units == 1 then return trials.rejected(chunk, err) end
  local suspects, is_sided = suspects_of(chunk, units, named, err)
  if #suspects == 0 then
    local size = rejection.size(err, #units)
    if size then return send(chunk:parts(units, size)), size end
  elseif (chunk.named or 0) < MOST_NAMED and (#suspects < #chunk.positions or is_sided) then
    return set_apart(chunk, suspects, is_sided)
  end
  return send(chunk:parts(units, math.ceil(#units / 2)))
end

return search
