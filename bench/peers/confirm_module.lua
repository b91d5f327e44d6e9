-- Peer: comparing the answer with the body, as a job does, with this module.

local batch = require "support.batch"
local peer = require "support.peer"

local core = require "hubspot.associations.core"

local text = peer.contents(peer.variable "BENCH_ANSWER")
local body = core.body { result = { from = { "fromObjectId" }, to = { "toObjectId" } } }
assert(body:add_list(batch.inputs()))

peer.measure(function()
  assert(body:confirmed_by(text))
end)
