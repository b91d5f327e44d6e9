-- The promises of a collector, in hundreds of simulated cases. A failure names its seed, and how to replay
-- it.

local collector_case = require "support.collector_case"

local SEEDS = 300

describe("a collector, whatever goes wrong,", function()
  local function run(seed)
    local kept, result = pcall(collector_case.run, seed)
    if not kept then
      error(("%s\n(replay with: make simulate SEED=%d SEEDS=1)"):format(tostring(result), seed), 0)
    end
    return result
  end

  it("gives every link one outcome in time, and the account agrees; enough goes wrong", function()
    local sums = {}
    for seed = 1, SEEDS do
      for name, count in pairs(run(seed)) do sums[name] = (sums[name] or 0) + count end
    end
    for name, count in pairs(sums) do assert.is_true(count > 0, name) end
    assert.is_true(sums.linked > sums.inputs / 3)
  end)

  it("does not take for not sent what is sent with its neighbours after its time", function()
    run(482)
  end)

  it("does the same again from the same seed", function()
    assert.same(run(11), run(11))
  end)
end)
