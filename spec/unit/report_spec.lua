-- Checks report.lua's advice: what a job stopped with in, what to do out.
-- Never checks the report of a job that ran: cli_spec and command_job_spec do.

local errors = require "hubspot.associations.errors"
local report = require "hubspot.associations.cli.report"

local function advice(kind, message)
  return report.next_step("j", errors.new { kind = kind, message = message or "" })
end

describe("what to do about a job that stopped", function()
  it("is to run it again, where nothing has to change first", function()
    assert.are.equal("to go on, run the same command again: j has what is done", advice "network")
    assert.are.equal("to go on, run the same command again: j has what is done", report.next_step("j", nil))
    assert.truthy(report.next_step(nil, nil):find("creating an association twice changes nothing", 1, true))
  end)

  it("is to give a journal the job that it is of", function()
    local text = advice("journal", "journal j: is of another job: inputs 1 to 2 are not the ones it recorded")
    assert.truthy(text:find("the same rows, --type and --category", 1, true))
  end)

  it("is to make room for a journal that cannot be written, and to go on with it", function()
    local text = advice("journal", "journal j: No space left on device")
    assert.truthy(text:find("once the journal can be written, to go on, run the same command", 1, true))
  end)
end)
