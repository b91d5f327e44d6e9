-- Peer: the way it is written by hand, with LuaSocket's http.request, ltn12 and lua-cjson.

local batch = require "support.batch"
local by_hand = require "support.by_hand"
local peer = require "support.peer"

local inputs = batch.inputs()

peer.measure(function()
  batch.walk(by_hand.create(inputs))
end)
