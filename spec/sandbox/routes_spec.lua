-- Checks which endpoint a method and a path name. The paths are spelled out, so that the table does not test
-- itself.

local routes = require "hubspot.associations.sandbox.routes"

describe("a route of the sandbox", function()
  it("has the endpoint's handler, the version, and the path's parameters, decoded", function()
    for path, version in pairs {
      ["/crm/v4/associations/cont%61cts/0-2/batch/create"] = "v4",
      ["/crm/associations/v4/contacts/0-2/batch/create"] = "v4",
      ["/crm/associations/2025-09/contacts/0-2/batch/create"] = "2025-09",
      ["/crm/associations/2026-03/contacts/0-2/batch/create"] = "2026-03",
      ["/crm/associations/2026-09/contacts/0-2/batch/create"] = "2026-09",
    } do
      local route = assert(routes.find("POST", path), path)
      assert.equal(version, route.version)
      assert.same({ fromObjectType = "contacts", toObjectType = "0-2" }, route.parameters)
      assert.equal(require "hubspot.associations.sandbox.handlers.create", route.endpoint.handler)
      assert.is_true(route.endpoint.has_body)
    end
    local read = assert(routes.find("POST", "/crm/v4/associations/contacts/companies/batch/read"))
    assert.equal(require "hubspot.associations.sandbox.handlers.read", read.endpoint.handler)
  end)

  it("has the query's parameters, decoded once", function()
    local path = "/crm/v4/objects/contacts/1/associations/companies"
    for query, expected in pairs {
      [""] = {}, ["?"] = {}, ["?limit=5"] = { limit = "5" },
      ["?after=MC0y%3D&limit=5#x"] = { after = "MC0y=", limit = "5" },
      ["?after=MC0y%253D"] = { after = "MC0y%3D" }, ["?after="] = { after = "" },
      ["?a=b+c&d"] = { a = "b c" },
    } do
      assert.same(expected, routes.find("GET", path .. query).query, query)
    end
  end)

  it("has the API's other version in place of v4 where the row says so", function()
    local route = assert(routes.find("GET", "/crm/v3/limits/associations/records/0-1/to"))
    assert.same({ "v4", { fromObjectType = "0-1" } }, { route.version, route.parameters })
    assert.equal("2026-03", routes.find("GET", "/crm/limits/2026-03/associations/labels").version)
  end)

  it("is a whole path where the row has one", function()
    for path, version in pairs {
      ["/account-info/v3/details"] = "v4", ["/account-info/2026-03/details"] = "2026-03",
    } do
      local route = assert(routes.find("GET", path), path)
      assert.same({ "account", version, {} }, { route.endpoint.name, route.version, route.parameters })
    end
    for _, path in ipairs { "/account-info/v4/details", "/crm/account-info/2026-03/details" } do
      assert.is_nil((routes.find("GET", path)), path)
    end
    assert.truthy(routes.find("POST", "/oauth/v2/private-apps/get/access-token-info"))
  end)

  it("is there for every row of the table", function()
    for name, row in pairs(require "hubspot.associations.api.endpoints") do
      local path = row[2]:gsub("{version}", row.undated or "v4"):gsub("{.-}", "1")
      if not path:find "^/" then path = "/crm/" .. (row.undated or "v4") .. "/" .. path end
      assert.equal(name, assert(routes.find(row[1], path), name).endpoint.name)
    end
  end)

  it("is rejected with 404 when no endpoint has the path", function()
    for _, path in ipairs {
      "/", "/crm/v4/associations", "/crm/v4/associations/contacts/companies/batch/create/",
      "/crm/v4/associations/contacts/companies/batch/creates", "/crm/v4/associations//companies/batch/create",
      "/crm/v3/associations/contacts/companies/batch/create",
      "/v4/associations/contacts/companies/batch/create",
      "/crm/2025-09/associations/contacts/companies/batch/create",
      "/crm/associations/1999-01/contacts/companies/batch/create",
    } do
      local route, rejected = routes.find("POST", path)
      assert.is_nil(route, path)
      assert.equal(404, rejected.status, path)
    end
  end)

  it("is rejected with 405, and the methods that the path has, when it has another", function()
    for _, method in ipairs { "GET", "HEAD", "post" } do
      local route, rejected = routes.find(method, "/crm/v4/associations/contacts/companies/batch/create")
      assert.is_nil(route)
      assert.same({ 405, "POST" }, { rejected.status, rejected.headers.allow })
    end
  end)
end)
