-- Checks types that are given by name to the client's calls, over real HTTP against the sandbox: which type
-- is written, and when the account's labels are asked for.

local clients = require "support.clients"
local sandbox = require "support.sandbox"

local LABELS = {
  ["7"] = {
    label = "Decision maker", from = "contacts", to = "companies", inverse = 8, inverse_label = "Decides",
  },
  ["9"] = { label = "Twice", from = "contacts", to = "companies" },
  ["10"] = { label = "Twice", from = "contacts", to = "companies" },
}

describe("types by name", function()
  local server, requests

  -- A client whose requests are listed: "GET …/labels".
  local function open(options)
    requests = {}
    return clients.open(server:url(), {
      on_event = function(event)
        if event.type ~= "request" then return end
        requests[#requests + 1] = event.method .. " " .. event.url:match "([^/]+/[^/]+/[^/]+)$"
      end,
    }, options)
  end

  before_each(function() server = sandbox.start { labels = LABELS } end)
  after_each(function()
    clients.close()
    server:close()
  end)

  -- The types of a pair that the account holds, in the direction of the write.
  local function held(to)
    local list = {}
    for _, one in ipairs(server:associations()) do
      if one.fromObjectTypeId == "0-1" and tostring(one.toObjectId) == tostring(to) then
        list[#list + 1] = one.associationCategory .. (" %d"):format(one.associationTypeId)
      end
    end
    table.sort(list)
    return list
  end

  it("of HubSpot's own are sent without a question", function()
    local client = open()
    assert(client:create("contacts", "companies", {
      { from = 1, to = 2, types = "primary" }, { from = 1, to = 3, types = "unlabeled" },
      { from = 1, to = 4, types = { "contact_to_company", 1 } },
    }))
    assert.same({ "POST companies/batch/create" }, requests)
    assert.same({ "HUBSPOT_DEFINED 279" }, held(3))
  end)

  it("of the account are asked for once, in any spelling of the object types", function()
    local client = open()
    assert(client:create("contacts", "companies", { { from = 1, to = 2, types = "Decision maker" } }))
    assert(client:create("0-1", "Company", { { from = 1, to = 3, types = { 279, "Decision maker" } } }))
    assert(client:put("CONTACT", 1, "0-2", 4, "Decision maker"))
    assert.same({
      "GET contacts/companies/labels", "POST companies/batch/create", "POST Company/batch/create",
      "PUT associations/0-2/4",
    }, requests)
    for _, to in ipairs { 2, 3, 4 } do
      assert.same(to == 3 and { "HUBSPOT_DEFINED 279", "USER_DEFINED 7" } or { "USER_DEFINED 7" }, held(to))
    end
    assert(client:archive_labels("contacts", "companies", { { from = 1, to = 2, types = "Decision maker" } }))
    assert.same({ "HUBSPOT_DEFINED 279" }, held(2))
    assert(client:create("companies", "contacts", { { from = 2, to = 1, types = "Decides" } }))
    assert.equal("GET companies/contacts/labels", requests[#requests - 1])
  end)

  it("that are unknown are asked for again, and then refused with what there is", function()
    local client = open()
    local batch, err = client:create("contacts", "companies", {
      { from = 1, to = 2, types = "primary" }, { from = 1, to = 2, types = { 279, "Boss" } },
    })
    assert.is_nil(batch)
    assert.same({ "invalid_input", "types[2]", 2 }, { err.kind, err.field, err.index })
    assert.equal('no association type from contacts to companies has the name "Boss"; there are "Billing", '
      .. '"Decision maker", "Primary", "Twice", "contact_to_company", "unlabeled"',
      err.message)
    assert.same({ "GET contacts/companies/labels" }, requests)

    assert(client:create("contacts", "companies", { { from = 1, to = 2, types = "Decision maker" } }))
    assert.equal(2, #requests)
    batch, err = client:put("contacts", 1, "companies", 2, "Boss")
    assert.is_nil(batch)
    assert.same({ "invalid_input", "types" }, { err.kind, err.field })
    assert.equal(3, #requests)
    assert.same({}, held(3))
  end)

  it("that came to the account later are found", function()
    local client, other = open(), clients.open(server:url())
    assert(client:create("contacts", "companies", { { from = 1, to = 2, types = "Decision maker" } }))
    assert(other:create_label("contacts", "companies", { name = "boss", label = "Boss" }))
    assert(client:create("contacts", "companies", { { from = 1, to = 3, types = "Boss" } }))
    assert.same({ "USER_DEFINED 11" }, held(3))
    assert.equal(4, #requests)
  end)

  it("are forgotten when the client changes the labels", function()
    local client = open()
    assert(client:create("contacts", "companies", { { from = 1, to = 2, types = "Decision maker" } }))
    assert(client:update_label("contacts", "companies", { associationTypeId = 7, label = "Boss" }))
    local input = { from = 1, to = 2, types = "Decision maker" }
    local batch, err = client:create("contacts", "companies", { input })
    assert.is_nil(batch)
    assert.truthy(err.message:find('"Boss"', 1, true))
    assert(client:create("contacts", "companies", { { from = 1, to = 3, types = "Boss" } }))
    assert.same({ "USER_DEFINED 7" }, held(3))
  end)

  it("that several types have are refused, with these", function()
    local _, err = open():create("contacts", "companies", { { from = 1, to = 2, types = "Twice" } })
    assert.same({ "invalid_input", "types" }, { err.kind, err.field })
    assert.truthy(err.message:find("USER_DEFINED 10, USER_DEFINED 9", 1, true), err.message)
  end)

  it("of a custom object are the account's, the unlabeled one included", function()
    local client = open { check_types = false }
    local result = assert(client:put("2-123", 1, "contacts", 2, "unlabeled"))
    assert.equal("2-123", result.fromObjectTypeId)
    assert.same({ "GET 2-123/contacts/labels", "PUT associations/contacts/2" }, requests)
  end)

  it("need a scope to be asked for, which the error names", function()
    server:configure { forbidden = { "crm.objects.contacts.read" } }
    local client = open()
    assert(client:create("contacts", "companies", { { from = 1, to = 2, types = "primary" } }))
    local _, err = client:create("contacts", "companies", { { from = 1, to = 2, types = "Decision maker" } })
    assert.same({ "forbidden", 403 }, { err.kind, err.status })
    local text = tostring(err)
    assert.truthy(text:find("the labels from contacts to companies", 1, true), text)
    assert.truthy(text:find("crm.objects.contacts.read", 1, true), text)
    assert.same({}, held(3))
  end)

  it("are no types where none are taken", function()
    local _, err = open():archive("contacts", "companies", { { from = 1, to = 2, types = "primary" } })
    assert.same({ "invalid_input", "types" }, { err.kind, err.field })
    assert.same({}, requests)
  end)
end)
