-- Peer: by hand with Lua-cURL, the binding of libcurl that Debian has, and lua-cjson: one handle, kept alive.

local batch = require "support.batch"
local peer = require "support.peer"

local cjson = peer.need "cjson"
local curl = peer.need "curl"

local inputs = batch.inputs()
local easy = curl.easy_init()
local parts

easy:setopt(curl.OPT_URL, peer.variable "BENCH_URL")
easy:setopt(curl.OPT_HTTPHEADER, {
  "Authorization: Bearer pat-na1-00000000-0000-0000-0000-000000000000",
  "Content-Type: application/json",
  "Expect:",
})
easy:setopt(curl.OPT_WRITEFUNCTION, function(part)
  parts[#parts + 1] = part
  return #part
end)

peer.measure(function()
  parts = {}
  local body = cjson.encode { inputs = inputs }
  easy:setopt(curl.OPT_POSTFIELDSIZE, #body)
  easy:setopt(curl.OPT_POSTFIELDS, body)
  assert(easy:perform())
  batch.walk(cjson.decode(table.concat(parts)))
end)
