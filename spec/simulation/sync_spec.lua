-- What a sync guarantees, in hundreds of simulated syncs: of random lists with random accounts, with faults,
-- crashes and another program. A failure names its seed and how to replay it.

local sync_case = require "support.sync_case"

local SEEDS = 500

describe("a sync, whatever goes wrong,", function()
  local function run(seed)
    local kept, result = pcall(sync_case.run, seed)
    if not kept then
      error(("%s\n(replay with: make simulate SEED=%d SEEDS=1)"):format(tostring(result), seed), 0)
    end
    return result
  end

  it("makes the account as the list says, and touches nothing else; enough goes wrong", function()
    local sums, counted = {}, { "kept", "created", "removed", "failed", "unconfirmed", "not_sent", "resumed" }
    for seed = 1, SEEDS do
      local result = run(seed)
      local met = {
        [result.way] = 1, stopped = result.stopped and 1 or 0, changed = result.is_changed and 1 or 0,
        crashed = result.has_crashed and 1 or 0, exact = result.is_exact and 1 or 0,
      }
      for _, name in ipairs(counted) do met[name] = result[name] end
      for name, count in pairs(met) do sums[name] = (sums[name] or 0) + count end
    end
    local least = {
      kept = 1000, created = 1000, removed = 500, failed = 500, unconfirmed = 1, not_sent = 100, resumed = 20,
      sync = 200, plan_apply = 100, dry_run = 30, declined = 30, stopped = 20, changed = 50, crashed = 50,
      exact = 250,
    }
    for name, count in pairs(least) do
      assert.is_true((sums[name] or 0) >= count, ("%s: %d"):format(name, sums[name] or 0))
    end
  end)

  it("does the same again from the same seed", function()
    assert.same(run(3), run(3))
  end)
end)
