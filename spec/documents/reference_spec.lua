-- Checks the reference: the tables of the pages and meta.lua are what the annotations say, and the
-- annotations have all that is public and all that a caller is given.

local associations = require "hubspot.associations"
local checkout = require "support.checkout"
local command = require "support.command"
local documents = require "support.documents"
local endpoints = require "hubspot.associations.api.endpoints"
local names_in = require "support.names"
local sandbox = require "support.sandbox"

local reference = dofile(checkout.ROOT .. "tools/reference.lua")
local all = reference.read(checkout.ROOT)

local read, names_of = checkout.read, names_in.of

local function class(name) return assert(all.classes["hubspot.associations." .. name], name) end

local function named(list)
  local names = {}
  for _, one in ipairs(list) do names[one.name] = one end
  return names
end

-- The public methods of an object.
local function methods_of(object)
  local names = {}
  for name, value in pairs(getmetatable(object).__index) do
    if type(value) == "function" and not name:find "^_" then names[name] = true end
  end
  return names
end

-- The fields of a table that its class does not have.
local function undocumented(name, value)
  local fields, found = named(class(name).fields), {}
  for key in pairs(value) do
    if not fields[key] then found[#found + 1] = name .. "." .. tostring(key) end
  end
  return found
end

-- The options that a table of options.lua declares.
local function declared_options(name)
  local text = read "lua/hubspot/associations/options.lua"
  local declared = assert(text:match("\nlocal " .. name .. " = (%b{})"), "no options " .. name)
  local names = {}
  names_in.collect(names, declared, "\n  ([%w_]+) = ")
  return names
end

describe("the reference", function()
  it("is in all pages as `make reference` writes it", function()
    for _, page in ipairs(documents.PAGES) do
      local text = read(page)
      assert.equal(reference.page(all, text), text, page)
    end
    assert.equal(reference.meta(all), read(reference.META))
  end)

  it("has the file for language servers in a form that Lua reads, and every type that it names", function()
    assert((rawget(_G, "loadstring") or load)(read(reference.META)))()
    local known = named(all.types)
    for name in read(reference.META):gmatch "hubspot%.associations%.%u%w*" do
      assert.truthy(known[name], name)
    end
  end)

  it("has no field, option or method without a word on it", function()
    for _, declared in ipairs(all.types) do
      for _, field in ipairs(declared.fields or {}) do
        local is_plain = field.text == "" and field.type ~= "any" and not declared.name:find "Input$"
        local is_hubspots = declared.name:find "Error$" or declared.name:find "BatchResponse$"
        assert.is_false(is_plain and not is_hubspots, declared.name .. "." .. field.name)
      end
    end
  end)
end)

describe("the annotations", function()
  local account, client

  setup(function()
    account = sandbox.start()
    client = assert(associations.new { token = command.TOKEN, base_url = account:url() })
  end)

  teardown(function()
    client:close()
    account:close()
  end)

  it("have all functions of the module", function()
    local expected = { VERSION = true }
    for name in pairs(named(all.functions)) do expected[name] = true end
    assert.same(names_of(associations), names_of(expected))
  end)

  it("have all methods of a client, of a job and a sync in steps, and of a collector", function()
    local runner = assert(client:start("contacts", "companies", {}))
    local sync = assert(client:start("sync", "contacts", "companies", {}))
    local collector = assert(client:collector("contacts", "companies"))
    for name, object in pairs {
      Client = client, Runner = runner, SyncRunner = sync, Collector = collector,
    } do
      local found = named(class(name).methods)
      for field, declared in pairs(named(class(name).fields)) do
        if declared.type:find "^fun%(self" then found[field] = true end
      end
      assert.same(names_of(methods_of(object)), names_of(found), name)
    end
    while not (runner:step() and sync:step()) do end
  end)

  it("name the arguments that a function takes", function()
    local lists = { all.functions }
    for _, name in ipairs { "Client", "Runner", "SyncRunner", "Collector" } do
      lists[#lists + 1] = class(name).methods
    end
    for _, list in ipairs(lists) do
      for _, declared in ipairs(list) do
        local names = {}
        for _, param in ipairs(declared.params) do names[#names + 1] = param.name end
        assert.equal(declared.code:match "%((.*)%)", table.concat(names, ", "), declared.name)
      end
    end
  end)

  it("name as many arguments of an endpoint's method as its row has", function()
    local fields = named(class "Client".fields)
    for name, row in pairs(endpoints) do
      local count = (row.shape or row.query or row.body and row.body ~= "token") and 1 or 0
      for parameter in row[2]:gmatch "{(%w+)}" do
        if parameter ~= "version" then count = count + 1 end
      end
      local call = reference.table(all, "calls"):match("`client:" .. name .. "%((.-)%)`")
      local _, commas = call:gsub(",", "")
      assert.equal(count, call == "" and 0 or commas + 1, name)
      assert.equal(row.most ~= nil or row.most_per_page ~= nil, fields[name .. "_all"] ~= nil, name)
    end
  end)

  it("have all options", function()
    for name, declared in pairs { Options = "CLIENT", JobOptions = "JOB", SyncOptions = "SYNC",
      CollectorOptions = "COLLECTOR" } do
      assert.same(names_of(declared_options(declared)), names_of(named(class(name).fields)))
    end
  end)

  it("have all fields of what calls return, and of errors", function()
    local batch, info = client:create("contacts", "companies", {
      { from = 101, to = 202, types = 279 }, { from = 404, to = 202, types = 279 },
    })
    assert.same({}, undocumented("BatchResponse", batch))
    assert.same({}, undocumented("CallInfo", info))
    assert.same({}, undocumented("Connection", client:connection()))
    for _, rejected in ipairs {
      { "create", "contacts", "companies", { { from = "1.0", to = 202, types = 279 } } },
      { "create", "contacts", "companies", { { from = 101, to = 202, types = 9999 } } },
      { "list", "widgets", 101, "companies" },
    } do
      local _, err = client[rejected[1]](client, rejected[2], rejected[3], rejected[4])
      assert.same({}, undocumented("Error", err))
    end
  end)

  it("have all of HubSpot's fields that an error keeps", function()
    local kept, declared = {}, named(class "Error".fields)
    local code = read "lua/hubspot/associations/api/response.lua"
    names_in.collect(kept, code:match "\nlocal KEPT_FIELDS = (%b{})", '"(%w+)"')
    for name in pairs(kept) do assert.truthy(declared[name], name) end
  end)

  it("have all fields of reports, and of what callbacks are told", function()
    local told = {}
    local function tell(name) return function(value) told[#told + 1] = { name, value } end end
    local inputs = { { from = 101, to = 202, types = 279 }, { from = 404, to = 202, types = 279 } }
    local given = { on_failure = tell "Failure", on_batch = tell "BatchReport", verify = true }
    tell "Report"(assert(client:create_all("contacts", "companies", inputs, given)))
    tell "Report"(assert(client:create_all("contacts", "companies", {
      { from = "a101@example.com", to = 404, types = 279 },
    }, { from_property = "email" })))
    tell "Report"(assert(client:read_all("contacts", "companies", { 101, 103 }, {
      on_record = tell "RecordPage", on_batch = tell "BatchReport",
    })))
    tell "SyncReport"(assert(client:sync_all("contacts", "companies", inputs, {
      mode = "mirror", on_plan = tell "SyncPlan", on_failure = tell "Failure",
    })))
    tell "Report"(assert(client:archive_all("contacts", "companies", { { from = 101, to = 202 } }, {
      on_batch = tell "BatchReport",
    })))
    for _, one in ipairs(told) do
      assert.same({}, undocumented(one[1], one[2]))
      for _, failure in ipairs(one[2].failures or {}) do assert.same({}, undocumented("Failure", failure)) end
    end
    assert.is_true(#told > 10)
  end)

  it("have all fields of events, and no others", function()
    local found, declared = {}, named(class "Event".fields)
    local code = read "lua/hubspot/associations/session/events.lua"
    for event in code:gmatch "emit%(self, [%w.]+, (%b{})" do
      names_in.collect(found, event, "([%l_]+) = ")
    end
    assert.same(names_of(found), names_of(declared))
  end)
end)
