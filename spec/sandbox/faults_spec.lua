-- An account with faults in front of it. Jobs meet each kind of fault in job/over_http_spec.lua.

local faults = require "hubspot.associations.sandbox.faults"
local fixture = require "support.sandbox_account"

local input, batch, send = fixture.input, fixture.batch, fixture.send

local function half() return 0.5 end

-- An account behind the faults of a script, and the account itself.
local function behind(script)
  local account = fixture.new()
  return faults.new(account, { random = half, script = script }), account
end

describe("an account behind faults", function()
  it("has each of the script's faults at the request of that number", function()
    local faulty, account = behind { [1] = "lost_request", [2] = "lost_response", [4] = "truncated" }
    local function create(to)
      return (send(faulty, batch(input("1", to))))
    end
    assert.same({ dropped = true }, create "1")
    assert.equal(0, account:count())
    assert.same({ dropped = true }, create "2")
    assert.equal(1, account:count())
    assert.equal(201, create("3").status)
    local response = create "4"
    assert.equal(math.floor(#response.body / 2), response.cut)
    assert.equal(3, account:count())
  end)

  it("counts no requests to the control paths", function()
    local faulty = behind { "unavailable" }
    local control = { method = "GET", path = "/sandbox/statistics", headers = {}, body = "" }
    assert.equal(200, faulty:handle(control).status)
    assert.equal(503, send(faulty, batch(input("1", "2"))).status)
  end)

  it("has faults by chance, the same ones for the same random numbers", function()
    local numbers = { 0.05, 0.15, 0.35 }
    local faulty = faults.new(fixture.new(), {
      random = function() return table.remove(numbers, 1) end,
      chances = { locked = 0.1, bad_gateway = 0.1 }, -- chosen in alphabetical order
    })
    for _, status in ipairs { 502, 423, 201 } do
      assert.equal(status, send(faulty, batch(input("1", "2"))).status)
    end
  end)

  it("has no faults of unknown kinds", function()
    for _, plan in ipairs { { script = { "gremlins" } }, { chances = { gremlins = 1 } } } do
      assert.error_matches(function() faults.new(fixture.new(), plan) end, "no such fault: gremlins")
    end
  end)

  it("has every fault for a response without a body, too", function()
    for _, kind in ipairs(faults.kinds()) do
      local faulty = behind { kind }
      local response = faulty:handle {
        method = "DELETE", path = "/crm/v4/objects/contacts/1/associations/companies/2",
        headers = { authorization = "Bearer good" }, body = "",
      }
      assert.truthy(response.dropped or response.status, kind)
    end
  end)

  it("keeps ids that are larger than a Lua number can hold", function()
    local faulty = behind { "partial", "anonymous" }
    for _ = 1, 2 do
      local response = send(faulty, batch(input("9223372036854775807", "9007199254740993")))
      local ids = '"fromObjectId":9223372036854775807,"fromObjectTypeId":"0-1","labels":["Primary"],'
        .. '"toObjectId":9007199254740993'
      assert.truthy(response.body:find(ids, 1, true), response.body)
    end
  end)
end)
