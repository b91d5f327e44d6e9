-- Checks body_list.c: a part of a list that is added to a body, and the count of a list. What add_list does
-- is in body_write_spec.lua. Does no I/O.

local core = require "hubspot.associations.core"
local bodies = require "support.bodies"
local random = require "support.random"

local input = bodies.input

describe("a run of a list", function()
  it("is added as each of its inputs by itself, up to the first that is invalid", function()
    random.check(200, function(luck)
      local list = {}
      for place = 1, luck:integer(1, 30) do
        list[place] = luck:pick { input(place, 1), input(place, 2), input(place, 3), input(0, 1), false }
      end
      local first = luck:integer(1, #list)
      local count = luck:integer(0, #list - first + 1)
      local one, other, added, refusal, err = core.body(), core.body(), 0, true, nil
      while added < count and refusal do
        refusal, err = one:add(list[first + added])
        if refusal then added = added + 1 end
      end
      local expected = added == count and { count } or { added, nil, err }
      assert.same(expected, { other:add_run(list, first, count) })
      assert.equal(one:json(), other:json())
      assert.is_false(other:is_adding())
    end)
  end)

  it("is read without the list's metatable; a missing input is invalid", function()
    local list = setmetatable({ input(1, 2) }, { __index = function() error "called" end })
    local added, nothing, err = core.body():add_run(list, 1, 2)
    assert.same({ 1, nil }, { added, nothing })
    assert.equal("expected a table { from, to, types }, found nothing", err.message)
  end)

  it("that an input interrupts keeps what was added before, and tells that an input did it", function()
    local body, trap = core.body(), setmetatable({}, { __index = function() error("trap", 0) end })
    local _, raised = pcall(body.add_run, body, { input(1, 2), input(3, 4), trap, input(5, 6) }, 1, 4)
    assert.equal("trap", raised)
    assert.equal(2, body:count())
    assert.is_true(body:is_adding())
    assert.equal(1, body:add_run({ input(7, 8) }, 1, 1))
    assert.is_false(body:is_adding())
    assert.equal(3, body:count())
  end)

  it("must be of a table, and begin within it; a full body takes none", function()
    local body = core.body()
    for _, given in ipairs { { "list", 1, 1 }, { {}, 0, 1 }, { {}, 2 ^ 31, 1 }, { {}, 1, 1e6 } } do
      assert.is_false((pcall(body.add_run, body, given[1], given[2], given[3])))
    end
    assert.equal(0, body:add_run({}, 1, -1))
    assert(body:add(input(1, 2)))
    body:set_full()
    assert.is_false((pcall(body.add_run, body, { input(1, 2) }, 1, 1)))
    assert.is_false((pcall(body.add_run, io.stdout, { input(1, 2) }, 1, 1)))
    assert.is_false((pcall(body.add, {}, input(1, 2))))
  end)

  it("is not added to a body that is freed", function()
    local body = core.body()
    body:free()
    assert.is_false((pcall(body.add_run, body, { input(1, 2) }, 1, 1)))
  end)
end)

describe("the keys of a table", function()
  local function count(list, most)
    local last = 0
    for calls = 1, 100 do
      local now, is_end = core.count_keys(list, last, most)
      if is_end or now == last then return now, is_end, calls end
      last = now
    end
  end

  it("are counted in portions, as long as they are in order", function()
    local list = {}
    for place = 1, 25 do list[place] = place end
    assert.same({ 25, true, 3 }, { count(list, 10) })
    assert.same({ 25, true, 6 }, { count(list, 5) })
    assert.same({ 0, true, 1 }, { count({}, 5) })
    list[12] = nil
    assert.same({ 11, false, 3 }, { count(list, 10) })
    list[12], list.n = 12, 25
    assert.same({ 25, false, 4 }, { count(list, 10) })
    assert.same({ 0, false, 1 }, { count({ [2] = true }, 10) })
    assert.same({ 0, false, 1 }, { count({ x = true }, 10) })
    assert.same({ 0, false, 1 }, { count({ [1.5] = true }, 10) })
  end)

  it("must be of a table", function()
    assert.is_false((pcall(core.count_keys, "list", 0, 1)))
    assert.is_false((pcall(core.count_keys, {})))
  end)
end)
