-- What is checked before it is sent, in create, create_all, start, the command and its dry run. The rules
-- themselves are checked in core/record_id_spec.lua, core/body_types_spec.lua and client/types_spec.lua.

local clients = require "support.clients"
local command = require "support.command"
local jobs = require "support.jobs"
local process = require "support.process"
local sandbox = require "support.sandbox"

local RIGHT = "279 links contacts to companies; from companies to contacts it is 280"

local account

setup(function() account = sandbox.start() end)
teardown(function() account:close() end)
before_each(function() account:reset() end)
after_each(clients.close)

local function new(options)
  return clients.open(account:url(), options)
end

-- The error of one invalid input, by each method of a client; nothing is sent.
local function refusals(client, from, to, input)
  local _, err = client:create(from, to, { input })
  local report = client:create_all(from, to, { input })
  local job = assert(client:start(from, to, { input }))
  local stepped = jobs.finish(job)
  assert.same({ 1, 1 }, { report.failed, stepped.failed })
  assert.equal(0, account:statistics().requests)
  return { err.errors[1], report.failures[1].error, stepped.failures[1].error }
end

describe("a type id of another direction", function()
  it("is an error of create, create_all and start, and nothing is sent", function()
    for _, names in ipairs { { "companies", "contacts" }, { "company", "Contact" }, { "0-2", "0-1" } } do
      local input = { from = "1", to = "2", types = 279 }
      for _, err in ipairs(refusals(new(), names[1], names[2], input)) do
        assert.same({ "invalid_input", "types", RIGHT, 1 }, { err.kind, err.field, err.message, err.index })
      end
    end
  end)

  it("fails only its own input in a job", function()
    local report = assert(new():create_all("companies", "contacts", {
      { from = "1", to = "2", types = 280 }, { from = "3", to = "4", types = { 280, 1 } },
      { from = "5", to = "6", types = 2 },
    }))
    assert.same({ 2, 1 }, { report.created, report.failed })
    assert.equal(2, report.failures[1].index)
    assert.equal("types[2]", report.failures[1].error.field)
  end)

  it("is sent if types are not checked, or an object type is custom or unknown", function()
    local client = new { check_types = false }
    local input = { from = "1", to = "2", types = 279 }
    client:create("companies", "contacts", { input })
    client:create_all("companies", "contacts", { input })
    assert.equal(2, account:statistics().requests)
    client = new()
    client:create("2-12345", "contacts", { input })
    client:create("companies", "p_pets", { input })
    assert.equal(4, account:statistics().requests)
  end)
end)

describe("an invalid id", function()
  it("is an error of create, create_all and start, and nothing is sent", function()
    for _, id in ipairs { "101.0", "1.01E+11", "#N/A", "202;203", "00101", "", "\194\160101", 1.5, 0 } do
      local input = { from = id, to = "2", types = 279 }
      for _, err in ipairs(refusals(new(), "contacts", "companies", input)) do
        assert.same({ "invalid_input", "from", 1 }, { err.kind, err.field, err.index })
        assert.matches("expected a record id", err.message, 1, true)
      end
    end
  end)

  it("is sent unchanged if ids are not checked", function()
    local client = new { check_ids = false }
    client:create("contacts", "companies", { { from = "a1", to = "101.0", types = 279 } })
    assert.equal(1, account:statistics().requests)
  end)
end)

describe("the command", function()
  local function create(from, to, more, stdin)
    local argv = { "create", "--from", from, "--to", to, "--base-url", account:url() }
    for _, argument in ipairs(more) do argv[#argv + 1] = argument end
    argv[#argv + 1] = "-"
    return command.run(argv, { stdin = stdin })
  end

  it("rejects a --type of another direction before it reads a row or opens a journal", function()
    local folder = process.make_folder()
    finally(function() process.remove_folder(folder) end)
    local journal = folder .. "/journal"
    for _, more in ipairs { {}, { "--dry-run" }, { "--journal", journal } } do
      table.insert(more, "--type")
      table.insert(more, "280 279")
      local result = create("companies", "contacts", more, "1,2\n")
      assert.same({ 2, "" }, { result.code, result.stdout })
      assert.matches("option '--type': " .. RIGHT, result.stderr, 1, true)
      assert.matches("nothing was sent", result.stderr, 1, true)
    end
    assert.is_nil(io.open(journal))
    assert.equal(0, account:statistics().requests)
  end)

  it("rejects a row's type of another direction, and links the other rows", function()
    local rows = "from,to,type\n1,2,280\n3,4,279\n5,6,USER_DEFINED:279\n"
    local result = create("companies", "contacts", { "--dry-run" }, rows)
    assert.equal(1, result.code)
    assert.matches("line 3: types: " .. RIGHT, result.stdout, 1, true)
    assert.equal(0, account:statistics().requests)
    result = create("companies", "contacts", {}, rows)
    assert.equal(1, result.code)
    assert.matches("3 rows: 2 created, 1 failed", result.stdout, 1, true)
    assert.matches("line 3: types: " .. RIGHT, result.stdout, 1, true)
  end)

  it("accepts any --type of another category, or between unknown objects", function()
    local custom = { "--type", "279", "--category", "USER_DEFINED" }
    assert.equal(0, create("companies", "contacts", custom, "1,2\n").code)
    assert.equal(0, create("0-2", "2-77", { "--type", "279" }, "1,2\n").code)
  end)

  it("rejects invalid ids, in CSV and in JSON Lines, and links no other record", function()
    local csv = 'from,to\n1.01E11,1\n101.0,2\n"202;203",3\n#N/A,4\nNULL,5\n00101,6\n"1,234",7\n-1,8\n101,9\n'
    local jsonl = '{"from":3.83743e+10,"to":5.92264e+09}\n{"from":101.0,"to":2}\n{"from":1e2,"to":3}\n'
      .. '{"from":{"id":1E2},"to":{"id":4}}\n{"fr\\u006fm":1e2,"to":5}\n{"from":"1e2","to":6}\n'
      .. '{"from":"\\u00a0101","to":7}\n{"from":"101\\u0000","to":8}\n{"from":101,"to":9}\n'
    for _, rows in ipairs { csv, jsonl } do
      local result = create("contacts", "companies", { "--type", "279" }, rows)
      assert.equal(1, result.code)
      assert.matches("9 rows: 1 created, 8 failed", result.stdout, 1, true)
      local held = account:associations()
      assert.same({ 1, "101", "9" }, { #held, held[1].fromObjectId, held[1].toObjectId })
      account:reset()
    end
  end)

  it("says once what many ids have in common, and names the id of a single row", function()
    local rows = { "from,to\n" }
    for row = 2, 3001 do rows[row] = ("%d.5E+11,%d\n"):format(row, row) end
    rows[3002] = "#N/A,7\n"
    local result = create("contacts", "companies", { "--type", "279" }, table.concat(rows))
    assert.equal(1, result.code)
    for _, line in ipairs {
      "lines 2 to 3001: from: no record id: it is a long number shortened",
      'line 3002: from: expected a record id (1 to 19 digits), found the string "#N/A": it stands',
    } do
      assert.matches("\n" .. line, result.stdout, 1, true)
    end
  end)

  it("links the ids of JSON Lines with all their digits", function()
    local result = create("contacts", "companies", { "--type", "279" },
      '{"from":9007199254740993,"to":9223372036854775807}\n')
    assert.equal(0, result.code)
    local held = account:associations()[1]
    assert.same({ "9007199254740993", "9223372036854775807" }, { held.fromObjectId, held.toObjectId })
  end)
end)
