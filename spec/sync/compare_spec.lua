-- Checks the comparison of one record: each rule by itself. Pure.

local compare = require "hubspot.associations.sync.compare"

local UNLABELED, PRIMARY, BOSS, FRIEND = "HUBSPOT_DEFINED:279", "HUBSPOT_DEFINED:1", "USER_DEFINED:5",
  "USER_DEFINED:7"

local function set_of(list)
  local set = {}
  for _, key in ipairs(list) do set[key] = true end
  return set
end

-- Rows as { to, type, ... }, numbered from 1.
local function record(rows, more)
  local made = { id = "101", rows = {}, empty = {}, conflicts = {}, is_doubtful = false }
  for index, row in ipairs(rows) do
    made.rows[index] = { to = row[1], index = index, types = { table.unpack(row, 2) } }
  end
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

local function rules(scope, more)
  local made = {
    removes = true, scope = set_of(scope or { UNLABELED }), primary = PRIMARY,
    is_unlabeled = function(key) return key == UNLABELED end,
  }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

-- Changes as "to: types had types", in order.
local function shown(changes)
  local list = {}
  for index, change in ipairs(changes) do
    table.sort(change.types)
    table.sort(change.had)
    list[index] = change.to .. ": " .. table.concat(change.types, " ") .. " | "
      .. table.concat(change.had, " ")
  end
  table.sort(list)
  return list
end

describe("the comparison of a record", function()
  it("keeps a row whose types are all there, and creates what is missing of a pair", function()
    local found = compare.record(record {
      { "1", UNLABELED }, { "2", UNLABELED, BOSS }, { "3", UNLABELED },
    }, { ["1"] = { UNLABELED }, ["2"] = { UNLABELED } }, rules())
    assert.same({ 1 }, found.kept)
    assert.same({ "2: " .. BOSS .. " | " .. UNLABELED, "3: " .. UNLABELED .. " | " }, shown(found.creations))
    assert.same({ 2 }, found.creations[1].rows)
    assert.same({}, found.removals)
  end)

  it("joins the rows of a pair, and keeps those that are there", function()
    local found = compare.record(record {
      { "1", BOSS }, { "1", UNLABELED }, { "1", BOSS, FRIEND },
    }, { ["1"] = { UNLABELED } }, rules())
    assert.same({ 2 }, found.kept)
    assert.same({ 1, 3 }, found.creations[1].rows)
    assert.same({ "1: " .. BOSS .. " " .. FRIEND .. " | " .. UNLABELED }, shown(found.creations))
  end)

  it("removes a pair that the source does not have", function()
    local found = compare.record(record { { "1", UNLABELED } },
      { ["1"] = { UNLABELED }, ["2"] = { UNLABELED } }, rules())
    assert.same({ "2: " .. UNLABELED .. " | " .. UNLABELED }, shown(found.removals))
  end)

  it("removes nothing without being told to", function()
    local found = compare.record(record { { "1", UNLABELED } }, { ["2"] = { UNLABELED } },
      rules(nil, { removes = false }))
    assert.same({}, found.removals)
    assert.equal(0, found.spared)
  end)

  it("removes only types in the scope", function()
    local found = compare.record(record { { "1", BOSS } },
      { ["1"] = { UNLABELED, BOSS, FRIEND }, ["2"] = { UNLABELED, BOSS, FRIEND } }, rules { BOSS })
    local had = UNLABELED .. " " .. BOSS .. " " .. FRIEND
    assert.same({ "2: " .. BOSS .. " | " .. had }, shown(found.removals))
    assert.equal(0, found.spared)
  end)

  it("keeps the unlabeled type of a pair that keeps another, wanted or out of scope", function()
    local found = compare.record(record { { "1", BOSS } },
      { ["1"] = { UNLABELED, BOSS }, ["2"] = { UNLABELED, FRIEND } }, rules { UNLABELED, BOSS })
    assert.same({}, found.removals)
    assert.equal(2, found.spared)
  end)

  it("keeps the unlabeled type of a pair that gets another", function()
    local found = compare.record(record { { "1", FRIEND } }, { ["1"] = { UNLABELED, BOSS } },
      rules { UNLABELED, BOSS, FRIEND })
    assert.equal(1, found.spared)
    local had = UNLABELED .. " " .. BOSS .. " " .. FRIEND
    assert.same({ "1: " .. BOSS .. " | " .. had }, shown(found.removals))
  end)

  it("removes the unlabeled type together with everything that the pair has", function()
    local found = compare.record(record { { "1", BOSS } }, { ["2"] = { BOSS, UNLABELED } },
      rules { UNLABELED, BOSS })
    assert.same({ "2: " .. UNLABELED .. " " .. BOSS .. " | " .. UNLABELED .. " " .. BOSS },
      shown(found.removals))
    assert.equal(0, found.spared)
  end)

  it("removes nothing of a doubtful record, and still creates", function()
    local found = compare.record(record({ { "1", UNLABELED } }, { is_doubtful = true }),
      { ["2"] = { UNLABELED } }, rules())
    assert.same({}, found.removals)
    assert.equal(1, #found.creations)
    assert.is_true(found.is_doubtful)
  end)

  it("removes all links in scope of a record that is said to have none", function()
    local found = compare.record(record({}, { empty = { 7 } }), { ["2"] = { UNLABELED } }, rules())
    assert.same({ 7 }, found.kept)
    assert.equal(1, #found.removals)
  end)

  it("fails all rows of a record that is said to have none, and some", function()
    local found = compare.record(record({ { "1", UNLABELED } }, { empty = { 7 } }), { ["2"] = { UNLABELED } },
      rules())
    assert.same({ [1] = "empty", [7] = "empty" }, found.failed)
    assert.same({ {}, {}, {} }, { found.kept, found.creations, found.removals })
    assert.is_true(found.is_doubtful)
  end)

  it("fails both rows with a primary company, and removes nothing", function()
    local found = compare.record(record { { "1", PRIMARY }, { "2", PRIMARY }, { "3", UNLABELED } },
      { ["4"] = { UNLABELED } }, rules())
    assert.same({ [1] = "primary", [2] = "primary" }, found.failed)
    assert.equal("3", found.creations[1].to)
    assert.equal(1, #found.creations)
    assert.same({}, found.removals)
  end)

  it("takes the same primary company twice for one", function()
    local found = compare.record(record { { "1", PRIMARY }, { "1", UNLABELED, PRIMARY } }, {}, rules())
    assert.same({}, found.failed)
    assert.same({ 1, 2 }, found.creations[1].rows)
  end)

  it("fails the rows whose other record has two primaries", function()
    local found = compare.record(record({ { "1", PRIMARY }, { "2", UNLABELED } }, { conflicts = { true } }),
      { ["3"] = { UNLABELED } }, rules(nil, { primary = false }))
    assert.same({ [1] = "primary" }, found.failed)
    assert.same({}, found.removals)
    assert.equal(1, #found.creations)
  end)
end)
