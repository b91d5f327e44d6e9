-- The response to PUT …/labels, and the labels after it.

local fixture = require "support.sandbox_account"

local new, call = fixture.new, fixture.call

local PATH = "v4/associations/contacts/companies/labels"

-- The texts of the account's labels, in both directions.
local function texts(account)
  local list = {}
  for i, direction in ipairs { "contacts/companies", "companies/contacts" } do
    local _, body = call(account, "GET", ("v4/associations/%s/labels"):format(direction))
    local found = {}
    for _, one in ipairs(body.results) do
      if one.category == "USER_DEFINED" then found[#found + 1] = one.label end
    end
    list[i] = table.concat(found, ",")
  end
  return list
end

describe("updating a label", function()
  local account

  before_each(function()
    account = new()
    call(account, "POST", PATH, { name = "a", label = "A", inverseLabel = "B" }) -- types 1 and 2
    call(account, "POST", PATH, { name = "c", label = "C" }) -- types 3 and 4
  end)

  local function update(fields)
    local status, body = call(account, "PUT", PATH, fields)
    return status, body
  end

  it("changes its text, and that of the other direction when it is given", function()
    assert.same({ 204, "" }, { update { associationTypeId = 1, label = "X" } })
    assert.same({ "X,C", "B,C" }, texts(account))
    update { associationTypeId = 1, label = "Y", inverseLabel = "Z" }
    assert.same({ "Y,C", "Z,C" }, texts(account))
  end)

  it("changes both texts when they were the same", function()
    update { associationTypeId = 3, label = "D" }
    assert.same({ "A,D", "B,D" }, texts(account))
  end)

  it("rejects a type that is no label of the direction", function()
    for _, id in ipairs { 2, 279, 1000, 0, 1.5, -1 } do
      local status, body = update { associationTypeId = id, label = "X" }
      assert.equal(400, status, id)
      assert.truthy(body.context.INVALID_ASSOCIATION_TYPE_ID, id)
    end
    assert.equal(400, (update { label = "X" }))
  end)
end)
