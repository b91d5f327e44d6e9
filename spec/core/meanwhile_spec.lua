-- What core does when its own values are used while it works on them: by a finalizer, which Lua may run
-- wherever memory is asked for.

local core = require "hubspot.associations.core"

local function input(i)
  return { from = i, to = i + 1, types = i }
end

-- Has the collector call `action` when it next finalizes.
local function finalize(action)
  if newproxy then -- luacheck: ignore
    getmetatable(newproxy(true)).__gc = action -- luacheck: ignore
  else
    setmetatable({}, { __gc = action })
  end
end

-- Has `action` called by the collector, once, while `work` runs.
local function with_finalizer(action, work)
  collectgarbage()
  local pause, speed = collectgarbage("setpause", 100), collectgarbage("setstepmul", 1000)
  finalize(action)
  local ok, err = pcall(work)
  collectgarbage("setpause", pause)
  collectgarbage("setstepmul", speed)
  return ok, err
end

describe("a finalizer", function()
  it("may add inputs to a body while it is compared with a response", function()
    local results = {}
    for i = 1, 3000 do results[i] = ('{"fromObjectId":"%d","toObjectId":"%d"}'):format(i, i + 1) end
    local text = '{"status":"COMPLETE","results":[' .. table.concat(results, ",") .. "]}"
    local body, is_added = core.body(), false
    for i = 1, 1000 do assert(body:add(input(i))) end
    local ok, err = with_finalizer(function()
      for i = 1001, 2000 do assert(body:add(input(i))) end
      is_added = true
    end, function()
      while not is_added do body:confirmed_by(text) end -- asks for memory, and nothing else here does
    end)
    assert.is_true(is_added)
    assert.is_false(ok)
    assert.matches("the body was used while it was compared", err)
    assert.is_false(body:confirmed_by('{"status":"COMPLETE","results":[]}'))
  end)
end)
