-- Checks which links a queue lets go, by a model that is slow and simple.

local line = require "hubspot.associations.collector.line"
local queue = require "hubspot.associations.collector.queue"
local raising_hook = require "support.raising_hook"
local random = require "support.random"

local function is_collector(source) return source:find "/collector/%a+%.lua$" end

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

  local function take(most)
    links:take(most, function(taken) return { links = taken } end)
    return links.groups[#links.groups].links
  end

  it("holds back the later links of a pair in flight, and only those", function()
    local first = add "a"
    assert.equal(first, take(10)[1])
    add "a"
    local other = add "b"
    assert.equal(1, links.waiting)
    assert.equal(other, take(10)[1])
    links:settle(first)
    links:release(1)
    assert.equal(1, links.waiting)
    assert.equal("a", take(10)[1].pair.key)
  end)

  it("lets links of one pair go together", function()
    for _ = 1, 3 do add "a" end
    assert.equal(3, #take(10))
  end)

  it("passes over a link whose time was over", function()
    local late, other = add "a", add "b"
    assert.equal(late, links:next())
    links:settle(late, { kind = "timeout" })
    assert.equal(1, links.waiting)
    assert.equal(1, links.pending)
    assert.equal(other, links:next())
    assert.equal(other, take(10)[1])
    assert.is_nil(links:next())
  end)

  -- What a queue has said so far, held against what it was given.
  local function run_of(luck)
    return { luck = luck, left = {}, open = {}, added = 0 }
  end

  -- Calls a method of the queue. Does it raise, its caller does it again, as a step of a collector does.
  local function call(run, method, ...)
    if not run.raises then return links[method](links, ...) end
    local has_raised, called, result =
      raising_hook.call(run.luck:integer(1, 150), is_collector, links[method], links, ...)
    if not called and not has_raised then error(result, 0) end
    run.raised = (run.raised or 0) + (called and 0 or 1)
    return called and result or nil, not called
  end

  local function forget(run, link)
    for index, other in ipairs(run.open) do
      if other == link then table.remove(run.open, index) break end
    end
  end

  local function settle(run, link)
    local _, has_raised = call(run, "settle", link)
    if has_raised and not link.is_over then links:settle(link) end
    forget(run, link)
  end

  -- A link whose `add` raised may be there all the same.
  local function note_added(run)
    for number = run.added + 1, links.count do
      if links.links[number] then table.insert(run.open, links.links[number]) end
    end
    run.added = links.count
  end

  -- Links of a pair leave in their order, and never while the pair is in flight.
  local function check_group(run, group)
    for _, link in ipairs(group.links) do
      local key = link.pair.key
      assert.is_true((run.left[key] or 0) < link.number)
      run.left[key] = link.number
      for _, other in ipairs(links.groups) do
        for _, flying in ipairs(other ~= group and other.links or {}) do
          assert.are_not.equal(flying.pair.key, key)
        end
      end
    end
  end

  local function release(run, number)
    local group = links.groups[number]
    for _, link in ipairs(group.links) do
      if not link.is_over then settle(run, link) end
    end
    local _, has_raised = call(run, "release", number)
    if has_raised and links.groups[number] == group then links:release(number) end
  end

  local function event(run)
    local luck, what, count = run.luck, run.luck:integer(1, 10), #links.groups
    if what <= 5 then
      call(run, "add", {}, "pair " .. luck:integer(1, 8), 0)
      note_added(run)
    elseif what <= 7 then
      call(run, "take", luck:integer(1, 6), function(taken) return { links = taken } end)
      if #links.groups > count then check_group(run, links.groups[#links.groups]) end
    elseif what <= 9 and count > 0 then
      release(run, luck:integer(1, count))
    elseif #run.open > 0 then
      settle(run, run.open[luck:integer(1, #run.open)])
    end
    links:mend()
    assert.equal(#run.open, links.pending)
    assert.equal(run.open[1], links:first())
  end

  -- One run of random events. At its end, each link can still be sent.
  local function check(run)
    for _ = 1, 300 do event(run) end
    run.raises = false
    while #links.groups > 0 do release(run, 1) end
    assert.equal(links.pending, links.waiting)
    if links.waiting > 0 then
      take(1000)
      check_group(run, links.groups[1])
      release(run, 1)
    end
    assert.equal(0, links.pending)
    assert.same({}, links.pairs)
  end

  for _, raises in ipairs { false, true } do
    local what = raises and ", also where a debug hook raises anywhere" or ""
    it("counts its links, and keeps the order of each pair, whatever happens" .. what, function()
      finally(raising_hook.without_jit())
      local raised = 0
      for seed = 1, raises and 40 or 200 do
        links = queue.new()
        local run = run_of(random.new(seed))
        run.raises = raises
        local passed, problem = pcall(check, run)
        if not passed then error(("seed %d: %s"):format(seed, tostring(problem)), 0) end
        raised = raised + (run.raised or 0)
      end
      assert.equal(raises, raised > 200)
    end)
  end
end)
