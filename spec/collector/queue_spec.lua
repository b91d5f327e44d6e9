-- Checks which links a queue lets go, by a model that is slow and simple.

local line = require "hubspot.associations.collector.line"
local queue = require "hubspot.associations.collector.queue"
local random = require "support.random"

describe("a line", function()
  it("has its entries in order, and lets any of them drop out", function()
    local entries, list = line.new(), {}
    for number = 1, 100 do
      list[number] = { number = number }
      entries:push(list[number])
    end
    for number = 1, 100 do
      if number % 10 ~= 0 then line.remove(list[number]) end
    end
    for number = 10, 100, 10 do
      assert.equal(number, entries:head().number)
      line.remove(list[number])
    end
    assert.is_nil(entries:head())
    entries:push(list[1])
    assert.equal(list[1], entries:head())
  end)
end)

describe("a queue", function()
  local links

  before_each(function() links = queue.new() end)

  local function add(pair)
    return links:add({}, pair, 0)
  end

  it("holds back the later links of a pair in flight, and only those", function()
    local first = add "a"
    assert.equal(first, links:take(10)[1])
    add "a"
    local other = add "b"
    assert.equal(1, links.waiting)
    assert.equal(other, links:take(10)[1])
    links:settle(first)
    links:release { first }
    assert.equal(1, links.waiting)
    assert.equal("a", links:take(10)[1].pair.key)
  end)

  it("lets links of one pair go together", function()
    for _ = 1, 3 do add "a" end
    assert.equal(3, #links:take(10))
  end)

  it("passes over a link whose time was over", function()
    local late, other = add "a", add "b"
    links:settle(late, { kind = "timeout" })
    assert.equal(1, links.waiting)
    assert.equal(1, links.pending)
    assert.equal(other, links:take(10)[1])
  end)

  -- One run of random events. Links of a pair leave in their order, and never while the pair is in flight.
  local function run(seed)
    local luck, groups, left, given = random.new(seed), {}, {}, {}
    local open = {}
    local function over(link)
      links:settle(link)
      for index, other in ipairs(open) do
        if other == link then table.remove(open, index) end
      end
    end
    for _ = 1, 300 do
      local what = luck:integer(1, 10)
      if what <= 5 then
        local link = add("pair " .. luck:integer(1, 8))
        open[#open + 1], given[#given + 1] = link, link
      elseif what <= 7 then
        local group = { links = links:take(luck:integer(1, 6)) }
        for _, link in ipairs(group.links) do
          assert.is_true((left[link.pair.key] or 0) < link.number)
          left[link.pair.key] = link.number
          for _, other in ipairs(groups) do
            for _, flying in ipairs(other.links) do
              assert.are_not.equal(flying.pair.key, link.pair.key)
            end
          end
        end
        if #group.links > 0 then groups[#groups + 1] = group end
      elseif what <= 9 and #groups > 0 then
        local group = table.remove(groups, luck:integer(1, #groups))
        links:release(group.links)
        for _, link in ipairs(group.links) do
          if not link.is_over then over(link) end
        end
      elseif #open > 0 then
        over(open[luck:integer(1, #open)])
      end
      assert.equal(#open, links.pending)
    end
    for _, group in ipairs(groups) do
      links:release(group.links)
      for _, link in ipairs(group.links) do
        if not link.is_over then over(link) end
      end
    end
    assert.equal(links.pending, links.waiting)
    for _, link in ipairs(links:take(1000)) do over(link) end
    assert.equal(0, links.pending)
  end

  it("goes on behind a link whose end was not complete, because something raised", function()
    for _, is_taken in ipairs { true, false } do
      links = queue.new()
      links:add({}, "1", 10)
      local first, second = links:first(), links:add({}, "2", 20)
      if is_taken then links:take(1) end
      local remove = line.remove
      line.remove = function() error "a hook of the host" end
      assert.has_error(function() links:settle(first) end)
      line.remove = remove
      assert.equal(second, links:first())
      links:settle(second)
      assert.is_nil(links:first())
    end
  end)

  it("keeps the order of each pair, whatever happens", function()
    for seed = 1, 200 do
      links = queue.new()
      local passed, raised = pcall(run, seed)
      if not passed then error(("seed %d: %s"):format(seed, tostring(raised)), 0) end
    end
  end)
end)
