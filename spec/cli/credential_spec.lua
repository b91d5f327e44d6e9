-- Checks credential.lua by the command: where a token comes from, what is said when there is none, and a
-- token file that is read again in the midst of a job.

local command = require "support.command"
local exchange = require "support.exchange"
local process = require "support.process"
local responses = require "support.responses"

local fixture = command.fixture()
local assert_cannot_run, create = fixture.assert_cannot_run, fixture.create
local file, path, secret_file = fixture.file, fixture.path, fixture.secret_file
local assert_found = command.assert_found

local GO_ON = "to go on, run the same command again"

describe("the token of the command", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  it("is asked for where there is none", function()
    assert_cannot_run({ "-" }, "HUBSPOT_TOKEN", { env = { HUBSPOT_TOKEN = false } })
    assert_cannot_run({ "-" }, "HUBSPOT_TOKEN", { env = { HUBSPOT_TOKEN = "" } })
  end)

  describe("given a token file", function()
    local token_file

    before_each(function()
      fixture.server:configure { token = "from-a-file-0123456789" }
      token_file = secret_file("token", "from-a-file-0123456789\r\n")
    end)

    it("takes the token from there", function()
      local result = create({ "--token-file", token_file, "-" }, { stdin = "1,2" })
      assert.are.same({ 0, "" }, { result.code, result.stderr })
    end)

    for _, mode in ipairs { "640", "604" } do
      it("warns when others can read it: " .. mode, function()
        process.run { "chmod", mode, token_file }
        local result = create({ "--token-file", token_file, "-" }, { stdin = "1,2" })
        assert.are.equal(0, result.code)
        assert_found(result.stderr, "warning: ")
        assert_found(result.stderr, "chmod 600 ")
        assert.is_nil(result.stderr:find("from-a-file", 1, true))
      end)
    end

    it("says so when it is not there, empty, or no token", function()
      for name, part in pairs { none = "No such file", empty = "is empty", prose = "token" } do
        if name ~= "none" then file(name, name == "empty" and "\n" or "two words\n") end
        local result = create { "--token-file", path(name), "-" }
        assert.are.equal(2, result.code)
        assert_found(result.stderr, part)
        assert.is_nil(result.stderr:find("two words", 1, true))
      end
    end)
  end)

  describe("that HubSpot rejects in the midst of a job", function()
    local OLD, NEW = "old-token-0123456789", "new-token-9876543210"

    local raw

    local UNAUTHORIZED = responses.rejected(401,
      '{"message":"Authentication credentials not found","category":"INVALID_AUTHENTICATION"}')

    local function created(from, to)
      local body = '{"status":"COMPLETE","results":[{"fromObjectId":%d,"toObjectId":%d}]}'
      return responses.created(body:format(from, to))
    end

    -- The arguments of a job of two requests.
    local function arguments(token_file)
      return command.create(raw:url(), { "--max-attempts", "1", "--concurrency", "1", "--batch-size", "1",
        "--token-file", token_file, file("rows.csv", "101,202\n102,203\n") }, "1")
    end

    it("reads its token file again, and goes on", function()
      raw = fixture.raw { {
        { "read_request" }, { "sleep", 0.3 }, { "send", created(101, 202) },
        { "read_request" }, { "send", UNAUTHORIZED }, { "read_request" }, { "send", created(102, 203) },
      } }
      local child = command.start(arguments(secret_file("token", OLD .. "\n")))
      exchange.eventually(function() return #raw:requests() >= 1 end, "the first request")
      file("token", NEW .. "\n")
      local result = child:close()
      assert.are.equal(0, result.code, result.stderr)
      assert_found(result.stdout, "2 rows: 2 created, 0 failed\n")
      assert.matches("Bearer " .. OLD, raw:requests()[2], 1, true)
      assert.matches("Bearer " .. NEW, raw:requests()[3], 1, true)
    end)

    local function assert_stopped(result, word)
      assert.are.equal(2, result.code)
      assert_found(result.stdout, "2 rows: 1 created, 0 failed, 1 not sent\n")
      assert_found(result.stderr, "unauthorized: Authentication credentials not found")
      assert_found(result.stderr, word)
      assert_found(result.stderr, GO_ON)
      assert.is_nil((result.stdout .. result.stderr):find("-token-", 1, true))
      assert.are.equal(2, #raw:requests())
    end

    it("says so when the file still holds the token that was rejected", function()
      raw = fixture.raw { responses.script { created(101, 202), UNAUTHORIZED } }
      assert_stopped(command.run(arguments(secret_file("token", OLD .. "\n"))),
        "was read again: it still holds the token that was rejected")
    end)

    it("warns once of a file that others can read, though it is read again", function()
      raw = fixture.raw { responses.script { created(101, 202), UNAUTHORIZED } }
      local exposed = secret_file("token", OLD .. "\n")
      process.run { "chmod", "644", exposed }
      local result = command.run(arguments(exposed))
      local _, warnings = result.stderr:gsub("warning: ", "")
      assert.are.equal(1, warnings)
      assert_stopped(result, "was read again")
    end)

    it("says so when the file holds no token any more, or one that others can read", function()
      for text, word in pairs { [""] = " is empty", ["two words"] = "no access token" } do
        raw = fixture.raw { {
          { "read_request" }, { "sleep", 0.3 }, { "send", created(101, 202) },
          { "read_request" }, { "send", UNAUTHORIZED },
        } }
        local child = command.start(arguments(secret_file("token", OLD .. "\n")))
        exchange.eventually(function() return #raw:requests() >= 1 end, "the first request")
        file("token", text)
        assert_stopped(child:close(), word)
      end
    end)

    it("does not read a pipe again, which has nothing more", function()
      raw = fixture.raw { responses.script { created(101, 202), UNAUTHORIZED } }
      local script = "cat " .. process.quote(file("token", OLD)) .. ' | { exec 3<&0; exec "$@"; }'
      local argv = command.argv(arguments "/dev/fd/3", script)
      assert_stopped(command.check(process.run(argv, { env = command.environment() })), "is not read again")
    end)
  end)
end)
