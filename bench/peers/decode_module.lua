-- Peer: reading the answer alone, with this module.

local peer = require "support.peer"

local core = require "hubspot.associations.core"

local text = peer.contents(peer.variable "BENCH_ANSWER")

peer.measure(function()
  assert(core.decode(text))
end)
