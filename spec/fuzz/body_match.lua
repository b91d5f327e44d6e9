-- body:confirmed_by, which does not decode, on any answer to a few inputs: what it confirms, those who read
-- all of an answer confirm as well. Not the other way round: it leaves to them what is not plain.
-- The bytes: a line of ids, in pairs, then the answer.

local responses = require "hubspot.associations.api.response"
local core = require "hubspot.associations.core"
local outcome = require "hubspot.associations.job.matching"

return function(bytes)
  local ids, answer = bytes:match "^([^\n]*)\n(.*)$"
  if not ids then return end
  local body, places = core.body { check_ids = false }, {}
  for from, to in ids:gmatch "(%S+) (%S+)" do
    if body:add { from = from, to = to, types = 279 } then places[#places + 1] = body:count() end
  end
  if not body:confirmed_by(answer) then return end
  -- What is read with the rules of a job: ids, a status and results that are there once.
  local batch = assert(responses.read({ status = 201, headers = {}, body = answer, date = 0 }, "batch"))
  assert(batch.status == "COMPLETE", batch.status)
  assert(#(batch.errors or {}) == 0 and (batch.numErrors or 0) == 0, "it tells of errors")
  local created = outcome.match(body, places, batch).created
  assert(#created == #places, "some have no result")
end
