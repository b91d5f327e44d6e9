-- Peer: writing the body alone, with this module.

local batch = require "support.batch"
local peer = require "support.peer"

local core = require "hubspot.associations.core"

local inputs = batch.inputs()

peer.measure(function()
  local body = core.body()
  assert(body:add_list(inputs))
  assert(#body:json() > 0)
end)
