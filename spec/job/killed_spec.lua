-- Kills the process of a job in its midst, for each endpoint, and resumes from the journal: every input has
-- its outcome, and the account holds what it should.

local clients = require "support.clients"
local process = require "support.process"
local sandbox = require "support.sandbox"

local COUNT = 400

-- How an endpoint's inputs are made, as Lua source, how many associations there are in the end, and options.
local INPUTS = {
  create = { "{ from = i, to = 7, types = 279 }", COUNT },
  ["create by emails"] = {
    "{ from = 'ada' .. i .. '@example.com', to = 'c7.example', types = 279 }", COUNT,
    "from_property = 'email', to_property = 'domain',",
  },
  create_default = { "{ from = i, to = 7 }", COUNT },
  archive = { "{ from = i, to = 7 }", 0 },
  archive_labels = { "{ from = i, to = 7, types = 279 }", 0 },
  read = { "i", COUNT },
}

-- Runs a job, prints a line with each batch, and waits to be killed after so many.
local SCRIPT = [[
local associations = require "hubspot.associations"
local client = assert(associations.new { token = "t", base_url = %q, batch_size = 20, concurrency = 2 })
local i, batches = 0, 0
local job = assert(client:start(%q, "contacts", "companies", function()
  i = i + 1
  if i <= %d then return %s end
end, {
  %s
  journal = %q,
  on_record = %s,
  on_batch = function(batch)
    print(batch.last)
    io.stdout:flush()
    batches = batches + 1
    while batches == %d do end
  end,
}))
while not job:step() do require("hubspot.associations.core").poll(job:fd(), 0.05) end
local report, err = job:result()
print(("done %%d %%d %%s"):format(report.%s, report.resumed, tostring(err)))
]]

describe("a job whose process is killed", function()
  local server, path

  before_each(function()
    server = sandbox.start {}
    path = os.tmpname()
    os.remove(path)
  end)
  after_each(function()
    clients.close()
    server:close()
    os.remove(path)
  end)

  for name, given in pairs(INPUTS) do
    it("goes on where it was: " .. name, function()
      local endpoint = name:match "^[a-z_]+"
      if endpoint:find "^archive" or endpoint == "read" then
        local inputs = {}
        for i = 1, COUNT do inputs[i] = { from = i, to = 7 } end
        assert(clients.open(server:url()):create_default_all("contacts", "companies", inputs))
      end
      local outcome = require("hubspot.associations.api.endpoints")[endpoint].outcome
      local on_record = endpoint == "read" and "function() end" or "nil"
      local function start(batches)
        local script = SCRIPT:format(server:url(), endpoint, COUNT, given[1], given[3] or "", path, on_record,
          batches, outcome)
        return process.start { process.interpreter(), "-e", script }
      end
      local runner = start(3)
      runner:read_line()
      runner:read_line()
      runner:kill "KILL"
      runner:close()
      runner = start(0)
      local line = runner.line
      while not line:find "^done" do line = runner:read_line() end
      runner:close()
      local done, resumed = line:match "^done (%d+) (%d+) nil$"
      assert.equal(COUNT, tonumber(done))
      assert.equal(60, tonumber(resumed))
      assert.equal(given[2], #server:associations())
    end)
  end
end)
