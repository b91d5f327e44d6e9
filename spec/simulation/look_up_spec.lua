-- The promises of a job with look-ups, for hundreds of simulated jobs. A failure names its seed and how to
-- replay it.

local look_up_case = require "support.look_up_case"

local SEEDS = 150

describe("a job with look-ups, whatever goes wrong,", function()
  local function run(seed)
    local kept, result = pcall(look_up_case.run, seed)
    if not kept then
      error(("%s\n(replay with: make simulate SEED=%d SEEDS=1)"):format(tostring(result), seed), 0)
    end
    return result
  end

  it("links no pair but those that are named, and finds what is there; enough goes wrong", function()
    local sum = { stopped = 0, created = 0, failed = 0, resumed = 0, look_ups = 0 }
    for seed = 1, SEEDS do
      local result = run(seed)
      for name, count in pairs(sum) do
        local more = result[name] or 0
        if name == "stopped" then more = result.stopped and 1 or 0 end
        sum[name] = count + more
      end
    end
    for name, count in pairs(sum) do assert.is_true(count > 0, name) end
  end)

  it("does the same again from the same seed", function()
    assert.same(run(11), run(11))
  end)
end)
