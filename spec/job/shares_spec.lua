-- A job and single calls over one client that together use up the rate limit.

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"
local jobs = require "support.jobs"
local sandbox = require "support.sandbox"

local INTERVAL, LIMIT = 2, 40

it("single calls beside a job that uses up the rate limit do not wait for the end of an interval", function()
  local server = sandbox.start { rate = { limit = LIMIT, interval = INTERVAL } }
  finally(function() server:close() end)
  local job
  local client = assert(associations.new {
    token = "pat-na1-0000-1111-2222-3333", base_url = server:url(), batch_size = 1,
    loop = { wait = function(fd, timeout) -- a host that steps the job meanwhile
      job:step()
      core.poll(fd, timeout and math.min(timeout, 0.01) or 0.01)
    end },
  })
  job = assert(client:start("contacts", "companies", jobs.inputs(1000)))
  local function run_until(deadline)
    while core.now() < deadline do
      job:step()
      core.poll(job:fd(), 0.01)
    end
  end
  run_until(core.now() + 1.2 * INTERVAL)
  local longest, worst = 0, 0
  for number = 1, 12 do
    local _, meta = assert(client:create("contacts", "companies", { { from = number, to = 7, types = 279 } }))
    worst = math.max(worst, meta.elapsed)
    if number > 3 then longest = math.max(longest, meta.elapsed) end -- it is known how many there are
    run_until(core.now() + INTERVAL / 5)
  end
  assert.is_true(longest < INTERVAL / 4, longest)
  assert.is_true(worst < 1.5 * INTERVAL, worst)
  assert.is_true(job:progress().created > LIMIT, job:progress().created) -- it went on meanwhile
  job:cancel()
  jobs.finish(job)
  client:close()
end)
