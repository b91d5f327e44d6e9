-- Checks work/round.lua: which entries go together, and that the order of each pair is kept.

local random = require "support.random"
local round = require "hubspot.associations.work.round"

local function entry(id, pair, endpoint, from_type)
  return { id = id, pair = pair, endpoint = endpoint or "create", from_type = from_type or "contacts",
    to_type = "companies" }
end

-- The phases as text: "create 1 2 | archive 3".
local function shown(phases)
  local list = {}
  for number, groups in ipairs(phases) do
    local parts = {}
    for index, group in ipairs(groups) do
      parts[index] = group.endpoint
      for _, each in ipairs(group.entries) do parts[index] = parts[index] .. " " .. each.id end
    end
    list[number] = table.concat(parts, ", ")
  end
  return table.concat(list, " | ")
end

describe("a round", function()
  it("has one job for all entries of a kind", function()
    assert.equal("create 1 2 3", shown(round.phases { entry(1, "a"), entry(2, "b"), entry(3, "a") }))
  end)

  it("has jobs of several kinds at once where the pairs differ", function()
    local entries = { entry(1, "a"), entry(2, "b", "archive"), entry(3, "c"), entry(4, "d", "archive") }
    assert.equal("create 1 3, archive 2 4", shown(round.phases(entries)))
  end)

  it("waits with another kind of the same pair", function()
    local entries = { entry(1, "a"), entry(2, "a", "archive"), entry(3, "a"), entry(4, "b") }
    assert.equal("create 1 4 | archive 2 | create 3", shown(round.phases(entries)))
  end)

  it("is nothing where there is nothing", function() assert.same({}, round.phases {}) end)

  it("keeps the order of each pair, whatever is mixed", function()
    for seed = 1, 50 do
      local source, entries = random.new(seed), {}
      for id = 1, 40 do
        local endpoint, from_type = source:pick { "create", "archive" }, source:pick { "contacts", "deals" }
        entries[id] = entry(id, source:pick { "a", "b", "c", "d", "e" }, endpoint, from_type)
      end
      local last, count = {}, 0
      for _, groups in ipairs(round.phases(entries)) do
        local in_phase = {}
        for _, group in ipairs(groups) do
          for _, each in ipairs(group.entries) do
            local before = in_phase[each.pair]
            assert.is_true(before == nil or before == group, "seed " .. seed) -- one job for a pair
            in_phase[each.pair] = group
            assert.is_true(each.id > (last[each.pair] or 0), "seed " .. seed)
            last[each.pair], count = each.id, count + 1
          end
        end
      end
      assert.equal(40, count)
    end
  end)
end)
