-- Peer: this module in a host that ticks: the longest step of a job of BENCH_INPUTS, with BENCH_CONCURRENCY
-- requests in flight. The collector runs as it does in any host.

local batch = require "support.batch"
local core = require "hubspot.associations.core"
local peer = require "support.peer"

local associations = require "hubspot.associations"

local client = associations.check(associations.new {
  token = "pat-na1-00000000-0000-0000-0000-000000000000",
  base_url = peer.variable "BENCH_BASE_URL",
  concurrency = tonumber(peer.variable "BENCH_CONCURRENCY"),
})
local count, index = tonumber(peer.variable "BENCH_INPUTS"), 0
local job = associations.check(client:start("contacts", "companies", function()
  if index == count then return nil end
  index = index + 1
  return batch.input(index)
end))
local longest, steps = 0, 0
repeat
  core.poll(job:fd(), job:timeout() or (steps > 0 and 5 or 0))
  local began = os.clock()
  local done = job:step()
  longest, steps = math.max(longest, os.clock() - began), steps + 1
until done
assert(job:result().created == count, "not all was created")
print(("%.2f %d"):format(longest * 1000, steps))
