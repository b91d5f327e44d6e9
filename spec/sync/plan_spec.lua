-- How many links a sync may remove without being told so.

local clients = require "support.clients"
local sandbox = require "support.sandbox"

local UNLABELED = 279

describe("a sync that is given no max_removals", function()
  local server, client, there

  before_each(function()
    server = sandbox.start()
    client, there = clients.open(server:url()), {}
  end)

  after_each(function()
    clients.close()
    server:close()
  end)

  local function link(count)
    for index = 1, count do there[index] = { from = index % 2 + 1, to = 1000 + index, types = UNLABELED } end
    assert.equal(count, assert(client:create_all("contacts", "companies", there)).created)
  end

  -- Whether the first links may be all that the list does not have.
  local function may_lack(count)
    local list = {}
    for index = count + 1, #there do list[#list + 1] = there[index] end
    local _, err = client:sync_all("contacts", "companies", list, {
      mode = "mirror", on_plan = function() return false end,
    })
    assert.truthy(err.kind == "canceled" or err.kind == "too_many_removals", tostring(err))
    return err.kind == "canceled"
  end

  it("removes 100 links of a few", function()
    link(200)
    assert.same({ true, false }, { may_lack(100), may_lack(101) })
  end)

  it("removes one of ten that are compared, of many", function()
    link(1109)
    assert.same({ true, false }, { may_lack(110), may_lack(111) })
  end)
end)
