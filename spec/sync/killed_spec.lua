-- Kills the process of a sync at one moment after another, and goes on from the journal: the account ends as
-- the list says, and each row and each removal has its outcome.

local clients = require "support.clients"
local process = require "support.process"
local sandbox = require "support.sandbox"

-- Runs a sync of 120 contacts, and hangs at an event of the client, to be killed there.
local SCRIPT = [[
local associations = require "hubspot.associations"
local events, last = 0, %d
local client = assert(associations.new {
  token = "t", base_url = %q, batch_size = 20, concurrency = 2,
  on_event = function()
    events = events + 1
    if events ~= last then return end
    print "killed here"
    io.stdout:flush()
    while true do end
  end,
})
local rows = {}
for i = 1, 120 do rows[i] = { from = i, to = i %% 3 == 0 and 700 or 800, types = { 279, "Boss" } } end
rows[121] = { from = 120, to = "x", types = 279 }
local report, err = client:sync_all("contacts", "companies", rows, { mode = "mirror", journal = %q })
local sum = report and report.kept + report.created + report.removed + report.failed + report.not_sent
print(("done %%s %%s %%s %%s %%s %%d"):format(
  report and report.inputs + report.removals, sum, report and report.failed, report and report.not_sent,
  tostring(err), events))
]]

describe("a sync whose process is killed", function()
  local server, path

  before_each(function()
    server = sandbox.start { labels = { ["5"] = "Boss", ["7"] = "Friend" } }
    path = process.make_folder() .. "/journal"
  end)
  after_each(function()
    clients.close()
    server:close()
  end)

  -- Three kinds of contacts: with the link that is wanted, with a label on it, and with another link.
  local function fill()
    server:reset()
    local inputs = {}
    for i = 1, 120 do
      local types = i % 3 == 1 and { associationCategory = "USER_DEFINED", associationTypeId = 7 } or 279
      inputs[i] = { from = i, to = i % 3 == 2 and 900 or 800, types = types }
    end
    assert.equal(120, assert(clients.open(server:url()):create_all("contacts", "companies", inputs)).created)
  end

  local function start(event)
    return process.start { process.interpreter(), "-e", SCRIPT:format(event, server:url(), path) }
  end

  local function finish()
    local runner = start(0)
    local line = runner.line
    runner:close()
    return line
  end

  local function links()
    local list = {}
    for index, one in ipairs(server:associations()) do
      list[index] = ("%s>%s %s"):format(one.fromObjectId, one.toObjectId, one.associationTypeId)
    end
    table.sort(list)
    return list
  end

  it("goes on, wherever that was", function()
    fill()
    local line = finish()
    local sum, events = line:match "^done 200 (200) 1 0 nil (%d+)$"
    assert.is_string(sum, line)
    local expected = links()
    assert.is_true(#expected > 240)
    for event = 1, tonumber(events), 5 do
      fill()
      path = process.make_folder() .. "/journal"
      local runner = start(event)
      assert.equal("killed here", runner.line)
      runner:kill "KILL"
      runner:close()
      line = finish()
      assert.is_truthy(line:find "^done 200 200 1 0 nil", ("killed at event %d: %s"):format(event, line))
      assert.same(expected, links(), ("killed at event %d"):format(event))
    end
  end)
end)
