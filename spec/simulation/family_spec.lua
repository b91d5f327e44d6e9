-- The job's promises for the endpoints other than create, for hundreds of simulated jobs. A failure names its
-- seed and how to replay it.

local family_case = require "support.family_case"

local SEEDS = 160

describe("a job of the family, whatever goes wrong,", function()
  local function run(seed)
    local kept, result = pcall(family_case.run, seed)
    if not kept then
      error(("%s\n(replay with: make simulate SEED=%d SEEDS=1)"):format(tostring(result), seed), 0)
    end
    return result
  end

  it("gives every input one outcome, and the account agrees; enough goes wrong", function()
    local sums, none = {}, { stopped = 0, succeeded = 0, failed = 0, unconfirmed = 0, resumed = 0 }
    for seed = 1, SEEDS do
      local result = run(seed)
      local sum = sums[result.endpoint] or {}
      sums[result.endpoint] = sum
      for name, zero in pairs(none) do
        local count = result[name]
        if name == "stopped" then count = count and 1 or 0 end
        sum[name] = (sum[name] or zero) + count
      end
    end
    for _, endpoint in ipairs { "archive", "archive_labels", "create_default", "read" } do
      for name, count in pairs(sums[endpoint]) do assert.is_true(count > 0, endpoint .. " " .. name) end
    end
  end)

  it("does the same again from the same seed", function()
    assert.same(run(11), run(11))
  end)
end)
