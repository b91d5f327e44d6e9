-- Checks advice.lua: the error that a job stopped with in, what to do out. What a job stops with is the
-- matter of other specs.

local advice = require "hubspot.associations.cli.output.advice"
local errors = require "hubspot.associations.errors"
local kinds = require "hubspot.associations.error_kinds"

local WITH_JOURNAL = { files = { "f.csv" }, journal = "j" }
local TWICE = "creating an association twice changes nothing"
local GO_ON = "to go on, run the same command again: j has what is done"

local function steps(fields, arguments)
  fields.message = fields.message or "words that say nothing"
  return advice.next_steps(errors.new(fields), arguments or WITH_JOURNAL, TWICE)
end

describe("what to do about a job that stopped", function()
  it("is to run the same command again, from its journal or from the start", function()
    assert.are.equal(GO_ON, advice.going_on(WITH_JOURNAL, TWICE))
    local text = advice.going_on({ files = { "f.csv" } }, TWICE)
    assert.truthy(text:find("creating an association twice changes nothing", 1, true))
    assert.truthy(text:find("with --journal FILE", 1, true))
    text = advice.going_on { files = { "-" }, journal = "j" }
    assert.truthy(text:find("the same command again with the same input", 1, true))
  end)

  local CASES = {
    { "a token that is rejected", { kind = "unauthorized", status = 401 }, "token" },
    { "missing scopes", { kind = "forbidden", status = 403 }, "scopes" },
    { "a path that is not there", { kind = "not_found", status = 404 }, "--api-version" },
    { "the daily limit", { kind = "daily_limit", status = 429 }, "midnight" },
    { "a limit that others use up", { kind = "rate_limited", status = 429 }, "--rate" },
    { "an outage", { kind = "http", status = 503 }, "try again later" },
    { "a rejection", { kind = "http", status = 400 }, "correct what HubSpot rejects" },
    { "responses that do not come", { kind = "timeout", curl_code = 28 }, "try again later" },
    { "a host that has no address", { kind = "network", curl_code = 6 }, "DNS" },
    { "a port that nobody listens at", { kind = "network", curl_code = 7 }, "can be reached" },
    { "a connection that breaks", { kind = "network", curl_code = 56 }, "try again later" },
    { "a proxy that has no address", { kind = "network", curl_code = 5 }, "https_proxy" },
    { "a proxy that refuses", { kind = "network", curl_code = 56, proxy_status = 407 }, "https_proxy" },
    { "a certificate that nobody trusts", { kind = "tls", curl_code = 60 }, "--ca-file" },
    { "certificates that cannot be read", { kind = "tls", curl_code = 77 }, "--ca-file" },
    { "a handshake that breaks", { kind = "tls", curl_code = 35 }, "--base-url" },
    { "a journal that cannot be written", { kind = "journal" }, "can be read and written" },
  }
  for _, case in ipairs(CASES) do
    it("fits " .. case[1], function()
      local lines = steps(case[2])
      assert.are.equal(2, #lines)
      assert.truthy(lines[1]:find(case[3], 1, true), lines[1])
      assert.are.equal(GO_ON, lines[2])
    end)
  end

  it("is to give a journal the job that it is of, or another one: not to run it again", function()
    local lines = steps { kind = "journal", reason = "other_job" }
    assert.are.equal(1, #lines)
    assert.truthy(lines[1]:find("the same rows in the same order, object types, --type, --category", 1, true))
    lines = steps { kind = "journal", reason = "other_file" }
    assert.same({ "give another file: this one stays as it is" }, lines)
    lines = steps { kind = "journal", reason = "in_use" }
    assert.are.equal(1, #lines)
    assert.truthy(lines[1]:find("the other process", 1, true))
  end)

  it("is not to run the same command again when that would stop again", function()
    assert.same({ "correct --from or --to" }, steps { kind = "http", status = 400, reason = "object_type" })
    assert.equal(1, #steps { kind = "invalid_input", field = "plan" })
  end)

  it("is nothing more than what the error needs after a dry run: there is nothing to go on from", function()
    assert.is_nil(advice.going_on { files = { "f.csv" }, dry_run = true })
    assert.same({ "correct the file" }, steps({ kind = "source" }, { files = { "f.csv" }, dry_run = true }))
    assert.same({}, steps({ kind = "canceled" }, { files = { "f.csv" }, dry_run = true }))
  end)

  it("names flags of the command, not options of the library", function()
    for kind in pairs(kinds) do
      for _, line in ipairs(steps { kind = kind }) do
        assert.is_nil(line:find "[`_]", line)
      end
    end
  end)

  it("comes from the error's fields, never from its words", function()
    local lines = steps { kind = "network", message = "journal x: is of another job, 401, proxy" }
    assert.truthy(lines[1]:find("try again later", 1, true))
  end)
end)
