-- Peer: one link at a time, while nothing else goes on: client:create or client:link. Prints the microseconds
-- that one takes, by the clock.

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"
local peer = require "support.peer"

local WARMUP, COUNT = 200, 2000

local client = associations.check(associations.new {
  token = "pat-na1-00000000-0000-0000-0000-000000000000",
  base_url = peer.variable "BENCH_BASE_URL",
})

local operations = {
  create = function(input) return client:create("contacts", "companies", { input }) end,
  link = function(input) return client:link("contacts", "companies", input) end,
}
local operation = operations[peer.variable "BENCH_OPERATION"]

local began
for number = 1, WARMUP + COUNT do
  if number == WARMUP + 1 then began = core.now() end
  assert(operation { from = number, to = 7, types = 279 })
end
print(("%.1f"):format((core.now() - began) * 1e6 / COUNT))
