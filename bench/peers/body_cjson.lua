-- Peer: writing the body alone, with lua-cjson.

local batch = require "support.batch"
local peer = require "support.peer"

local cjson = peer.need "cjson"

local inputs = batch.inputs()

peer.measure(function()
  assert(#cjson.encode { inputs = inputs } > 0)
end)
