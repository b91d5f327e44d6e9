-- Checks core.pairs: which inputs have the same pair of ids, and which batches have to wait. Does no I/O.

local bodies = require "support.bodies"
local core = require "hubspot.associations.core"
local random = require "support.random"

local input = bodies.input

local function body_of(...) return bodies.of(bodies.ANY_ID, ...) end

local A, B, C = input("1", "2"), input("3", 4, { 1, 279 }), input({ id = "5" }, "6")

describe("the pairs of a job", function()
  local function enter(body)
    local pairs_of_job = core.pairs()
    return pairs_of_job:enter(body, 1), pairs_of_job
  end

  it("tell whether inputs of a body have the same one", function()
    assert.is_false((enter(core.body())))
    assert.is_false((enter(body_of(A, B, C))))
    assert.is_true((enter(body_of(input("1", "2", 1), input("1", "2", 2)))))
    assert.is_true((enter(body_of(input("1", "2", 1), B, C, input(1, 2, 1)))))
  end)

  it("are not those that share one id, are crossed, or run together", function()
    assert.is_false((enter(body_of(input("1", "2", 1), input("1", "3", 2), input("2", "2", 3),
      input("2", "1", 4), input("12", "3", 5), input("1", "23", 6)))))
  end)

  it("tell the first input of each, and count each once", function()
    local body = body_of(A, B, A, C, B, A)
    local _, pairs_of_job = enter(body)
    local firsts = {}
    for place = 1, 6 do firsts[place] = body:first(place) end
    assert.same({ 1, 2, 1, 4, 2, 1 }, firsts)
    assert.equal(3, pairs_of_job:count())
  end)

  it("hold back a later batch until the one that has them leaves", function()
    local pairs_of_job, first, second, third = core.pairs(), body_of(A, B), body_of(C, B, A, B), body_of(B)
    assert.same({ false }, { pairs_of_job:enter(first, 1) })
    local repeats, held = pairs_of_job:enter(second, 2)
    assert.is_true(repeats)
    assert.same({ [2] = 1, [3] = 1, [4] = 1 }, held)
    assert.same({ [1] = 2 }, select(2, pairs_of_job:enter(third, 3)))
    pairs_of_job:leave(first, 1)
    assert.equal(3, pairs_of_job:count())
    pairs_of_job:leave(third, 3)
    assert.is_nil(select(2, pairs_of_job:enter(body_of(B), 4)))
    pairs_of_job:leave(second, 2)
    assert.equal(1, pairs_of_job:count())
  end)

  it("are found whatever the ids and however batches come and go, and only where they are", function()
    random.check(200, function(luck)
      local pairs_of_job, holder, open = core.pairs(), {}, {}
      for number = 1, 20 do
        local body, firsts, expected, keys = core.body(), {}, {}, {}
        for place = 1, luck:integer(1, 30) do
          local from, to = luck:integer(1, 12), luck:integer(1, 6)
          local key = from .. ">" .. to
          assert(body:add(input(from, to)))
          keys[place] = key
          if not firsts[key] then
            firsts[key] = place
            expected[place] = holder[key]
            holder[key] = number
          else
            expected[place] = expected[firsts[key]]
          end
        end
        local _, held = pairs_of_job:enter(body, number)
        assert.same(expected, held or {})
        for place, key in ipairs(keys) do assert.equal(firsts[key], body:first(place)) end
        open[#open + 1] = { body = body, number = number }
        if #open > 0 and luck:one_in(2) then
          local gone = table.remove(open, luck:integer(1, #open))
          pairs_of_job:leave(gone.body, gone.number)
          for key, other in pairs(holder) do
            if other == gone.number then holder[key] = nil end
          end
        end
      end
      local count = 0
      for _ in pairs(holder) do count = count + 1 end
      assert.equal(count, pairs_of_job:count())
    end)
  end)
end)
