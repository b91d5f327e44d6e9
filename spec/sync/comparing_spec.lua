-- A record that HubSpot does not say the links of: its rows fail, and nothing of it is removed, whichever
-- record shows the link.

local accounts = require "support.sync_account"
local process = require "support.process"
local random = require "support.random"
local simulation = require "support.simulation"
local virtual_client = require "support.virtual_client"

local COMPANIES, CONTACTS = accounts.DIRECTIONS[1], accounts.DIRECTIONS[3]

describe("a sync of records that cannot be read", function()
  local world, model

  -- An account with links, such as { 1, 4 }, that says nothing of the record 1.
  local function open(direction, links, unreadable)
    world = simulation.world { random = random.new(1), account = {} }
    model = accounts.new(world, direction, {})
    for _, pair in ipairs(links) do model:link(pair[1], pair[2], { [direction.unlabeled] = true }) end
    world.service.account = accounts.hide(world.service.account, unreadable or { ["1"] = true })
  end

  local function mirror(list, given)
    local direction, rows = model.direction, {}
    local unlabeled = tonumber(direction.unlabeled:match "%d+$")
    for index, pair in ipairs(list or {}) do
      rows[index] = { from = pair[1], to = pair[2], types = unlabeled }
    end
    given = given or {}
    given.mode = not given.apply and "mirror" or nil
    return assert(virtual_client.run(world, {}, function(client)
      return client:sync_all(direction.from, direction.to, list and rows or nil, given)
    end))
  end

  -- The links, each from the record with the lower id.
  local function links()
    local list = {}
    for from, targets in pairs(model:state()) do
      for to in pairs(targets) do
        if tonumber(from) < tonumber(to) then list[#list + 1] = from .. ">" .. to end
      end
    end
    table.sort(list)
    return list
  end

  local THERE = { { "1", "4" }, { "4", "6" }, { "2", "9" } }
  local LIST = { { "1", "2" }, { "4", "5" }, { "2", "8" } }

  it("of one object type, removes none of their links from the other side", function()
    open(CONTACTS, THERE, {})
    assert.equal(4, mirror(LIST).removed) -- 1>4 from both sides
    assert.same({ "1>2", "2>8", "4>5" }, links())

    open(CONTACTS, THERE)
    local report = mirror(LIST)
    assert.same({ 1, 2, 1, 1 }, { report.failed, report.created, report.removed, report.protected })
    assert.equal("decode", report.failures[1].error.kind)
    assert.same({ "1>4", "2>8", "2>9", "4>5" }, links()) -- 2>9: the row 1>2 is one of 2 as well
  end)

  it("of one object type, has none of their removals in the plan, and counts none", function()
    open(CONTACTS, THERE)
    local path = process.make_folder() .. "/plan.csv"
    local report = mirror(LIST, { plan = path, max_removals = 1 })
    assert.same({ 2, 1, 1 }, { report.planned.creations, report.planned.removals, report.removals })
    local removals = {}
    for line in io.lines(path) do
      if line:find "^remove" then removals[#removals + 1] = line:match "^remove,(%d+,%d+)" end
    end
    assert.same({ "4,6" }, removals)
    assert.equal(1, mirror(nil, { apply = path }).removed)
    assert.same({ "1>4", "2>8", "2>9", "4>5" }, links())
  end)

  it("of one object type, has what a row without links says protected as well", function()
    open(CONTACTS, { { "1", "4" } })
    local report = virtual_client.run(world, {}, function(client)
      return client:sync_all("contacts", "contacts", {
        { from = "1", to = "", types = 449 }, { from = "4", to = "5", types = 449 },
      }, { mode = "mirror", empty = "none" })
    end)
    assert.same({ 1, 1, 0 }, { report.failed, report.created, report.removals })
    assert.same({ "1>4", "4>5" }, links())
  end)

  it("of two object types, removes nothing of them, and what is to go of others", function()
    open(COMPANIES, { { "1", "14" }, { "2", "14" } })
    local report = mirror { { "1", "15" }, { "2", "15" } }
    assert.same({ 1, 1, 1, 1 }, { report.failed, report.created, report.removed, report.protected })
    assert.same({ "1>14", "2>15" }, links())
  end)
end)
