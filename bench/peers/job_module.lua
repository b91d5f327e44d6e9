-- Peer: this module, client:create_all over an iterator, with as many requests in flight as
-- BENCH_CONCURRENCY says; with on_batch where BENCH_ON_BATCH is set.

local job = require "support.job"
local peer = require "support.peer"

local associations = require "hubspot.associations"

local client = assert(associations.new {
  token = "pat-na1-00000000-0000-0000-0000-000000000000",
  base_url = peer.variable "BENCH_BASE_URL",
  concurrency = tonumber(peer.variable "BENCH_CONCURRENCY"),
})

local options = {}
local told = 0
if os.getenv "BENCH_ON_BATCH" == "1" then
  options.on_batch = function(batch)
    told = told + #batch.results
  end
end

job.measure(function(source, count)
  local report = assert(client:create_all("contacts", "companies", source, options))
  assert(report.created == count and report.retries == 0, "not all was created at the first attempt")
  assert(not options.on_batch or told == count, "on_batch was not told of all results")
end)
