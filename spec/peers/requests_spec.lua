-- Compares the requests of every endpoint with those of HubSpot's own client for Node.js, as a server
-- receives them: method, path, query, content type, and the body as JSON. `make peers` installs that client,
-- and runs this. It has v4 alone; spec/client/endpoints_spec.lua spells the paths of the dated versions.

local cjson = require "cjson"
local clients = require "support.clients"
local process = require "support.process"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local HERE = debug.getinfo(1, "S").source:match "^@(.*)requests_spec%.lua$"

local ONE = { associationCategory = "HUBSPOT_DEFINED", associationTypeId = 279 }
local LABEL = { associationCategory = "USER_DEFINED", associationTypeId = 7 }

local function id(value) return { id = value } end

local LABELLED = {
  { from = id "1", to = id "2", types = { ONE } },
  { from = id "137438953473", to = id "4", types = { ONE, LABEL } },
}
local PAIRS = { { from = id "1", to = id "2" }, { from = id "3", to = id "4" } }
local UNFANNED = { { from = 1, to = 2 }, { from = 3, to = 4 }, { from = 1, to = 5 } }
local FANNED = { { from = id "1", to = { id "2", id "5" } }, { from = id "3", to = { id "4" } } }
local RECORDS = { id "1", { id = "2", after = "MC0yLTc1MDI%3D" } }
local LIMITS = {
  { category = "HUBSPOT_DEFINED", typeId = 1, maxToObjectIds = 5 },
  { category = "USER_DEFINED", typeId = 7, maxToObjectIds = 100 },
}
local LIMIT_TYPES = { { category = "HUBSPOT_DEFINED", typeId = 1 } }
local NEW_LABEL = { name = "chef", label = "Küchenchef / \"Chef\"", inverseLabel = "Küche" }

-- What our method is given, the official method, and what that is given.
local CASES = {
  { "create", { "contacts", "companies", LABELLED }, "batchApi.create" },
  { "create", { "0-1", "2-7654321", LABELLED }, "batchApi.create" },
  { "create", { "p_pets and owners", "p7_a+b", LABELLED }, "batchApi.create" },
  { "create_default", { "contacts", "companies", PAIRS }, "batchApi.createDefault" },
  { "archive", { "contacts", "companies", UNFANNED }, "batchApi.archive",
    { "contacts", "companies", { inputs = FANNED } } },
  { "archive_labels", { "contacts", "companies", LABELLED }, "batchApi.archiveLabels" },
  { "read", { "contacts", "companies", RECORDS }, "batchApi.getPage" },
  { "list", { "contacts", "101", "companies" }, "basicApi.getPage", { "contacts", "101", "companies" } },
  { "list", { "contacts", "101", "companies", { after = "NTA=+/", limit = 500 } },
    "basicApi.getPage", { "contacts", "101", "companies", "NTA=+/", 500 } },
  { "put", { "contacts", "101", "companies", "202", { ONE, LABEL } }, "basicApi.create",
    { "contacts", "101", "companies", "202", { ONE, LABEL } } },
  { "put_default", { "contacts", "101", "companies", "202" }, "basicApi.createDefault",
    { "contacts", "101", "companies", "202" } },
  { "delete", { "contacts", "101", "companies", "202" }, "basicApi.archive",
    { "contacts", "101", "companies", "202" } },
  { "labels", { "contacts", "companies" }, "definitionsApi.getAll", { "contacts", "companies" } },
  { "create_label", { "contacts", "companies", NEW_LABEL }, "definitionsApi.create",
    { "contacts", "companies", NEW_LABEL } },
  { "create_label", { "contacts", "companies", { name = "a", label = "A" } }, "definitionsApi.create",
    { "contacts", "companies", { name = "a", label = "A" } } },
  { "update_label", { "contacts", "companies", { associationTypeId = 7, label = "A", inverseLabel = "B" } },
    "definitionsApi.update",
    { "contacts", "companies", { associationTypeId = 7, label = "A", inverseLabel = "B" } } },
  { "delete_label", { "contacts", "companies", 7 }, "definitionsApi.remove", { "contacts", "companies", 7 } },
  { "limits", {}, "definitionConfigurationsApi.getAll", {} },
  { "limits_between", { "contacts", "companies" }, "definitionConfigurationsApi.getAllBetweenTwoObjectTypes",
    { "contacts", "companies" } },
  { "create_limits", { "contacts", "companies", LIMITS }, "definitionConfigurationsApi.batchCreate" },
  { "update_limits", { "contacts", "companies", LIMITS }, "definitionConfigurationsApi.batchUpdate" },
  { "delete_limits", { "contacts", "companies", LIMIT_TYPES }, "definitionConfigurationsApi.batchRemove" },
  { "usage_report", { 9 }, "reportApi.request", { 9 } },
}

-- Endpoints that the official client does not have beside its associations.
local OURS_ALONE = {
  records_near_limit = true, records_near_limit_to = true, labels_near_limit = true, account = true,
  token_info = true, read_objects = true,
}

local RESPONSE = responses.of(200, responses.BATCH, { "Content-Type: application/json", "Connection: close" })

local function start()
  return raw_server.start { connections = { responses.script(RESPONSE) } }
end

-- A request in its parts, which are equal where HubSpot reads the same of them.
local function read(request)
  local method, path, query = request:match "^(%u+) ([^ ?]*)%??([^ ]*) "
  local head, body = request:match "^(.-)\r\n\r\n(.*)$"
  local parameters = {}
  for name, value in query:gmatch "([^&=]+)=([^&]*)" do parameters[name] = value end
  return {
    method = method,
    path = path,
    query = parameters,
    content_type = head:lower():match "\ncontent%-type: ([^\r;]*)",
    body = body ~= "" and cjson.decode(body) or nil,
  }
end

local function read_all(requests)
  local list = {}
  for i, request in ipairs(requests) do list[i] = read(request) end
  return list
end

-- What the official client sends, and the names of its methods.
local function official(calls)
  local server = start()
  local result = process.run({ "node", HERE .. "official_client.js", server:url() }, {
    stdin = cjson.encode(calls),
  })
  local requests = server:requests()
  server:close()
  assert(result.code == 0, result.stderr)
  return read_all(requests), cjson.decode(result.stdout)
end

local function ours(calls)
  local server = start()
  local client = clients.open(server:url(), { version = "v4", check_types = false })
  for _, call in ipairs(calls) do
    local name, given = call[1], call[2]
    assert(client[name](client, table.unpack(given)))
  end
  local requests = server:requests()
  server:close()
  return read_all(requests)
end

describe("the requests", function()
  local sent, theirs, methods

  setup(function()
    local calls = {}
    for i, case in ipairs(CASES) do
      local api, method = case[3]:match "^(.*)%.(.*)$"
      local given = case[4] or { case[2][1], case[2][2], { inputs = case[2][3] } }
      calls[i] = { api, method, given }
    end
    theirs, methods = official(calls)
    sent = ours(CASES)
    clients.close()
  end)

  for i, case in ipairs(CASES) do
    it(("of %s are those of the official client's %s (%d)"):format(case[1], case[3], i), function()
      assert.same(theirs[i], sent[i])
    end)
  end

  it("of all methods that either client has are compared", function()
    local is_compared = {}
    for _, case in ipairs(CASES) do is_compared[case[1]], is_compared[case[3]] = true, true end
    for _, method in ipairs(methods) do assert.is_true(is_compared[method], method) end
    for name in pairs(require "hubspot.associations.api.endpoints") do
      assert.is_true(is_compared[name] ~= OURS_ALONE[name], name)
    end
  end)

  -- HubSpot gives some cursors percent-encoded. The official client encodes them again.
  it("differ in a cursor that is percent-encoded, which is encoded once", function()
    local given = { "contacts", "101", "companies", "MC0yLTc1MDI%3D", 500 }
    local twice = official { { "basicApi", "getPage", given } }
    local once = ours { { "list", { given[1], given[2], given[3], { after = given[4], limit = given[5] } } } }
    clients.close()
    assert.equal("MC0yLTc1MDI%253D", twice[1].query.after)
    assert.equal("MC0yLTc1MDI%3D", once[1].query.after)
  end)
end)
