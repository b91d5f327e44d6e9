-- A process without free descriptors: each function returns nil and an error, and works again when there are
-- some. Each case runs in a process of its own, which opens as many descriptors as it may.

local process = require "support.process"
local sandbox = require "support.sandbox"

local PRELUDE = [[
local associations = require "hubspot.associations"
local url, folder = arg[1], arg[2]
local INPUTS = { { from = 101, to = 202, types = 279 } }
local function new()
  return associations.new { token = "pat-na1-0123456789", base_url = url, max_attempts = 1, timeout = 5 }
end
local taken = {}
local function exhaust(left)
  while true do
    local file = io.open "/dev/null"
    if not file then break end
    taken[#taken + 1] = file
  end
  for _ = 1, left or 0 do table.remove(taken):close() end
end
local function relieve()
  for _, file in ipairs(taken) do file:close() end
  taken = {}
end
local function tell(...)
  local first, second = ...
  print(type(first), type(second) == "table" and second.kind or type(second))
end
]]

describe("without a descriptor left,", function()
  local server, folder

  setup(function() server = sandbox.start() end)
  teardown(function() server:close() end)
  before_each(function() folder = process.make_folder() end)
  after_each(function() process.remove_folder(folder) end)

  local function run(script)
    process.write_file(folder .. "/script.lua", PRELUDE .. script)
    local limited = 'ulimit -n 40; exec timeout 60 "$@"'
    local result = process.run({
      "sh", "-c", limited, "sh", process.interpreter(), folder .. "/script.lua", server:url(), folder,
    }, {
      env = { LUA_PATH = package.path, LUA_CPATH = package.cpath, LUA_INIT = false },
    })
    assert.equal("", result.stderr)
    assert.equal(0, result.code)
    return result.stdout
  end

  it("there is no client, but an error, and a client later", function()
    for left = 0, 1 do
      local said = run(([[
        exhaust(%d)
        tell(new())
        relieve()
        print(new():create("contacts", "companies", INPUTS).status)
      ]]):format(left))
      assert.equal("nil\tnetwork\nCOMPLETE\n", said)
    end
  end)

  it("a call fails, and passes later", function()
    local said = run [[
      local client = new()
      exhaust()
      tell(client:create("contacts", "companies", INPUTS))
      relieve()
      print(client:create("contacts", "companies", INPUTS).status)
    ]]
    assert.equal("nil\tnetwork\nCOMPLETE\n", said)
  end)

  it("a job stops with an error, and accounts for its inputs", function()
    local said = run [[
      local client = new()
      exhaust()
      local report, err = client:create_all("contacts", "companies", INPUTS)
      print(report.not_sent + report.failed, err and err.kind or report.failures[1].error.kind)
      relieve()
      print(client:create_all("contacts", "companies", INPUTS).created)
    ]]
    assert.equal("1\tnetwork\n1\n", said)
  end)

  it("a journal cannot be opened, which is an error", function()
    for left = 0, 1 do
      local said = run(([[
        local client = new()
        exhaust(%d)
        tell(client:start("contacts", "companies", INPUTS, { journal = folder .. "/journal" }))
        relieve()
        print(client:create_all("contacts", "companies", INPUTS, { journal = folder .. "/journal" }).created)
      ]]):format(left))
      assert.truthy(said == "nil\tjournal\n1\n" or left == 1, said)
      assert.matches("1\n$", said)
    end
  end)
end)

describe("what the module needs of its own", function()
  it("is loaded by require: nothing is looked for later", function()
    local folder = process.make_folder()
    finally(function() process.remove_folder(folder) end)
    local server = sandbox.start()
    finally(function() server:close() end)
    process.write_file(folder .. "/script.lua", PRELUDE .. [[
      package.path, package.cpath = "", ""
      package.preload = {}
      local searchers = package.searchers or package.loaders
      for i = #searchers, 1, -1 do searchers[i] = nil end
      print(new():create("contacts", "companies", INPUTS).status)
      local client = new()
      local report = client:create_all("contacts", "companies", INPUTS, { journal = folder .. "/journal" })
      print(report.created, select(2, client:create("contacts", "companies", { {} })).kind)
      print(select(2, associations.new { token = "" }).kind)
    ]])
    local result = process.run({ process.interpreter(), folder .. "/script.lua", server:url(), folder }, {
      env = { LUA_PATH = package.path, LUA_CPATH = package.cpath, LUA_INIT = false },
    })
    assert.equal("", result.stderr)
    assert.equal("COMPLETE\n1\tinvalid_input\ntoken\n", result.stdout)
  end)
end)
