-- Checks the command sandbox: its address, its options, its end. What an account does is checked in
-- spec/sandbox.

local command = require "support.command"
local exchange = require "support.exchange"
local http = require "socket.http"
local ltn12 = require "ltn12"
local process = require "support.process"

local TOKEN = command.TOKEN

local argv, environment, run = command.argv, command.environment, command.run
local assert_found = command.assert_found

describe("the command sandbox", function()
  it("says its address first, serves, and ends by a signal without a complaint", function()
    for _, signal in ipairs { "TERM", "INT" } do
      local child = process.start(argv { "sandbox" }, { env = environment() })
      local url = child.line
      assert.truthy(url:find "^http://127%.0%.0%.1:%d+$")
      local result = run(command.create(url, { "-" }, "1"), { stdin = "1,2\n4041,5\n" })
      assert.are.equal(1, result.code)
      child:kill(signal)
      local ended = child:close()
      assert.are.same({ 0, "" }, { ended.code, ended.stdout })
      assert.is_nil(ended.stderr:find("traceback", 1, true))
      assert_found(ended.stderr, "--base-url " .. url)
    end
  end)

  it("ends by a signal while a request waits for its response", function()
    local child = process.start(argv { "sandbox", "--latency", "100" }, { env = environment() })
    -- Without a sanitizer that is preloaded for the code under test: the curl command hangs under it.
    local pipe = io.popen(("env -u LD_PRELOAD curl -s -o /dev/null -d '{}' --max-time 20 "
      .. "%s/crm/associations/2025-09/contacts/companies/batch/create; echo $?"):format(child.line))
    exchange.eventually(function()
      return http.request(child.line .. "/sandbox/statistics"):find('"requests":1', 1, true)
    end, "the request's arrival")
    child:kill "TERM"
    assert.are.equal(0, child:close().code)
    pipe:close()
  end)

  it("ends with its standard input when it is asked to", function()
    local child = process.start(argv { "sandbox", "--until-eof" }, { env = environment() })
    assert.are.equal(0, child:close().code)
  end)

  it("takes the options of the account", function()
    local child = process.start(argv { "sandbox", "--until-eof", "--token", TOKEN, "--daily", "1",
      "--rate", "100", "--string-ids", "--status", "200" }, { env = environment() })
    local arguments = command.create(child.line, { "-" }, "1")
    local wrong = run(arguments, { stdin = "1,2\n", env = { HUBSPOT_TOKEN = "wrong" } })
    local right = run(arguments, { stdin = "1,2\n" })
    local limited = run(arguments, { stdin = "1,2\n" })
    local ended = child:close()
    assert.are.equal(2, wrong.code)
    assert_found(wrong.stderr, "unauthorized")
    assert.are.equal(0, right.code)
    assert.are.equal(2, limited.code)
    assert_found(limited.stderr, "daily_limit: ")
    assert.is_nil(ended.stderr:find(TOKEN, 1, true))
  end)

  it("sends ids as numbers, or as strings when it is asked to", function()
    for id, flag in pairs { ["101"] = "--until-eof", ['"101"'] = "--string-ids" } do
      local child = process.start(argv { "sandbox", "--until-eof", flag }, { env = environment() })
      local body = [[{"inputs":[{"from":{"id":"101"},"to":{"id":"202"},"types":[{"associationCategory":]]
        .. [["HUBSPOT_DEFINED","associationTypeId":279}]}]}]]
      local received = {}
      http.request {
        url = child.line .. "/crm/associations/2025-09/contacts/companies/batch/create", method = "POST",
        headers = { authorization = "Bearer any", ["content-type"] = "application/json",
          ["content-length"] = #body },
        source = ltn12.source.string(body), sink = ltn12.sink.table(received),
      }
      child:close()
      assert_found(table.concat(received), '"fromObjectId":' .. id .. ",")
    end
  end)

  it("spoils the requests that it is asked to", function()
    local child = process.start(argv { "sandbox", "--until-eof", "--faults", "1:lost_response,2:secondly" },
      { env = environment() })
    local result = run(command.create(child.line, { "-" }, "1"), { stdin = "1,2\n" })
    child:close()
    assert.are.equal(0, result.code)
    assert_found(result.stdout, "1 row: 1 created, 0 failed\n3 requests, 2 of them retries; ")
    assert.matches("network: [^\n]+; trying again in ", result.stderr)
    assert_found(result.stderr, "rate_limited; trying again in ")
  end)

  it("says so when the port is taken", function()
    local child = process.start(argv { "sandbox", "--until-eof" }, { env = environment() })
    local result = run { "sandbox", "--port", child.line:match "%d+$" }
    child:close()
    assert.are.same({ 2, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "cannot listen on 127.0.0.1:")
  end)

  it("says what to install when cqueues is missing", function()
    local found = process.run({ process.interpreter(), "-" }, { env = environment(), stdin = ([[
      local cli = require "hubspot.associations.cli.main"
      table.insert(package.searchers or package.loaders, 1, function(name)
        if name:find "^cqueues" then error("module '" .. name .. "' not found:\n\tno file", 0) end
      end)
      os.exit(cli.main({ "sandbox" }, { stdin = io.stdin, stdout = io.stdout, stderr = io.stderr,
        getenv = os.getenv }))]]) })
    assert.are.same({ 2, "" }, { found.code, found.stdout })
    assert_found(found.stderr, "apt-get install lua-cqueues")
  end)
end)
