-- Checks the options of associations.new and of a job: defaults, valid and invalid values of each, and the
-- message for an invalid one. Does no I/O.

local associations = require "hubspot.associations"
local endpoints = require "hubspot.associations.api.endpoints"
local checkout = require "support.checkout"
local core = require "hubspot.associations.core"
local names_of = require("support.names").of
local one_line = require "hubspot.associations.text.one_line"
local options = require "hubspot.associations.options"

local function with(name, value)
  return { token = "t", [name] = value }
end

-- The message that associations.new raises.
local function raised_by_new(given)
  local read, message = pcall(options.read, given)
  assert.is_false(read)
  assert.is_string(message)
  return message
end

-- The same for the options of a job.
local function raised_by_job(given)
  local read, message = pcall(options.read_job, given)
  assert.is_false(read)
  assert.is_string(message)
  return message
end

local function callable()
  return setmetatable({}, { __call = function() end })
end

local NOT_A_NUMBER = 0 / 0

local BOOLEAN = { good = { true, false }, bad = { 0, 1, "true", {}, print } }

-- Each option: valid values, and invalid ones.
local VALUES = {
  token = {
    good = { "pat-na1-x", function() end, "" },
    bad = { 5, true, {}, callable() },
  },
  base_url = {
    good = {
      "https://api.hubapi.com", "https://api.hubapi.com/", "https://proxy.example:8443/hubspot",
      "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:8080",
    },
    bad = {
      "", "api.hubapi.com", "/", "http://api.hubapi.com", "ftp://api.hubapi.com", "file:///etc/passwd",
      "https://api.hubapi.com?x=1", "https://api.hubapi.com/#x", "https://api.hubapi.com ", "https://a b",
      "https://api.hubapi.com\n", "https://api.hubapi.com\0", "https://user:password@api.hubapi.com",
      "http://127.0.0.1.evil.com", "http://localhost@evil.com", 5, true, {},
    },
  },
  version = {
    good = { "2025-09", "2026-03", "2026-09", "v4", "V4" },
    bad = { "", "../x", "v4/x", "2025 09", "2025-09\n", "-", ".", "..", "v4?x", "v4%2f", "v\2334", "v4\0",
      2025, true },
  },
  timeout = {
    good = { 30, 0.5, 1e-3, 1e9 },
    bad = { 0, -1, math.huge, NOT_A_NUMBER, "30", true, {} },
  },
  connect_timeout = {
    good = { 10, 0.5, 1e-3, 1e9 },
    bad = { 0, -1, math.huge, -math.huge, NOT_A_NUMBER, "10", true, {} },
  },
  batch_size = {
    good = { 1, 2, 2000, 2000.0 },
    bad = { 0, -1, 2001, 1.5, math.huge, NOT_A_NUMBER, "10", true, {} },
  },
  max_attempts = {
    good = { 1, 6, 1000 },
    bad = { 0, -1, 1001, 1.5, math.huge, NOT_A_NUMBER, "6", true, {} },
  },
  retry_deadline = {
    good = { 300, 0.5, 1e-3, 1e9 },
    bad = { 0, -1, math.huge, NOT_A_NUMBER, "300", true, {} },
  },
  concurrency = {
    good = { 1, 4, 100 },
    bad = { 0, -1, 101, 1.5, math.huge, NOT_A_NUMBER, "4", true, {} },
  },
  rate = {
    good = { 1, 190, 10000 },
    bad = { 0, -1, 10001, 1.5, math.huge, NOT_A_NUMBER, "190", true, {} },
  },
  budget = {
    good = { { join = function() end } },
    bad = { 5, "redis://localhost", true, {}, print },
  },
  proxy = {
    good = { "http://proxy.example:3128", "socks5h://localhost" },
    bad = { "", "http://proxy\n", "\0", 5, true, {} },
  },
  ca_file = { good = { "/etc/ssl/ca.pem", "with space" }, bad = { "", "a\0b", "a\n", 5, true, {} } },
  ca_path = { good = { "/etc/ssl/certs" }, bad = { "", "a\0b", "a\r", 5, true, {} } },
  user_agent = { good = { "sync/1.2 (nightly)" }, bad = { "", "a\r\nX-Injected: 1", "\127", 5, true, {} } },
  loop = { good = { { wait = print } }, bad = { {}, { wait = 5 }, print, "blocking", true, 5 } },
  on_event = { good = { print }, bad = { "print", {}, true, 5, callable() } },
  check_ids = BOOLEAN,
  check_types = BOOLEAN,
  http_version = { good = { "1.1", "2" }, bad = { "", "1.0", "3", 1.1, 2, true, {} } },
}

-- The same for those of a job.
local JOB_VALUES = {
  on_failure = { good = { print }, bad = { "print", {}, true, 5, callable() } },
  on_batch = { good = { print }, bad = { "print", {}, true, 5, callable() } },
  on_record = { good = { print }, bad = { "print", {}, true, 5, callable() } },
  before_journal = { good = { print }, bad = { "print", {}, true, 5, callable() } },
  from_property = { good = { "email", "external id" }, bad = { "", "a\n", 5, true, {} } },
  to_property = { good = { "domain" }, bad = { "", "a\0b", 5, true, {} } },
  dry_run = BOOLEAN,
  verify = BOOLEAN,
  journal = { good = { "links.journal", "a folder/x" }, bad = { "", "a\0b", "a\n", 5, true, {}, io.stdout } },
  max_failures = {
    good = { 1, 1000, 1e9 },
    bad = { 0, -1, 1e9 + 1, 1.5, math.huge, NOT_A_NUMBER, "10", true, {} },
  },
}

-- The same for those of a sync that jobs do not have.
local SYNC_VALUES = {
  mode = { good = { "add", "mirror" }, bad = { "", "Mirror", 5, true, {} } },
  types = { good = { 279, "primary", { 279 } }, bad = { {}, true, print } },
  empty = { good = { "none" }, bad = { "", "all", true, 0 } },
  plan = { good = { "plan.csv" }, bad = { "", "a\0b", 5, true, {} } },
  apply = { good = { "plan.csv" }, bad = { "", "a\n", 5, true, {} } },
  account = { good = { "24242424" }, bad = { "", "a\n", 24242424, true, {} } },
  max_removals = {
    good = { 0, 5, 1e6, "10%", "0.5%", "0%", "100%" },
    bad = { -1, 1.5, math.huge, NOT_A_NUMBER, "10", "%", "101%", "-1%", "1.2.3%", true, {} },
  },
  on_plan = { good = { print }, bad = { "print", {}, true, 5, callable() } },
}

-- What an error shows of a value: a number, or the type of any other value.
local function shown(name, value)
  if type(value) ~= "string" or name == "proxy" or name == "token" or value:find "[@?#]" then
    return type(value) == "number" and tostring(value) or "a " .. type(value)
  end
  return '"' .. one_line(value) .. '"'
end

-- The names of all options, as the error for an unknown one lists them.
local function names_in(message)
  local names = {}
  for name in message:match "there are (.*)$":gmatch "[%w_]+" do names[#names + 1] = name end
  return names
end

-- The fields that options.lua declares in a class.
local function declared_in(class)
  local text, set = checkout.read "lua/hubspot/associations/options.lua", {}
  local declared = text:match("@class hubspot.associations." .. class .. " [^\n]*\n(.-)\n\n")
  for name in declared:gmatch "%-%-%-@field ([%w_]+)" do set[name] = true end
  return names_of(set)
end

describe("the options, of a client and of a job,", function()
  it("are declared, and are all checked here", function()
    local client, job = names_in(raised_by_new { nonsense = 1 }), names_in(raised_by_job { nonsense = 1 })
    assert.same({ client, job }, { declared_in "Options", declared_in "JobOptions" })
    assert.same({ client, job }, { names_of(VALUES), names_of(JOB_VALUES) })
  end)
end)

describe("options", function()
  it("have defaults", function()
    local read = options.read { token = "t" }
    assert.equal("https://api.hubapi.com", read.base_url)
    assert.equal("2025-09", read.version)
    assert.equal(30, read.timeout)
    assert.equal(10, read.connect_timeout)
    assert.equal(6, read.max_attempts)
    assert.equal(300, read.retry_deadline)
    assert.equal(4, read.concurrency)
    assert.equal(2000, read.batch_size)
    assert.is_false(read.is_patient)
    for _, name in ipairs { "rate", "proxy", "ca_file", "ca_path", "user_agent", "loop", "on_event" } do
      assert.is_nil(read[name], name)
    end
  end)

  it("know whether the caller said how long to try", function()
    for _, given in ipairs { { max_attempts = 6 }, { retry_deadline = 300 } } do
      given.token = "t"
      assert.is_true(options.read(given).is_patient)
    end
  end)

  it("accept every valid value unchanged", function()
    for name, values in pairs(VALUES) do
      for _, value in ipairs(values.good) do
        local read = options.read(with(name, value))
        assert.equal(value, read[name], name)
      end
    end
  end)

  it("have a default batch_size of the most inputs that any endpoint accepts", function()
    local most = 0
    for _, row in pairs(endpoints) do most = math.max(most, row.most or 0) end
    assert.equal(most, options.read({ token = "t" }).batch_size)
    assert.is_nil(options.expected("batch_size", most))
    assert.equal(("a whole number from 1 to %d"):format(most), options.expected("batch_size", most + 1))
  end)

  it("raise for every invalid value, naming the option and what was found", function()
    for name, values in pairs(VALUES) do
      for _, value in ipairs(values.bad) do
        local message = raised_by_new(with(name, value))
        assert.truthy(message:find("associations.new: option " .. name .. ": expected ", 1, true), message)
        assert.equal(", found " .. shown(name, value), message:match ", found .*$")
      end
    end
  end)

  it("show no value that may be a secret", function()
    local token = "0123456789abcdef"
    for _, given in ipairs {
      { base_url = "http:/x/" .. token }, { base_url = "https:/me:pass@host" }, { version = "pat-na1-x y" },
      { proxy = "\1" .. token }, { ca_file = token .. "\n" },
    } do
      given.token = token
      local message = raised_by_new(given)
      assert.matches("found a string$", message)
      for _, secret in ipairs { token, "pass", "pat" } do
        assert.is_nil(message:match "found.*$":find(secret, 1, true), message)
      end
    end
  end)

  it("say which module is meant by the name of a loop", function()
    assert.matches('option loop: expected a loop: require "hubspot.associations.loop.luv"',
      raised_by_new { token = "t", loop = "luv" }, 1, true)
    assert.matches("expected a table with a function `wait`", raised_by_new { loop = "gone" }, 1, true)
  end)

  it("are invalid if they are false", function()
    for name, values in pairs(VALUES) do
      if values ~= BOOLEAN then
        local message = raised_by_new(with(name, false))
        assert.truthy(message:find("option " .. name .. ": expected ", 1, true), name)
      end
    end
  end)

  it("that are unknown are named", function()
    assert.truthy(raised_by_new({ tokn = "t" }):find("option tokn is unknown; there are base_url, ", 1, true))
    assert.truthy(raised_by_new({ tokn = "t" }):find(", token, ", 1, true))
    assert.truthy(raised_by_new({ "t" }):find("option 1 is unknown", 1, true))
    assert.truthy(raised_by_new({ token = "t", Timeout = 5 }):find("option Timeout is unknown", 1, true))
    assert.truthy(raised_by_new({ [true] = 5 }):find("option true is unknown", 1, true))
  end)

  it("are those of associations.new, which a colon does not reach", function()
    local made, message = pcall(associations.new, associations, { token = "t" })
    assert.is_false(made)
    assert.truthy(message:find("associations.new: call it with a dot", 1, true), message)
  end)

  it("that are unknown do not show their values", function()
    assert.is_nil(raised_by_new({ tokn = "pat-na1-secret" }):find("secret", 1, true))
  end)

  it("must be a table", function()
    for _, value in ipairs { "pat-na1-secret", 5, true, print } do
      local message = raised_by_new(value)
      assert.truthy(message:find("expected a table of options, found a " .. type(value), 1, true), message)
      assert.is_nil(message:find("secret", 1, true))
    end
    assert.truthy(raised_by_new(nil):find("found nothing", 1, true))
  end)

  it("are not changed", function()
    local given = { token = "t", timeout = 5 }
    local read = options.read(given)
    assert.same({ token = "t", timeout = 5 }, given)
    assert.are_not.equal(given, read)
  end)

  it("never show a secret in a message", function()
    local SECRET = "s3cret"
    for _, given in ipairs {
      { token = { SECRET } },
      { token = 5, proxy = "http://user:" .. SECRET .. "@proxy" },
      { token = "t", proxy = "http://user:" .. SECRET .. "@proxy\n" },
      { token = "t", base_url = "https://user:" .. SECRET .. "@api.hubapi.com" },
      { token = "t", base_url = "https://api.hubapi.com/?hapikey=" .. SECRET },
      { token = "t", nonsense = SECRET }, { token = SECRET .. SECRET, version = "v4/" .. SECRET .. SECRET },
    } do
      local message = raised_by_new(given)
      assert.is_nil(message:find(SECRET, 1, true), message)
    end
  end)

  it("that are wrong are reported on one line", function()
    for name, values in pairs(VALUES) do
      for _, value in ipairs(values.bad) do
        assert.is_nil(raised_by_new(with(name, value)):find "%c", name)
      end
    end
    assert.is_nil(raised_by_new({ ["a\r\nb"] = 1 }):find "%c")
  end)

  it("that are wrong are blamed on the line that calls new", function()
    local line = debug.getinfo(1, "l").currentline + 2
    local called, message = pcall(function()
      local client = associations.new { token = "t", nonsense = true }
      return client
    end)
    assert.is_false(called)
    assert.truthy(message:find("options_spec.lua:" .. line .. ": ", 1, true), message)
  end)

  it("say why a URL may not be used, in the transport's message", function()
    local url = "http://api.hubapi.com"
    assert.truthy(raised_by_new(with("base_url", url)):find(core.invalid_url(url), 1, true))
  end)
end)

describe("the options of a job", function()
  it("have defaults", function()
    assert.same({ dry_run = false, verify = false, max_failures = 1000 }, options.read_job {})
  end)

  it("accept every valid value unchanged", function()
    for name, values in pairs(JOB_VALUES) do
      for _, value in ipairs(values.good) do
        assert.equal(value, options.read_job({ [name] = value })[name], name)
      end
    end
  end)

  it("raise for every invalid value, naming the option and what was found", function()
    for name, values in pairs(JOB_VALUES) do
      for _, value in ipairs(values.bad) do
        local message = raised_by_job { [name] = value }
        assert.truthy(message:find("client:create_all: option " .. name .. ": expected ", 1, true), message)
        assert.equal(", found " .. shown(name, value), message:match ", found .*$")
        assert.is_nil(message:find "%c", name)
      end
      if values ~= BOOLEAN then
        assert.truthy(raised_by_job({ [name] = false }):find("found a boolean", 1, true), name)
      end
    end
  end)

  it("are not accepted by a client, nor those of a client by a job", function()
    for name in pairs(VALUES) do
      assert.truthy(raised_by_job({ [name] = print }):find(
        "option " .. name .. " is an option of associations.new", 1, true), name)
    end
    for name in pairs(JOB_VALUES) do
      assert.truthy(raised_by_new(with(name, print)):find(
        "option " .. name .. " is an option of client:create_all", 1, true), name)
    end
  end)

  it("must be a table", function()
    for _, value in ipairs { "links.journal", 5, true, print } do
      local message = raised_by_job(value)
      assert.truthy(message:find("expected a table of options, found a " .. type(value), 1, true), message)
    end
  end)

  -- The level is that of a call that is not a tail call; it is the same for start and create_all.
  it("that are wrong are blamed on the line that calls start, or create_all", function()
    local client = assert(associations.new { token = "t" })
    for _, name in ipairs { "start", "create_all" } do
      local line = debug.getinfo(1, "l").currentline + 2
      local called, message = pcall(function()
        local report = client[name](client, "contacts", "companies", {}, { nonsense = true })
        return report
      end)
      assert.is_false(called)
      assert.truthy(message:find("options_spec.lua:" .. line .. ": ", 1, true), message)
    end
    client:close()
  end)
end)

describe("the options of a sync", function()
  local function read(given) return options.read_sync(given, "client:sync_all", 2) end

  it("have defaults", function()
    assert.same({ dry_run = false, max_failures = 1000, mode = "add" }, read {})
  end)

  it("accept every valid value unchanged, and raise for every other, naming the option", function()
    for name, values in pairs(SYNC_VALUES) do
      for _, value in ipairs(values.good) do assert.equal(value, read({ [name] = value })[name], name) end
      for _, value in ipairs(values.bad) do
        local accepted, message = pcall(read, { [name] = value })
        assert.is_false(accepted, name .. " " .. tostring(value))
        assert.truthy(message:find("client:sync_all: option " .. name .. ": expected ", 1, true), message)
      end
    end
  end)

  it("are not accepted by a job", function()
    for name in pairs(SYNC_VALUES) do
      assert.truthy(raised_by_job({ [name] = print }):find("is an option of client:sync_all", 1, true), name)
    end
  end)

  it("that are wrong are blamed on the line that calls start, or sync_all", function()
    local client = assert(associations.new { token = "t" })
    local made = { { 5 }, { { nonsense = true } }, { { apply = "plan.csv", plan = "plan.csv" } } }
    for _, name in ipairs { "start", "sync_all" } do
      for _, given in ipairs(made) do
        local line = debug.getinfo(1, "l").currentline + 2
        local called, message = pcall(function()
          if name == "sync_all" then client:sync_all("contacts", "companies", {}, given[1]) end
          local runner = client:start("sync", "contacts", "companies", {}, given[1])
          return runner
        end)
        assert.is_false(called)
        line = name == "start" and line + 1 or line
        assert.truthy(message:find("options_spec.lua:" .. line .. ": ", 1, true), message)
      end
    end
    client:close()
  end)

  it("refuse what a plan that is applied has already", function()
    for name, value in pairs { plan = "p", types = 279, empty = "none", from_property = "email" } do
      assert.is_false((pcall(read, { apply = "plan.csv", [name] = value })), name)
    end
    assert.is_false((pcall(read, { apply = "plan.csv", max_removals = "10%" })))
    assert.equal(5, read({ apply = "plan.csv", max_removals = 5 }).max_removals)
  end)
end)

describe("the options of a collector", function()
  local GOOD = {
    max_pending = { 1, 10000 }, timeout = { 0.1, 60 }, most = { 1, 2000 }, linger = { 0, 0.5 },
  }
  local BAD = {
    max_pending = { 0, 1.5, "1", NOT_A_NUMBER }, timeout = { 0, -1, math.huge, "1" },
    most = { 0, 2001, 1.5 }, linger = { -1, math.huge, "0", NOT_A_NUMBER },
  }

  it("have the defaults that the README names", function()
    assert.same({ max_pending = 10000, timeout = 60, linger = 0 }, options.read_collector {})
  end)

  it("take good values, and raise for bad ones", function()
    for name, values in pairs(GOOD) do
      for _, value in ipairs(values) do
        assert.equal(value, options.read_collector({ [name] = value })[name])
      end
    end
    for name, values in pairs(BAD) do
      for _, value in ipairs(values) do
        local read, message = pcall(options.read_collector, { [name] = value })
        assert.is_false(read)
        assert.matches("client:collector: option " .. name .. ": expected", message, 1, true)
      end
    end
  end)

  it("are no others", function()
    local read, message = pcall(options.read_collector, { nonsense = 1 })
    assert.is_false(read)
    assert.matches("option nonsense is unknown", message, 1, true)
  end)
end)
