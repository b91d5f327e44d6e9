-- Peer: reading the answer alone, with lua-cjson.

local peer = require "support.peer"

local cjson = peer.need "cjson"

local text = peer.contents(peer.variable "BENCH_ANSWER")

peer.measure(function()
  assert(cjson.decode(text))
end)
