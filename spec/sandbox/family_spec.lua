-- The whole family of endpoints, by the real client over real HTTP, in every version: what one call changes,
-- the others show.

local clients = require "support.clients"
local sandbox = require "support.sandbox"

local VERSIONS = { "v4", "2025-09", "2026-03", "2026-09" }

local LABEL = { name = "decision_maker", label = "Decision maker", inverseLabel = "Decided by" }

local server

local function open(version)
  return clients.open(server:url(), { version = version, max_attempts = 1 })
end

-- The links that a read shows of a record: to id -> type ids, sorted. Empty when the response says that there
-- are none.
local function read(client, from, id, to)
  local batch = assert(client:read(from, to, { id }))
  local links = {}
  for _, target in ipairs(batch.results[1] and batch.results[1].to or {}) do
    local list = {}
    for _, one in ipairs(target.associationTypes) do list[#list + 1] = one.typeId end
    table.sort(list)
    links[tostring(target.toObjectId)] = list
  end
  if not next(links) then
    assert(batch.errors[1].subCategory == "crm.associations.NO_ASSOCIATIONS_FOUND")
  end
  return links
end

-- All pages of a list: the ids.
local function list(client, from, id, to, limit)
  local ids, after = {}, nil
  repeat
    local page = assert(client:list(from, id, to, { limit = limit, after = after }))
    for _, link in ipairs(page.results) do ids[#ids + 1] = tostring(link.toObjectId) end
    after = page.paging and page.paging.next.after
  until not after
  return ids
end

describe("the sandbox serves the family:", function()
  before_each(function() server = sandbox.start { page_size = 2 } end)
  after_each(function()
    clients.close()
    server:close()
  end)

  for _, version in ipairs(VERSIONS) do
    it("link, read, list, archive, read in " .. version, function()
      local client = open(version)
      assert(client:create("contacts", "companies", { { from = 1, to = 2, types = 1 } }))
      local pairs_of_1 = { { from = 1, to = 3 }, { from = 1, to = 4 } }
      assert(client:create_default("contacts", "companies", pairs_of_1))
      assert(client:put("contacts", 1, "companies", 5,
        { { associationCategory = "USER_DEFINED", associationTypeId = 7 } }))
      assert(client:put_default("contacts", 9, "companies", 2))
      assert.same({ ["2"] = { 1, 279 }, ["3"] = { 279 } }, read(client, "contacts", 1, "companies"))
      assert.same({ ["1"] = { 2, 280 }, ["9"] = { 280 } }, read(client, "companies", 2, "contacts"))
      assert.same({ "2", "3", "4", "5" }, list(client, "contacts", 1, "companies"))
      assert.same({ "2", "3", "4", "5" }, list(client, "contacts", 1, "companies", 1))

      local first = { { from = 1, to = 2, types = 1 } }
      local _, meta = assert(client:archive_labels("contacts", "companies", first))
      assert.equal(version == "v4" and 204 or 200, meta.status)
      assert.same({ ["1"] = { 280 }, ["9"] = { 280 } }, read(client, "companies", 2, "contacts"))
      local back = { { from = 2, to = 1 }, { from = 3, to = 1 } }
      _, meta = assert(client:archive("companies", "contacts", back))
      assert.equal(version == "v4" and 204 or 200, meta.status)
      assert(client:delete("contacts", 1, "companies", 4))
      assert.same({ ["5"] = { 7, 279 } }, read(client, "contacts", 1, "companies"))
      assert(client:archive_labels("contacts", "companies", { { from = 1, to = 5, types = 279 } }))
      assert.same({}, read(client, "contacts", 1, "companies"))
      assert.same({}, list(client, "contacts", 1, "companies"))
      assert.equal(1, #server:associations())
    end)

    it("create, use, rename and delete a label in " .. version, function()
      local client = open(version)
      local created = assert(client:create_label("contacts", "companies", LABEL)).results
      assert.equal(2, #created)
      local there, back = created[1].typeId, created[2].typeId
      assert(client:create("contacts", "companies", { { from = 1, to = 2,
        types = { { associationCategory = "USER_DEFINED", associationTypeId = there } } } }))
      assert.same({ ["1"] = { back, 280 } }, read(client, "companies", 2, "contacts"))
      assert(client:update_label("contacts", "companies", { associationTypeId = there, label = "Decides" }))
      local function labels(from, to)
        local found = {}
        for _, one in ipairs(assert(client:labels(from, to)).results) do
          if one.category == "USER_DEFINED" then found[one.typeId] = one.label end
        end
        return found
      end
      assert.equal("Decides", labels("contacts", "companies")[there])
      assert.equal("Decided by", labels("companies", "contacts")[back])
      assert(client:delete_label("contacts", "companies", there))
      assert.is_nil(labels("contacts", "companies")[there])
      assert.is_nil(labels("companies", "contacts")[back])
      assert.same({ ["2"] = { 279 } }, read(client, "contacts", 1, "companies"))
    end)

    it("create, change, approach and remove a limit in " .. version, function()
      local client = open(version)
      local function limit(most)
        return { { category = "HUBSPOT_DEFINED", typeId = 279, maxToObjectIds = most } }
      end
      assert.equal(5, assert(client:create_limits("contacts", "companies", limit(5)))
        .results[1].userEnforcedMaxToObjectIds)
      assert(client:update_limits("contacts", "companies", limit(3)))
      assert.same({ 3 }, { client:limits().results[1].userEnforcedMaxToObjectIds })
      assert.equal(1, #client:limits_between("contacts", "companies").results)
      assert.equal(0, #client:limits_between("companies", "contacts").results)
      assert.equal(0, #client:records_near_limit().results)
      for to = 2, 4 do assert(client:put_default("contacts", 1, "companies", to)) end
      assert.is_true(client:records_near_limit().results[1].hasRecordsAtLimit)
      assert.equal("0-2", client:records_near_limit_to("contacts").results[1].objectTypeId)
      assert(client:delete_limits("contacts", "companies",
        { { category = "HUBSPOT_DEFINED", typeId = 279 } }))
      assert.equal(0, #client:limits().results)
      assert(client:create_label("contacts", "companies", LABEL))
      assert.same({ "Decision maker" }, client:labels_near_limit().results[1].allLabels)
      assert.equal(9, client:usage_report(9).userId)
    end)

    it("say which account and app a token is of in " .. version, function()
      server:configure { hub_id = 4711, forbidden = { "crm.objects.deals.write" } }
      local client = open(version)
      assert.equal(4711, assert(client:account()).portalId)
      local info = assert(client:token_info())
      assert.same({ 4711, 654, 987 }, { info.hubId, info.appId, info.userId })
      local scopes = table.concat(info.scopes, " ")
      assert.truthy(scopes:find("crm.objects.contacts.write", 1, true))
      assert.is_nil(scopes:find("crm.objects.deals.write", 1, true))
    end)
  end
end)
