-- Peer: the job as it is written by hand: batches from an iterator, one request at a time, with LuaSocket's
-- http.request, ltn12 and lua-cjson; each batch is checked against the count of its results.

local batch = require "support.batch"
local by_hand = require "support.by_hand"
local job = require "support.job"

local function create(inputs)
  local answer = by_hand.create(inputs)
  assert(#answer.results == #inputs, "the answer has not all results")
  return #answer.results
end

job.measure(function(source, count)
  local created = 0
  repeat
    local inputs = {}
    for i = 1, batch.SIZE do
      inputs[i] = source()
      if not inputs[i] then break end
    end
    if #inputs > 0 then created = created + create(inputs) end
  until #inputs < batch.SIZE
  assert(created == count, "not all was created")
end)
