-- body:confirmed_by, which does not decode, on any response to a few inputs of several shapes: what it
-- confirms, those who read all of a response confirm as well. Not the other way round: it leaves to them
-- what is not plain.
-- The bytes: a line of ids, in pairs, then the response.

local core = require "hubspot.associations.core"
local matching = require "hubspot.associations.job.matching"
local responses = require "hubspot.associations.api.response"
local inside = require "inside"

-- Where a result has the ids of its input.
local PATHS = { from = { "fromObjectId" }, to = { "toObjectId" } }

-- The batch, read by the rules of a job: ids, a status and results that are there once.
local function read(text)
  local batch = assert(responses.read({ status = 201, headers = {}, body = text, date = 0 }, "batch"))
  assert(batch.status == "COMPLETE", batch.status)
  assert(#(batch.errors or {}) == 0 and (batch.numErrors or 0) == 0, "it has errors")
  return batch
end

local function check_associations(ids, text)
  local body, positions = core.body { check_ids = false }, {}
  for from, to in ids:gmatch "(%S+) (%S+)" do
    if body:add { from = from, to = to, types = 279 } then positions[#positions + 1] = body:count() end
  end
  if not body:confirmed_by(inside.bytes(text)) then return end
  local succeeded = matching.match(body, positions, read(text), PATHS).succeeded
  assert(#succeeded == #positions, "some have no result")
end

local function id_of(object)
  return type(object) == "table" and object.id
end

-- Raises unless each input has a result whose `from`, and whose `to` where the shape has two ids, has its id.
local function check_shape(options, inputs, text)
  options.check_ids = false
  local body, added = core.body(options), {}
  for _, input in ipairs(inputs) do
    if body:add(input) then added[#added + 1] = input end
  end
  if not body:confirmed_by(inside.bytes(text)) then return end
  local results = read(text).results
  for _, input in ipairs(added) do
    local is_found = false
    for _, result in ipairs(results) do
      if type(result) == "table" and id_of(result.from) == (input.from or input.id) then
        is_found = is_found or input.to == nil or id_of(result.to) == input.to
      end
    end
    assert(is_found, "an input has no result")
  end
end

return function(bytes)
  local ids, text = bytes:match "^([^\n]*)\n(.*)$"
  if not ids then return end
  local pairs_of_ids, records = {}, {}
  for from, to in ids:gmatch "(%S+) (%S+)" do
    pairs_of_ids[#pairs_of_ids + 1] = { from = from, to = to }
    records[#records + 1] = { id = from }
    records[#records + 1] = { id = to, after = "x" }
  end
  check_associations(ids, text)
  local both = { from = { "from", "id" }, to = { "to", "id" } }
  check_shape({ shape = "pair", result = both }, pairs_of_ids, text)
  check_shape({ shape = "record", result = { from = { "from", "id" } } }, records, text)
end
