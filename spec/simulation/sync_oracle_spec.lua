-- The oracle of the simulated syncs, by examples that are worked out by hand.

local accounts = require "support.sync_account"
local oracle = require "support.sync_oracle"

local CONTACTS, COMPANIES, BOTH = accounts.DIRECTIONS[1], accounts.DIRECTIONS[2], accounts.DIRECTIONS[3]
local PLAIN, PRIMARY = CONTACTS.unlabeled, CONTACTS.primary
local PARTNER, SUPPLIER = "USER_DEFINED:36", "USER_DEFINED:37"

local function good(from, to, ...)
  return { kind = "good", from = from, to = to, keys = { ... } }
end

-- Links as from>to -> list of keys.
local function state_of(links)
  local state = {}
  for pair, keys in pairs(links) do
    local from, to = pair:match "^(.*)>(.*)$"
    state[from] = state[from] or {}
    state[from][to] = {}
    for _, key in ipairs(keys) do state[from][to][key] = true end
  end
  return state
end

-- A state as from>to -> keys, in order; pairs without any are left out.
local function links_of(state)
  local links = {}
  for from, targets in pairs(state) do
    for to, set in pairs(targets) do
      local keys = {}
      for key in pairs(set) do keys[#keys + 1] = key end
      table.sort(keys)
      if keys[1] then links[from .. ">" .. to] = keys end
    end
  end
  return links
end

describe("the oracle of a sync", function()
  local function expect(links, rows, changes, meanwhile)
    local rules = { mode = "mirror", direction = CONTACTS }
    for name, value in pairs(changes or {}) do rules[name] = value end
    return oracle.expect(rows, state_of(links), rules, meanwhile and state_of(meanwhile))
  end

  local function final(...) return links_of(expect(...).final) end

  it("creates what is missing, and removes what the list does not have", function()
    local links = { ["1>5"] = { PLAIN }, ["1>6"] = { PLAIN }, ["2>5"] = { PLAIN } }
    local rows = { good("1", "6", PLAIN), good("1", "7", PLAIN) }
    local expected = expect(links, rows)
    assert.same({ ["1>6"] = { PLAIN }, ["1>7"] = { PLAIN }, ["2>5"] = { PLAIN } }, links_of(expected.final))
    assert.same({ { kept = true }, { created = true } }, expected.outcomes)
    assert.same({ 1, 0 }, { expected.lines, expected.spared })
  end)

  it("removes nothing where it adds", function()
    local links = { ["1>5"] = { PLAIN } }
    assert.same({ ["1>5"] = { PLAIN }, ["1>6"] = { PLAIN } },
      final(links, { good("1", "6", PLAIN) }, { mode = "add" }))
  end)

  it("leaves the unlabeled type to a pair that keeps another, and to one that loses a label only", function()
    local links = { ["1>5"] = { PLAIN, PARTNER }, ["1>6"] = { PLAIN, SUPPLIER } }
    local rows = { good("1", "5", PARTNER), good("1", "7", PLAIN) }
    local expected = expect(links, rows)
    assert.same({
      ["1>5"] = { PLAIN, PARTNER }, ["1>6"] = { PLAIN, SUPPLIER }, ["1>7"] = { PLAIN },
    }, links_of(expected.final))
    assert.same({ 0, 2 }, { expected.lines, expected.spared })
    assert.same({ ["1>5"] = { PLAIN, PARTNER }, ["1>6"] = { PLAIN } },
      final(links, { good("1", "5", PARTNER) }, { types = { PARTNER, SUPPLIER } }))
  end)

  it("removes a pair whose every type is in the scope", function()
    local links = { ["1>5"] = { PLAIN, PARTNER }, ["1>6"] = { PLAIN } }
    assert.same({ ["1>6"] = { PLAIN } },
      final(links, { good("1", "6", PLAIN) }, { types = { PLAIN, PARTNER } }))
  end)

  it("spares a record with a doubtful row, and all records when one row's is unknown", function()
    local links = { ["1>5"] = { PLAIN }, ["2>5"] = { PLAIN } }
    local rows = { good("1", "6", PLAIN), good("2", "6", PLAIN), { kind = "bad", from = "1" } }
    assert.same({ ["1>5"] = { PLAIN }, ["1>6"] = { PLAIN }, ["2>6"] = { PLAIN } }, final(links, rows))
    rows[3] = { kind = "nobody" }
    assert.same({ PLAIN }, final(links, rows)["2>5"])
    rows[3] = nil
    assert.same({ PLAIN }, final(links, rows, { ends_with_error = true })["2>5"])
  end)

  it("takes an empty cell for no links only where that is said, and beside no other row", function()
    local links = { ["1>5"] = { PLAIN }, ["2>5"] = { PLAIN } }
    local rows = { { kind = "empty", from = "1" }, good("2", "5", PLAIN) }
    assert.same({ ["1>5"] = { PLAIN }, ["2>5"] = { PLAIN } }, final(links, rows))
    assert.same({ ["2>5"] = { PLAIN } }, final(links, rows, { empty = "none" }))
    rows[3] = good("1", "6", PLAIN)
    local expected = expect(links, rows, { empty = "none" })
    assert.same({ ["1>5"] = { PLAIN }, ["2>5"] = { PLAIN } }, links_of(expected.final))
    assert.same({ { failed = true }, { kept = true }, { failed = true } }, expected.outcomes)
  end)

  it("fails both of two primary companies, whichever side the contact is on", function()
    local rows = { good("1", "5", PRIMARY), good("1", "6", PRIMARY), good("1", "7", PLAIN) }
    local expected = expect({ ["1>8"] = { PLAIN } }, rows)
    assert.same({ ["1>7"] = { PLAIN }, ["1>8"] = { PLAIN } }, links_of(expected.final))
    rows = { good("5", "1", COMPANIES.primary), good("6", "1", COMPANIES.primary) }
    expected = expect({}, rows, { direction = COMPANIES })
    assert.same({}, links_of(expected.final))
    assert.same({ { failed = true }, { failed = true } }, expected.outcomes)
  end)

  it("knows that a new primary company replaces the other", function()
    local links = { ["1>5"] = { PLAIN, PRIMARY } }
    assert.same({ ["1>5"] = { PLAIN }, ["1>6"] = { PRIMARY, PLAIN } },
      final(links, { good("1", "6", PRIMARY) }, { mode = "add" }))
  end)

  it("takes nothing from a record of which a creation fails", function()
    local rows = { good("1", "404", PLAIN) }
    rows[1].is_missing = true
    assert.same({ ["1>5"] = { PLAIN } }, final({ ["1>5"] = { PLAIN } }, rows))
  end)

  describe("between records of one object type", function()
    local LINKED, BOSS, REPORT = BOTH.unlabeled, "USER_DEFINED:37", "USER_DEFINED:38"

    it("sees each link from both records, a label as its inverse", function()
      local links = { ["1>2"] = { LINKED, BOSS }, ["2>1"] = { LINKED, REPORT } }
      assert.same({
        ["1>2"] = { LINKED, BOSS }, ["2>1"] = { LINKED, REPORT },
        ["1>3"] = { LINKED, REPORT }, ["3>1"] = { LINKED, BOSS },
      }, final(links, { good("1", "2", BOSS), good("1", "3", REPORT) }, { direction = BOTH }))
      assert.same({}, final(links, { { kind = "empty", from = "1", keys = { LINKED, BOSS } } },
        { direction = BOTH, empty = "none" }))
    end)

    it("takes nothing from a pair of the list's other direction, nor anything after a bad row", function()
      local links = {}
      for _, pair in ipairs { "1>2", "2>1", "2>4", "4>2" } do links[pair] = { LINKED } end
      local rows = { good("1", "2", LINKED), good("2", "1", LINKED) }
      local expected = expect(links, { rows[1], good("2", "3", LINKED) }, { direction = BOTH })
      assert.same({ ["2>4"] = false, ["2>1"] = true }, {
        ["2>4"] = links_of(expected.final)["2>4"] ~= nil, ["2>1"] = links_of(expected.final)["2>1"] ~= nil,
      })
      rows[3] = { kind = "bad", from = "7" }
      assert.same(links, final(links, rows, { direction = BOTH }))
    end)

    it("knows which pairs get other labels by a row of each direction", function()
      local rows = {
        good("1", "2", BOSS), good("2", "1", REPORT), good("3", "4", BOSS), good("4", "3", BOSS),
      }
      local contested, yes = expect({}, rows, { direction = BOTH }).contested, { is_contested = true }
      assert.same({ ["3"] = { ["4"] = yes }, ["4"] = { ["3"] = yes } }, contested)
    end)

    it("takes nothing, on either side, from a record of which a creation fails", function()
      local links = { ["1>2"] = { LINKED }, ["2>1"] = { LINKED } }
      local rows = { good("1", "404", LINKED), good("2", "3", LINKED) }
      rows[1].is_missing = true
      assert.same({ LINKED }, final(links, rows, { direction = BOTH })["2>1"])
    end)

    it("takes nothing from either record of a row that fails, as one of them cannot be read", function()
      local links = {}
      for _, pair in ipairs { "1>2", "3>5", "2>9", "2>8" } do
        links[pair], links[pair:reverse()] = { LINKED }, { LINKED }
      end
      local rows = { good("1", "3", LINKED), good("2", "7", LINKED), good("3", "6", LINKED) }
      local expected = expect(links, rows, { direction = BOTH, unreadable = { ["1"] = true } })
      assert.same({ [1] = true }, expected.refused)
      assert.same({ ["2"] = { ["8"] = { [LINKED] = true }, ["9"] = { [LINKED] = true } } }, expected.removals)
    end)
  end)

  it("takes nothing from a record that cannot be read", function()
    local links = { ["1>5"] = { PLAIN }, ["2>5"] = { PLAIN } }
    local rows = { good("1", "6", PLAIN), good("2", "6", PLAIN) }
    assert.same({ ["1>5"] = { PLAIN }, ["2>6"] = { PLAIN } },
      final(links, rows, { unreadable = { ["1"] = true } }))
  end)

  it("takes nothing from a pair that gained a type, and keeps what a pair gained", function()
    local links = { ["1>5"] = { PLAIN }, ["1>6"] = { PLAIN } }
    local since = { ["1>5"] = { PLAIN, PARTNER }, ["1>6"] = { PLAIN, PARTNER }, ["1>9"] = { PLAIN } }
    local rows = { good("1", "6", PLAIN, SUPPLIER) }
    assert.same({
      ["1>5"] = { PLAIN, PARTNER }, ["1>6"] = { PLAIN, PARTNER, SUPPLIER }, ["1>9"] = { PLAIN },
    }, final(links, rows, nil, since))
  end)
end)
