-- Checks every endpoint's request as a server receives it, in every version, with the paths and bodies
-- spelled by hand, so that the table of endpoints does not check itself; and what each response is read as.

local clients = require "support.clients"
local core = require "hubspot.associations.core"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local VERSIONS = { "v4", "2025-09", "2026-03", "2026-09" }

local BATCH = '{"status":"COMPLETE","results":[],"startedAt":"a","completedAt":"b"}'
local PAGE = '{"results":[]}'
local TYPE = { associationCategory = "USER_DEFINED", associationTypeId = 7 }

-- Of each: the method's arguments; the HTTP method, the path in v4 and in a dated version (V), the body; and
-- a response with what it is read as.
local ENDPOINTS = {
  create = {
    { "contacts", "0-2", {
      { from = 1, to = "2", types = 279 }, { from = { id = 3 }, to = 4, types = { TYPE } },
    } },
    "POST", "/crm/v4/associations/contacts/0-2/batch/create", "/crm/associations/V/contacts/0-2/batch/create",
    '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationCategory":"HUBSPOT_DEFINED",'
      .. '"associationTypeId":279}]},{"from":{"id":"3"},"to":{"id":"4"},"types":[{"associationCategory":'
      .. '"USER_DEFINED","associationTypeId":7}]}]}',
    BATCH,
  },
  create_default = {
    { "contacts", "companies", { { from = 1, to = 2 } } },
    "POST", "/crm/v4/associations/contacts/companies/batch/associate/default",
    "/crm/associations/V/contacts/companies/batch/associate/default",
    '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"}}]}', BATCH,
  },
  archive = {
    { "contacts", "companies", { { from = 1, to = 2 }, { from = 3, to = 4 }, { from = 1, to = 5 } } },
    "POST", "/crm/v4/associations/contacts/companies/batch/archive",
    "/crm/associations/V/contacts/companies/batch/archive",
    '{"inputs":[{"from":{"id":"1"},"to":[{"id":"2"},{"id":"5"}]},{"from":{"id":"3"},"to":[{"id":"4"}]}]}', "",
  },
  archive_labels = {
    { "contacts", "companies", { { from = 1, to = 2, types = TYPE } } },
    "POST", "/crm/v4/associations/contacts/companies/batch/labels/archive",
    "/crm/associations/V/contacts/companies/batch/labels/archive",
    '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationCategory":"USER_DEFINED",'
      .. '"associationTypeId":7}]}]}', "",
  },
  read = {
    { "contacts", "companies", { 1, "2", { id = 3, after = "MC0y%3D" } } },
    "POST", "/crm/v4/associations/contacts/companies/batch/read",
    "/crm/associations/V/contacts/companies/batch/read",
    '{"inputs":[{"id":"1"},{"id":"2"},{"id":"3","after":"MC0y%3D"}]}', BATCH,
  },
  list = {
    { "contacts", 101, "companies", { after = "MC0y%3D", limit = 500 } },
    "GET", "/crm/v4/objects/contacts/101/associations/companies?after=MC0y%3D&limit=500",
    "/crm/objects/V/contacts/101/associations/companies?after=MC0y%3D&limit=500", "", PAGE,
  },
  put = {
    { "contacts", "101", "companies", { id = 202 }, { TYPE, { associationCategory = "HUBSPOT_DEFINED",
      associationTypeId = 1 } } },
    "PUT", "/crm/v4/objects/contacts/101/associations/companies/202",
    "/crm/objects/V/contacts/101/associations/companies/202",
    '[{"associationCategory":"USER_DEFINED","associationTypeId":7},'
      .. '{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":1}]',
    '{"fromObjectTypeId":"0-1","fromObjectId":101,"toObjectTypeId":"0-2","toObjectId":202,"labels":["A"]}',
  },
  put_default = {
    { "contacts", 101, "companies", 202 },
    "PUT", "/crm/v4/objects/contacts/101/associations/default/companies/202",
    "/crm/objects/V/contacts/101/associations/default/companies/202", "", BATCH,
  },
  delete = {
    { "contacts", 101, "companies", 202 },
    "DELETE", "/crm/v4/objects/contacts/101/associations/companies/202",
    "/crm/objects/V/contacts/101/associations/companies/202", "", "",
  },
  read_objects = {
    { "contacts", {
      idProperty = "email", properties = { "email" }, inputs = { "a@b.c", { id = 'q"@b.c' }, 12345678901234 },
    } },
    "POST", "/crm/v3/objects/contacts/batch/read", "/crm/objects/V/contacts/batch/read",
    '{"idProperty":"email","inputs":[{"id":"a@b.c"},{"id":"q\\"@b.c"},{"id":"12345678901234"}],'
      .. '"properties":["email"]}', BATCH,
  },
  labels = {
    { "contacts", "companies" },
    "GET", "/crm/v4/associations/contacts/companies/labels",
    "/crm/associations/V/contacts/companies/labels", "",
    '{"results":[{"category":"USER_DEFINED","typeId":7,"label":"A"}]}',
  },
  create_label = {
    { "contacts", "companies", { name = "a", label = "A" } },
    "POST", "/crm/v4/associations/contacts/companies/labels", "/crm/associations/V/contacts/companies/labels",
    '{"label":"A","name":"a"}', PAGE,
  },
  update_label = {
    { "contacts", "companies", { associationTypeId = 7, label = "A", inverseLabel = "B" } },
    "PUT", "/crm/v4/associations/contacts/companies/labels", "/crm/associations/V/contacts/companies/labels",
    '{"associationTypeId":7,"inverseLabel":"B","label":"A"}', "",
  },
  delete_label = {
    { "contacts", "companies", 7 },
    "DELETE", "/crm/v4/associations/contacts/companies/labels/7",
    "/crm/associations/V/contacts/companies/labels/7", "", "",
  },
  limits = {
    {}, "GET", "/crm/v4/associations/definitions/configurations/all",
    "/crm/associations/V/definitions/configurations/all", "", PAGE,
  },
  limits_between = {
    { "contacts", "companies" }, "GET", "/crm/v4/associations/definitions/configurations/contacts/companies",
    "/crm/associations/V/definitions/configurations/contacts/companies", "", PAGE,
  },
  create_limits = {
    { "contacts", "companies", { { category = "HUBSPOT_DEFINED", typeId = 1, maxToObjectIds = 5 } } },
    "POST", "/crm/v4/associations/definitions/configurations/contacts/companies/batch/create",
    "/crm/associations/V/definitions/configurations/contacts/companies/batch/create",
    '{"inputs":[{"category":"HUBSPOT_DEFINED","typeId":1,"maxToObjectIds":5}]}', BATCH,
  },
  update_limits = {
    { "contacts", "companies", { { category = "HUBSPOT_DEFINED", typeId = 1, maxToObjectIds = 5 } } },
    "POST", "/crm/v4/associations/definitions/configurations/contacts/companies/batch/update",
    "/crm/associations/V/definitions/configurations/contacts/companies/batch/update",
    '{"inputs":[{"category":"HUBSPOT_DEFINED","typeId":1,"maxToObjectIds":5}]}', BATCH,
  },
  delete_limits = {
    { "contacts", "companies", { { category = "HUBSPOT_DEFINED", typeId = 1 } } },
    "POST", "/crm/v4/associations/definitions/configurations/contacts/companies/batch/purge",
    "/crm/associations/V/definitions/configurations/contacts/companies/batch/purge",
    '{"inputs":[{"category":"HUBSPOT_DEFINED","typeId":1}]}', "",
  },
  records_near_limit = {
    {}, "GET", "/crm/v3/limits/associations/records/from",
    "/crm/limits/V/associations/records/from", "", PAGE,
  },
  records_near_limit_to = {
    { "0-1" }, "GET", "/crm/v3/limits/associations/records/0-1/to",
    "/crm/limits/V/associations/records/0-1/to", "", PAGE,
  },
  labels_near_limit = {
    {}, "GET", "/crm/v3/limits/associations/labels", "/crm/limits/V/associations/labels", "", PAGE,
  },
  usage_report = {
    { 9 }, "POST", "/crm/v4/associations/usage/high-usage-report/9",
    "/crm/associations/V/usage/high-usage-report/9", "", '{"userId":9,"userEmail":"a@b.c","enqueueTime":"t"}',
  },
  account = {
    {}, "GET", "/account-info/v3/details", "/account-info/V/details", "",
    '{"portalId":5,"accountType":"STANDARD","timeZone":"US/Eastern"}',
  },
  token_info = {
    {}, "POST", "/oauth/v2/private-apps/get/access-token-info",
    "/oauth/v2/private-apps/get/access-token-info", '{"tokenKey":"' .. clients.TOKEN .. '"}',
    '{"userId":9,"hubId":5,"appId":7,"scopes":["oauth"]}',
  },
}

describe("the endpoints", function()
  local server

  local function start(...)
    server = raw_server.start({ connections = { responses.script { ... } } })
    finally(function() server:close() end)
  end

  after_each(clients.close)

  it("are all checked here", function()
    for name in pairs(require "hubspot.associations.api.endpoints") do
      assert.is_table(ENDPOINTS[name], name)
    end
  end)

  for name, case in pairs(ENDPOINTS) do
    local given, method, path = case[1], case[2], case[3]
    local dated_path, body, response = case[4], case[5], case[6]
    for _, version in ipairs(VERSIONS) do
      it(("%s in %s sends what is documented, and reads the response"):format(name, version), function()
        start(responses.of(200, response))
        local client = clients.open(server:url(), { version = version, check_types = false })
        local result, info = client[name](client, given[1], given[2], given[3], given[4], given[5])
        assert.is_table(result, tostring(info))
        assert.equal(200, info.status)
        local request = server:requests()[1]
        local expected = version == "v4" and path or dated_path:gsub("V", version)
        assert.equal(("%s %s HTTP/1.1"):format(method, expected), request:match "^[^\r]*")
        local sent = request:match "\r\n\r\n(.*)$"
        assert.equal(body, sent)
        assert.equal(body ~= "", request:lower():find "\ncontent%-type:" ~= nil)
        assert.same(response == "" and {} or core.decode(response), result)
      end)
    end
  end

  for _, name in ipairs {
    "archive", "archive_labels", "delete", "update_label", "delete_label", "delete_limits",
  } do
    it(name .. " takes a 204, and a 200 with a body or without one", function()
      for _, response in ipairs {
        responses.of(200, ""), responses.of(200, BATCH), "HTTP/1.1 204 No Content\r\n\r\n",
      } do
        start(response)
        local given = ENDPOINTS[name][1]
        local client = clients.open(server:url(), { check_types = false })
        assert(client[name](client, given[1], given[2], given[3], given[4]))
        server:close()
      end
    end)
  end

  it("with a record that does not exist fail with HubSpot's words, without advice on base_url", function()
    start(responses.of(404, '{"status":"error","message":"No contact with ID 5 exists","category":'
      .. '"OBJECT_NOT_FOUND","subCategory":"crm.associations.FROM_OBJECT_NOT_FOUND"}'))
    local client = clients.open(server:url())
    local result, err = client:list("contacts", 5, "companies")
    assert.is_nil(result)
    assert.equal("not_found", err.kind)
    assert.truthy(tostring(err):find("No contact with ID 5 exists", 1, true))
    assert.is_nil(tostring(err):find("base_url", 1, true))
  end)

  it("that take the token in their body show it in no event, error or result", function()
    local body = '{"userId":9,"hubId":5,"scopes":["' .. clients.TOKEN .. '"]}'
    start(responses.of(200, body), responses.of(400, '{"message":"no ' .. clients.TOKEN .. '"}'))
    local seen = {}
    local client = clients.open(server:url(), { on_event = function(event) seen[#seen + 1] = event end })
    local info = assert(client:token_info())
    local _, err = client:token_info()
    seen.info, seen.err = info, err
    local function assert_hidden(value)
      if type(value) ~= "table" then
        assert.is_nil(tostring(value):find(clients.TOKEN, 1, true), tostring(value))
        return
      end
      for key, inner in pairs(value) do
        assert_hidden(key)
        assert_hidden(inner)
      end
    end
    assert_hidden(seen)
    assert_hidden(tostring(err))
    assert.equal(#('{"tokenKey":""}' .. clients.TOKEN), seen[1].bytes)
    assert.equal(2, #server:requests())
  end)

  it("that have room for fewer inputs than they are given name the job that takes them", function()
    start(responses.of(204, ""))
    local client, records = clients.open(server:url()), {}
    for index = 1, 101 do records[index] = { from = index, to = 7 } end
    local result, err = client:archive("contacts", "companies", records)
    assert.is_nil(result)
    assert.same({ "too_large", 101 }, { err.kind, err.index })
    local message = "the request body would have over 100 different ids: use archive_all for any number"
    assert.equal(message, err.message)
    local long = { associationCategory = ("A"):rep(33 * 1024 * 1024), associationTypeId = 1 }
    local inputs = { { from = 1, to = 2, types = long }, { from = 3, to = 4, types = long } }
    for _, name in ipairs { "create", "archive_labels" } do
      result, err = client[name](client, "contacts", "companies", inputs)
      assert.is_nil(result)
      assert.equal("too_large", err.kind)
      assert.truthy(err.message:find(("bytes: use %s_all for any number"):format(name), 1, true), err.message)
    end
    assert.equal(0, #server:requests())
  end)

  it("that must not be done twice are not sent again once they may have been done, and say so", function()
    start(responses.of(503, '{"message":"down"}'), responses.of(200, PAGE))
    local client = clients.open(server:url(), { max_attempts = 3 })
    local result, err = client:create_label("contacts", "companies", { name = "a", label = "A" })
    assert.is_nil(result)
    assert.equal(1, #server:requests())
    assert.is_true(err.may_be_done)
    assert.is_false(err.retryable) -- a caller that goes by it would do it twice
    assert.truthy(tostring(err):find("HubSpot may have done it", 1, true))
  end)

  it("that must not be done twice are sent again where HubSpot did nothing", function()
    start(responses.of(429, '{"message":"slow"}', { "Retry-After: 0" }), responses.of(200, PAGE))
    local client = clients.open(server:url(), { max_attempts = 3 })
    assert(client:create_label("contacts", "companies", { name = "a", label = "A" }))
  end)
end)

describe("the arguments of an endpoint's method", function()
  local client

  before_each(function() client = clients.open "http://127.0.0.1:1" end)
  after_each(clients.close)

  it("that are wrong in kind raise, blamed on the caller", function()
    for expected, call in pairs {
      ["client:list: fromObjectType: expected a string, found nothing"] = function() client:list() end,
      ["client:list: fromObjectId: expected a string or a number or a table, found nothing"] =
        function() client:list "contacts" end,
      ["client:list: option offset is unknown; there are after, limit"] =
        function() client:list("contacts", 1, "companies", { offset = 5 }) end,
      ["client:list: option limit: expected a string or a number, found a table"] =
        function() client:list("contacts", 1, "companies", { limit = {} }) end,
      ["client:list_all: option limit: expected a whole number, found 0.5"] =
        function() client:list_all("contacts", 1, "companies", { limit = 0.5 }) end,
      ["client:put: types: expected a table or a number or a string, found nothing"] =
        function() client:put("contacts", 1, "companies", 2) end,
      ["client:delete: takes fromObjectType, fromObjectId, toObjectType, toObjectId; options are"] =
        function() client:delete("contacts", 1, "companies", 2, {}) end,
      ["client:limits: takes no arguments; options are"] = function() client:limits "contacts" end,
      ["client:create_label: fields: expected a table, found a string"] =
        function() client:create_label("contacts", "companies", "A") end,
      ["client:start: archive: two object types stand before the source"] =
        function() client:start("archive", "contacts", { { from = 1, to = 2 } }) end,
      ["client:start: sync: two object types stand before the source"] =
        function() client:start("sync", "contacts", function() end) end,
      ["client:start: labels is no endpoint of jobs"] =
        function() client:start("labels", "contacts", "companies", {}) end,
    } do
      local called, message = pcall(call)
      assert.is_false(called)
      assert.truthy(message:find(expected, 1, true), message)
      assert.truthy(message:find("endpoints_spec.lua:", 1, true), message)
    end
  end)

  it("that are wrong in value are errors with their name, and nothing is sent", function()
    for field, call in pairs {
      fromObjectId = function() return client:list("contacts", "1.2e5", "companies") end,
      toObjectId = function() return client:delete("contacts", 1, "companies", 0) end,
      associationTypeId = function() return client:delete_label("contacts", "companies", 1.5) end,
      types = function() return client:put("contacts", 1, "companies", 2, {}) end,
      colour = function()
        return client:create_label("contacts", "companies", { name = "a", label = "A", colour = 1 })
      end,
      label = function() return client:create_label("contacts", "companies", { name = "a" }) end,
      toObjectType = function() return client:labels("contacts", "") end,
    } do
      local result, err = call()
      assert.is_nil(result)
      assert.same({ "invalid_input", field }, { err.kind, err.field }, tostring(err))
      assert.is_nil(err.attempts)
    end
  end)
end)
