-- Checks that the doctor has findings whatever a service answers. (What they say: cli/commands/doctor_spec.)

local errors = require "hubspot.associations.errors"
local random = require "support.random"
local service = require "hubspot.associations.cli.doctor.service"

local FIELDS = {
  "portalId", "hubId", "appId", "userId", "scopes", "accountType", "timeZone", "results", "errors", "message",
  "category", "context", "policyName", "correlationId",
}
local KINDS = {
  "unauthorized", "forbidden", "not_found", "rate_limited", "daily_limit", "http", "redirect", "decode",
  "too_large", "network", "timeout", "tls", "token",
}

-- What JSON can hold, as core.decode returns it.
local function any_value(luck, depth)
  local kind = luck:integer(1, depth > 3 and 6 or 8)
  if kind <= 3 then
    return luck:pick { "a", "", "crm.objects.contacts.write", "USER_DEFINED", ("x"):rep(9000) }
  end
  if kind <= 5 then return luck:pick { 0, -1, 4711, 1.5, 2 ^ 53, 1e300, math.huge } end
  if kind == 6 then return luck:pick { true, false } end
  local value = {}
  for index = 1, luck:integer(0, 4) do
    value[kind == 7 and index or luck:pick(FIELDS)] = any_value(luck, depth + 1)
  end
  return value
end

local function any_object(luck)
  local object = {}
  for _, name in ipairs(FIELDS) do
    if luck:integer(1, 3) > 1 then object[name] = any_value(luck, 1) end
  end
  return object
end

local function any_error(luck)
  local err = luck:integer(1, 2) == 1 and any_object(luck) or {}
  err.kind, err.message = luck:pick(KINDS), tostring(err.message or "no")
  err.status = luck:pick { false, 200, 302, 400, 401, 403, 404, 407, 429, 500 } or nil
  err.body = luck:pick { false, "<html>", any_object(luck) } or nil
  return errors.new(err)
end

local LIMITS = { false, { max = 1 }, { daily = 5, daily_remaining = 0 }, { interval = 10 } }
local DIRECTIONS = { {}, { from = "contacts", to = "companies" }, { from = "calls", to = "2-1" } }

-- A client that answers anything to everything; a page is read for its list, as the library does.
local function any_client(luck, on_event)
  local function answer()
    on_event {
      type = "response", elapsed = 0.1, http_version = "2",
      date = luck:pick { false, 0, 4e9, os.time() } or nil,
      rate_limit = luck:pick(LIMITS) or nil,
    }
    if luck:integer(1, 3) == 1 then return nil, any_error(luck) end
    return any_object(luck)
  end
  local function page()
    local result, err = answer()
    if result and type(result.results) ~= "table" then result.results = { any_value(luck, 1) } end
    return result, err
  end
  return {
    connection = function() return { base_url = "https://a.example", version = "v4" } end,
    account = answer, token_info = answer, read = page, labels = page,
  }
end

describe("what the doctor finds at a service", function()
  it("is a list of lines with what to do for all that is wrong, whatever is answered", function()
    random.check(3000, function(luck)
      local observed, on_event = service.observer()
      local client = any_client(luck, on_event)
      local list = service.findings(client, observed, "HUBSPOT_TOKEN", luck:pick(DIRECTIONS))
      assert.is_true(#list >= 4)
      for _, finding in ipairs(list) do
        assert.is_string(finding.check)
        assert.is_string(finding.found)
        assert.equal(finding.status == "wrong", finding.advice ~= nil)
        assert.truthy(finding.status == "ok" or finding.status == "wrong" or finding.status == "unknown")
      end
    end)
  end)
end)
