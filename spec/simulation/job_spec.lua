-- What a job guarantees, in hundreds of simulated jobs. A failure names its seed and how to repeat it.

local job_case = require "support.job_case"

local SEEDS = 300

describe("a job, whatever goes wrong,", function()
  local function run(seed)
    local kept, broken = pcall(job_case.run, seed)
    if not kept then
      error(("%s\n(replay with: make simulate SEED=%d SEEDS=1)"):format(tostring(broken), seed), 0)
    end
    return broken
  end

  it("gives every input exactly one outcome, and the account has what the report says", function()
    for seed = 1, SEEDS do run(seed) end
  end)

  it("does the same again from the same seed", function()
    assert.same(run(7), run(7))
  end)

  it("meets enough: jobs that stop, unconfirmed inputs, labels that could be undone", function()
    local stopped, unconfirmed, failed, requests, labels = 0, 0, 0, 0, 0
    for seed = 1, 150 do
      local statistics = run(seed)
      stopped = stopped + (statistics.stopped and 1 or 0)
      unconfirmed = unconfirmed + statistics.unconfirmed
      failed = failed + statistics.failed
      requests = requests + statistics.requests
      labels = labels + statistics.labels_kept
    end
    assert.is_true(stopped > 5 and unconfirmed > 100 and failed > 1000 and requests > 5000 and labels > 500)
  end)
end)
