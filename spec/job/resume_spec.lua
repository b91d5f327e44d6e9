-- Checks a job with a journal: what is recorded, what a resumed job skips and reports again, and which
-- journals it does not use. The journal's format is checked in journal_spec.lua.

local cjson = require "cjson"
local runs = require "support.job_run"
local jobs = require "support.jobs"
local process = require "support.process"
local simulation = require "support.simulation"

local counts, input, inputs, iterator = runs.counts, runs.input, runs.inputs, jobs.iterator

local function holds(request, index)
  return request.body:find('"' .. input(index).from .. '"', 1, true) ~= nil
end

describe("a job with a journal", function()
  local function stopped_after(store, requests, list)
    return runs.run {
      source = list, store = store,
      respond = function(number)
        if number > requests then return { status = 403, headers = {}, body = "{}" } end
      end,
    }
  end

  it("that stopped early finishes everything when it is resumed, and sends nothing twice", function()
    for requests = 0, 5 do
      local store, list = simulation.memory(), inputs(47)
      local first = stopped_after(store, requests, list)
      assert.equal(requests < 5 and "forbidden" or nil, first.err and first.err.kind)
      local sent = {}
      local second = runs.run {
        source = list, store = store, world = first.world,
        on_send = function(chunk)
          for _, position in ipairs(chunk.positions) do sent[chunk.batch:index(position)] = true end
        end,
      }
      assert.is_nil(second.err)
      assert.same({ 47, 0, 0, 0 }, counts(second))
      assert.equal(math.min(47, requests * 10), second.report.resumed)
      for index = 1, 47 do assert.equal(index > requests * 10, sent[index] == true) end
      local third = runs.run { source = iterator(list), store = store, world = first.world }
      assert.same({ 47, 0, 0, 0 }, counts(third))
      assert.equal(0, third.report.requests)
      assert.equal(47, third.report.resumed)
    end
  end)

  it("may be resumed with another batch size and concurrency", function()
    local store, list = simulation.memory(), inputs(100)
    local first = runs.run {
      source = list, store = store, concurrency = 3,
      respond = function(number, _, request)
        if holds(request, 15) or number > 7 then return { status = 403, headers = {}, body = "{}" } end
      end,
    }
    assert.equal("forbidden", first.err.kind)
    local landed = first.report.created
    local second = runs.run {
      source = list, store = store, world = first.world, batch_size = 33, concurrency = 2,
    }
    assert.is_nil(second.err)
    assert.same({ 100, 0, 0, 0 }, counts(second))
    assert.equal(landed, second.report.resumed)
    assert.equal(100, second.world.account:count())
  end)

  it("reports the failures again, with their inputs", function()
    local store, list = simulation.memory(), inputs(30)
    list[4], list[22] = false, { from = "404", to = "7", types = 279 }
    local first = runs.run { source = list, store = store }
    local second = runs.run { source = list, store = store, world = first.world }
    assert.equal(0, second.report.requests)
    assert.same(counts(first), counts(second))
    assert.equal(2, second.reported)
    assert.equal(list[4], second.failures[4].input)
    assert.equal(list[22], second.failures[22].input)
    for _, index in ipairs { 4, 22 } do
      assert.equal("failed", second.failures[index].outcome)
      assert.equal(first.failures[index].error.message, second.failures[index].error.message)
      assert.equal(first.failures[index].error.kind, second.failures[index].error.kind)
    end
    local collected = runs.run { source = list, store = store, world = first.world, collect = false }
    assert.equal(2, #collected.report.failures)
  end)

  it("sends again what was not sent, but not what is unconfirmed", function()
    local store, list = simulation.memory(), inputs(20)
    local first = runs.run {
      source = list, store = store,
      respond = function(number, pass)
        if number > 2 then return { status = 403, headers = {}, body = "{}" } end
        return runs.rewrite(pass(), function(batch) table.remove(batch.results) end)
      end,
    }
    assert.same({ 9, 0, 1, 10 }, { first.report.created, first.report.failed, first.report.unconfirmed,
      first.report.not_sent })
    local second = runs.run { source = list, store = store, world = first.world }
    assert.same({ 19, 0, 1, 0 }, counts(second))
    assert.same({ 10 }, second.sizes)
  end)

  it("rejects another source: other inputs, fewer, or in another order", function()
    local store, list = simulation.memory(), inputs(30)
    local first = runs.run { source = list, store = store }
    local changed, shorter, swapped = inputs(30), inputs(25), inputs(30)
    changed[15] = input(99)
    swapped[21], swapped[22] = swapped[22], swapped[21]
    for _, other in ipairs { changed, shorter, swapped } do
      for _, source in ipairs { other, iterator(other) } do
        local text = store.text
        local seen = runs.run { source = source, store = store, world = first.world }
        assert.equal("journal", seen.err.kind)
        assert.truthy(seen.err.message:find("another job", 1, true))
        assert.equal(0, seen.report.requests)
        assert.equal(text, store.text)
        -- All inputs that were read and are not in the journal are reported, beginning with those that do not
        -- match.
        assert.equal(seen.reported, seen.report.inputs - seen.report.resumed - (#other - seen.read) *
          (source == other and 1 or 0))
        for index = seen.report.resumed + 1, seen.read do
          assert.equal("not_sent", seen.failures[index].outcome)
          assert.equal(seen.err, seen.failures[index].error)
          assert.equal(other[index], seen.failures[index].input)
        end
        if source == other then
          assert.equal(#other, seen.report.inputs)
        else -- what was read until it was noticed
          assert.is_true(seen.report.inputs >= 20 and seen.report.inputs <= #other)
        end
      end
    end
  end)

  it("goes on after the recorded inputs of a longer source", function()
    local store = simulation.memory()
    local first = runs.run { source = inputs(20), store = store }
    local second = runs.run { source = inputs(35), store = store, world = first.world }
    assert.is_nil(second.err)
    assert.same({ 35, 0, 0, 0 }, counts(second))
    assert.equal(20, second.report.resumed)
    assert.equal(2, second.report.requests)
  end)

  it("stops when the journal cannot be written, with every input accounted for", function()
    local store = simulation.memory()
    local append, lines = store.append, 0
    function store.append(self, text)
      lines = lines + 1
      if lines > 3 then return nil, "disk full" end
      return append(self, text)
    end
    local seen = runs.run { source = inputs(100), store = store, concurrency = 3 }
    assert.equal("journal", seen.err.kind)
    assert.truthy(seen.err.message:find("disk full", 1, true))
    assert.equal(100, seen.report.inputs)
    assert.equal(seen.report.created, seen.world.account:count())
    assert.is_true(seen.report.created <= 50)
  end)

  it("records a batch before it reports it", function()
    local store = simulation.memory()
    runs.run {
      source = inputs(30), store = store,
      on_batch = function(batch)
        assert.truthy(store.text:find(('"first":%d[,}]'):format(batch.first)))
      end,
    }
  end)

  it("does not record a batch with an input whose outcome is not final", function()
    local store = simulation.memory()
    local seen = runs.run {
      source = inputs(20), store = store,
      respond = function(number, pass)
        if number == 1 then
          return runs.rewrite(pass(), function(batch) table.remove(batch.results) end)
        end
        return { status = 403, headers = {}, body = "{}" }
      end,
    }
    assert.same({ 9, 0, 1, 10 }, counts(seen))
    assert.equal(1, select(2, store.text:gsub("\n", "")))
    local header = cjson.decode(store.text)
    assert.is_nil(header.first)
  end)

  -- What was read and passed over is not counted when the source raises within a recorded batch.
  it("accounts for what was read when the source raises during the replay", function()
    local store, list = simulation.memory(), inputs(30)
    local first = runs.run { source = list, store = store }
    for _, n in ipairs { 1, 5, 10, 11, 16 } do
      local read = 0
      local seen = runs.run { store = store, world = first.world, source = function()
        read = read + 1
        if read == n then error "gone" end
        return list[read]
      end }
      assert.equal("source", seen.err.kind)
      assert.equal(n - 1, seen.report.inputs)
    end
  end)
end)

-- ---- a source that does not match ----

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]*\n" do lines[#lines + 1] = line end
  return lines
end

local function copy_of(list, change)
  local copy = {}
  for index, entry in ipairs(list) do copy[index] = entry end
  change(copy)
  return copy
end

-- Other sources in place of one with 60 inputs.
local OTHERS = {
  ["has no types"] = function(list)
    for index, entry in ipairs(list) do list[index] = { from = entry.from, to = entry.to } end
  end,
  ["is shifted by one"] = function(list) table.remove(list, 1) end,
  ["has one more at its start"] = function(list) table.insert(list, 1, input(99)) end,
  ["is empty"] = function(list)
    for index = #list, 1, -1 do list[index] = nil end
  end,
  ["ends with a record"] = function(list)
    for index = #list, 51, -1 do list[index] = nil end
  end,
  ["ends within a record"] = function(list) list[#list] = nil end,
  ["ends before the first record"] = function(list)
    for index = #list, 6, -1 do list[index] = nil end
  end,
  ["has another last input"] = function(list) list[#list] = input(99) end,
  ["has a bad last input"] = function(list) list[#list] = {} end,
  ["is reversed"] = function(list)
    for index = 1, 30 do list[index], list[61 - index] = list[61 - index], list[index] end
  end,
}

describe("a job whose source is not that of its journal", function()
  local list = inputs(60)

  -- A journal with the records of some of the six batches of ten, in another order than the source's.
  local function recorded(batches)
    local store = simulation.memory()
    local seen = runs.run { source = list, store = store }
    local lines = lines_of(store.text)
    local kept = { lines[1] }
    for _, number in ipairs(batches) do kept[#kept + 1] = lines[number + 1] end
    store.text = table.concat(kept)
    return store, seen.world
  end

  local function assert_untouched(store, world, given)
    local text, count = store.text, world.account:count()
    given.store, given.world = store, world
    local seen = runs.run(given)
    assert.equal(0, seen.report.requests)
    assert.equal(text, store.text)
    assert.equal(count, world.account:count())
    return seen
  end

  for name, change in pairs(OTHERS) do
    it("changes nothing when the source " .. name, function()
      local other = copy_of(list, change)
      for _, batches in ipairs { { 1, 2, 3, 4, 5, 6 }, { 6, 2, 3 }, { 6 }, { 4, 6, 1 } } do
        local store, world = recorded(batches)
        for _, batch_size in ipairs { 1, 7, 10, 100 } do
          for _, source in ipairs { other, iterator(other) } do
            local seen = assert_untouched(store, world, {
              source = source, batch_size = batch_size, concurrency = 3,
            })
            assert.equal("journal", seen.err.kind)
            assert.equal("other_job", seen.err.reason)
          end
        end
        local right = runs.run { source = list, store = store, world = world, concurrency = 3 }
        assert.is_nil(right.err)
        assert.same({ 60, 0, 0, 0 }, counts(right))
      end
    end)
  end

  it("changes nothing when the source raises before all records are compared", function()
    local store, world = recorded { 6, 3 }
    for _, n in ipairs { 1, 5, 21, 25, 35, 51, 60 } do
      local read = 0
      local seen = assert_untouched(store, world, { source = function()
        read = read + 1
        if read == n then error "gone" end
        return list[read]
      end })
      assert.equal("source", seen.err.kind)
      assert.equal(n - 1, seen.report.inputs)
    end
  end)

  it("reports all inputs that it read", function()
    local store, world = recorded { 6, 2 }
    local other = copy_of(list, OTHERS["has another last input"])
    local seen = assert_untouched(store, world, { source = iterator(other) })
    assert.same({ 10, 0, 0, 50 }, counts(seen))
    assert.equal(10, seen.report.resumed)
    for index = 1, 60 do
      local failure = seen.failures[index]
      assert.equal(index > 10 and index < 21, failure == nil)
      if failure then
        assert.equal("not_sent", failure.outcome)
        assert.equal(other[index], failure.input)
      end
    end
  end)

  it("sends the inputs between records in the order of the source, once all records are compared", function()
    local store, world = recorded { 6, 2, 3 }
    local sent = {}
    local seen = runs.run {
      source = iterator(list), store = store, world = world, batch_size = 4,
      on_send = function(chunk)
        for _, position in ipairs(chunk.positions) do sent[#sent + 1] = chunk.batch:index(position) end
      end,
    }
    assert.is_nil(seen.err)
    assert.same({ 60, 0, 0, 0 }, counts(seen))
    assert.equal(30, #sent)
    for number, index in ipairs(sent) do assert.equal(number <= 10 and number or number + 20, index) end
    local again = runs.run { source = list, store = store, world = world }
    assert.equal(0, again.report.requests)
  end)
end)

-- ---- invalid inputs ----

describe("invalid inputs", function()
  local good1, good2 = input(1), input(2)
  local bad = { from = "5", types = 279 }

  local function assert_other(list, other)
    local store = simulation.memory()
    local first = runs.run { source = list, store = store }
    local text = store.text
    for _, batch_size in ipairs { 1, 10 } do
      local seen = runs.run { source = other, store = store, world = first.world, batch_size = batch_size }
      assert.equal("journal", seen.err and seen.err.kind)
      assert.equal(0, seen.report.requests)
      assert.equal(text, store.text)
    end
    assert.is_nil(runs.run({ source = list, store = store, world = first.world }).err)
  end

  it("are compared by their positions", function()
    assert_other({ good1, bad, good2 }, { bad, good1, good2 })
    assert_other({ good1, bad, good2 }, { good1, good2, bad })
    assert_other({ bad, good1, bad }, { bad, bad, good1 })
  end)

  it("are compared by how many they are", function()
    assert_other({ good1, bad, bad }, { good1, bad })
    assert_other({ good1, bad }, { good1 })
  end)

  it("are compared by their ids and types", function()
    local strange = setmetatable({ from = "5" }, { __index = function() return nil end })
    local list = {
      bad, { from = "6", types = 279 }, { to = "5", types = 279 }, { from = "5", types = 280 },
      { from = 5, types = 1.5 },
      { from = { id = "5" } }, { from = "5", to = "7", types = { 279, { associationTypeId = 5 } } }, strange,
      { from = "5", to = "7", types = { 279, { associationTypeId = 6 } } },
      false, true, "text", "other", 5, 6,
      { line = 3, problem = { row = { from = "5" } } }, { line = 3, problem = { row = { from = "6" } } },
    }
    for number, one in ipairs(list) do
      for other = number + 1, #list do
        if list[other] ~= strange then assert_other({ good1, one }, { good1, list[other] }) end
      end
    end
  end)

  it("match when only irrelevant fields differ", function()
    local store = simulation.memory()
    local first = runs.run { source = { good1, { from = "5", line = 2, note = "x" } }, store = store }
    local seen = runs.run { source = { good1, { from = "5", line = 9 } }, store = store, world = first.world }
    assert.is_nil(seen.err)
    assert.equal(2, seen.report.resumed)
  end)

  it("are reported by a resumed job as by the first, with the same error", function()
    local store = simulation.memory()
    local list = { good1, bad, false, good2, { from = "404", to = "7", types = 279 } }
    local first = runs.run { source = list, store = store }
    local second = runs.run { source = list, store = store, world = first.world }
    assert.equal(0, second.report.requests)
    for index in pairs(first.failures) do
      assert.same(tostring(first.failures[index].error), tostring(second.failures[index].error))
      assert.equal(first.failures[index].error.index, second.failures[index].error.index)
      assert.equal(first.failures[index].input, second.failures[index].input)
    end
    assert.equal(2, second.failures[2].error.index)
    assert.equal(3, second.failures[3].error.index)
    assert.is_nil(second.failures[5].error.index)
  end)

  it("are not recorded when there are no others, so that the corrected source is accepted", function()
    local store = simulation.memory()
    local first = runs.run { source = copy_of(inputs(30), OTHERS["has no types"]), store = store }
    assert.same({ 0, 30, 0, 0 }, counts(first))
    assert.equal(1, #lines_of(store.text))
    local second = runs.run { source = inputs(30), store = store, world = first.world }
    assert.is_nil(second.err)
    assert.same({ 30, 0, 0, 0 }, counts(second))
  end)

  it("are recorded with the next batch that has valid inputs", function()
    local store, list = simulation.memory(), inputs(40)
    for index = 1, 20 do list[index] = { from = "5" } end
    local first = runs.run { source = list, store = store }
    assert.same({ 20, 20, 0, 0 }, counts(first))
    assert.equal(5, #lines_of(store.text))
    local second = runs.run { source = list, store = store, world = first.world }
    assert.is_nil(second.err)
    assert.equal(40, second.report.resumed)
  end)
end)

-- ---- the first format ----

-- Written before a record listed its invalid inputs apart: the batches 11, 1, 41 and 31 of ten, and the
-- beginning of 21. Of these inputs, by a job that had them in batches of ten.
local function source_of_fixture()
  local list = inputs(60)
  list[3] = { from = "103", types = 279 }
  list[5] = { from = "404", to = "7", types = 279 }
  list[14], list[15] = false, "text"
  list[17] = { from = 117, to = { id = "7" }, types = { 279, 1 } }
  list[18] = {
    from = 117, to = { id = "7" }, types = { associationCategory = "USER_DEFINED", associationTypeId = 5 },
  }
  list[33] = { from = "133", to = "7", types = {} }
  for index = 41, 50 do list[index] = { from = input(index).from, to = "7" } end
  return list
end

describe("a journal of the first format", function()
  local function fixture()
    local store = simulation.memory()
    store.text = process.read_file "spec/fixtures/first_format.journal"
    return store
  end

  it("is read, and continued in the present format", function()
    local store = fixture()
    local seen = runs.run { source = source_of_fixture(), store = store, batch_size = 7 }
    assert.is_nil(seen.err)
    assert.same({ 44, 15, 1, 0 }, counts(seen))
    assert.equal(40, seen.report.resumed)
    for _, index in ipairs { 3, 14, 15, 33, 41, 50 } do
      local err = seen.failures[index].error
      assert.equal("invalid_input", err.kind)
      assert.equal(index, err.index)
    end
    assert.equal("OBJECT_NOT_FOUND", seen.failures[5].error.category)
    assert.is_nil(seen.failures[5].error.index)
    assert.equal("unconfirmed", seen.failures[36].outcome)
    local again = runs.run { source = source_of_fixture(), store = store, world = seen.world }
    assert.equal(0, again.report.requests)
    assert.same(counts(seen), counts(again))
  end)

  it("matches its source", function()
    for _, change in ipairs {
      function(list) list[2], list[3] = list[3], list[2] end,
      function(list) list[13], list[14] = list[14], list[13] end,
      function(list) list[41] = input(41) end,
      function(list) list[33] = input(33) end,
      function(list) list[17], list[18] = list[18], list[17] end,
      OTHERS["has no types"], OTHERS["is shifted by one"], OTHERS["is empty"],
    } do
      local store, list = fixture(), source_of_fixture()
      list[14], list[15] = {}, {}
      change(list)
      local text = store.text
      local seen = runs.run { source = list, store = store }
      assert.equal("journal", seen.err.kind)
      assert.equal(0, seen.report.requests)
      assert.equal(text, store.text)
    end
  end)
end)

-- ---- the format of today ----

-- Written by the version before layers had folders: whole batches but 21, of which it has the beginning. It
-- has the outcomes that a record has: created, failed (5), unconfirmed (36), and invalid.
describe("a journal of an earlier version", function()
  local TEXT = process.read_file "spec/fixtures/counted_invalid.journal"

  local function without_36(_, pass, request)
    if not holds(request, 36) then return nil end
    return runs.rewrite(pass(), function(batch)
      for i = #batch.results, 1, -1 do
        if batch.results[i].fromObjectId == tonumber(input(36).from) then table.remove(batch.results, i) end
      end
    end)
  end

  -- Its records by their first input, without what errors say.
  local function records_of(text)
    local records = {}
    for line in text:gmatch "[^\n]+\n" do
      local record = cjson.decode(line)
      for _, failure in ipairs(record.failures or {}) do failure.error = failure.error.kind end
      records[record.first or 0] = record
    end
    return records
  end

  it("is resumed to the same counts as without a break", function()
    local store = simulation.memory()
    store.text = TEXT
    local seen = runs.run { source = source_of_fixture(), store = store }
    assert.is_nil(seen.err)
    assert.same({ 44, 15, 1, 0 }, counts(seen))
    assert.equal(50, seen.report.resumed)
    assert.same({ 10 }, seen.sizes)
    assert.equal("unconfirmed", seen.failures[36].outcome)
    assert.equal("OBJECT_NOT_FOUND", seen.failures[5].error.category)
  end)

  it("is written with the same fields and digests", function()
    local store = simulation.memory()
    local seen = runs.run { source = source_of_fixture(), store = store, respond = without_36 }
    assert.same({ 44, 15, 1, 0 }, counts(seen))
    local expected = records_of(TEXT)
    expected[21] = { first = 21, inputs = 10, created = 10, digest = "524ac992bb08c0ea" }
    assert.same(expected, records_of(store.text))
  end)
end)

describe("a journal of another source", function()
  -- A journal of 50 inputs in batches of 10, of which those in `missing` are not recorded.
  local function journal_without(missing)
    local store, list = simulation.memory(), inputs(50)
    local first = runs.run {
      source = list, store = store, concurrency = 6,
      respond = function(_, _, request)
        for _, index in ipairs(missing) do
          if holds(request, index) then return { status = 403, headers = {}, body = "{}" } end
        end
      end,
    }
    return store, first.world
  end

  local function all_bad(count)
    local list = {}
    for index = 1, count do list[index] = { from = input(index).from, to = "7" } end -- a forgotten type
    return list
  end

  it("is not changed, and nothing is sent, wherever its records begin", function()
    for _, missing in ipairs { {}, { 1 }, { 1, 11 }, { 1, 11, 21, 31 }, { 41 } } do
      local other, swapped, shifted = all_bad(50), inputs(50), inputs(50)
      swapped[45], swapped[3] = swapped[3], swapped[45]
      table.remove(shifted, 1)
      for name, list in pairs {
        bad = other, swapped = swapped, shifted = shifted, empty = {}, short = inputs(5),
      } do
        for _, source in ipairs { list, iterator(list) } do
          local store, world = journal_without(missing)
          local text, held = store.text, world.account:count()
          local seen = runs.run { source = source, store = store, world = world, concurrency = 3 }
          assert.equal("other_job", seen.err and seen.err.reason, name .. " " .. #missing)
          assert.equal(text, store.text, name)
          assert.equal(held, world.account:count(), name)
          assert.equal(0, seen.report.requests, name)
        end
      end
    end
  end)

  it("that raises is not sent, and the journal is not changed", function()
    local store, world = journal_without { 1, 11 }
    local text = store.text
    local seen = runs.run { source = function() error "no" end, store = store, world = world }
    assert.equal("source", seen.err.kind)
    assert.equal(text, store.text)
    assert.equal(0, seen.report.requests)
  end)

  it("is noticed when only the positions of invalid inputs differ", function()
    local good1, good2, bad = input(1), input(2), { from = "1", to = "#N/A", types = 279 }
    local orders = { { good1, bad, good2 }, { bad, good1, good2 }, { good1, good2, bad }, { good1, good2 } }
    for i, list in ipairs(orders) do
      for k, other in ipairs(orders) do
        local store = simulation.memory()
        local world = runs.run { source = list, store = store }.world
        local seen = runs.run { source = other, store = store, world = world }
        local is_longer = i == 4 and k == 3
        local expected = (i == k or is_longer) and "none" or "journal"
        assert.equal(expected, seen.err and seen.err.kind or "none", i .. " " .. k)
        if i == k and i < 4 then
          local index = i == 1 and 2 or i == 2 and 1 or 3
          assert.equal(index, seen.failures[index].error.index)
          assert.equal("to", seen.failures[index].error.field)
        end
      end
    end
  end)
end)

describe("a journal of an older version of this module", function()
  -- Written by the version before positions were recorded: inputs 1 to 30, of which 4 is none, and 22 does
  -- not exist.
  local OLD = [=[
{"format":"hubspot-associations journal","version":1,"from":"contacts","to":"companies"}
{"first":1,"inputs":10,"created":9,"failures":[{"index":4,"outcome":"failed","error":{"message":"expected a table { from, to, types }, found false","kind":"invalid_input","field":"input"}}],"digest":"e1b7d5bc3fdf8a4c"}
{"first":11,"inputs":10,"created":10,"digest":"3b95c8e3a6540202"}
{"first":21,"inputs":10,"created":9,"failures":[{"index":22,"outcome":"failed","error":{"category":"OBJECT_NOT_FOUND","message":"No such record: 0-1 404","kind":"http","context":{"fromObjectId":["404"]},"status":"error"}}],"digest":"4b90360c31881ab1"}
]=]

  local function old_run(change)
    local store, list = simulation.memory(), inputs(40)
    store.text = OLD
    list[4], list[22] = false, { from = "404", to = "7", types = 279 }
    if change then change(list) end
    return runs.run { source = list, store = store }, store
  end

  it("is resumed", function()
    local seen = old_run()
    assert.is_nil(seen.err)
    assert.same({ 38, 2, 0, 0 }, counts(seen))
    assert.equal(30, seen.report.resumed)
    assert.equal(4, seen.failures[4].error.index)
    assert.same({ 10 }, seen.sizes)
  end)

  it("is rejected where an input that it has as created is invalid", function()
    local seen, store = old_run(function(list) list[4], list[5] = list[5], list[4] end)
    assert.equal("other_job", seen.err.reason)
    assert.equal(OLD, store.text)
  end)
end)
