-- Holds that the specs mirror the source: a/b/c.lua has spec/a/b/c_spec.lua or spec/a/c_spec.lua. A file at
-- the top has its spec in spec/client, a loop in spec/hosts.

local checkout = require "support.checkout"

-- Files without a spec of their own, and the spec that covers each.
local COVERED = {
  ["arguments"] = "client/endpoints",
  ["cli/account"] = "cli/commands/list",
  ["cli/checks"] = "cli/arguments",
  ["cli/flags"] = "cli/arguments",
  ["cli/commands/queue"] = "redis/commands",
  ["cli/commands/retry_failed"] = "redis/commands",
  ["cli/commands/discard_failed"] = "redis/commands",
  ["cli/commands/work"] = "redis/commands",
  ["cli/fleet"] = "redis/commands",
  ["cli/help"] = "cli/arguments",
  ["cli/input/csv_columns"] = "cli/input/rows",
  ["cli/input/csv_rows"] = "cli/input/rows",
  ["cli/input/input_file"] = "cli/input/source",
  ["cli/input/json_rows"] = "cli/input/rows",
  ["cli/input/lines"] = "cli/input/csv",
  ["cli/input/other_columns"] = "cli/output/failures",
  ["cli/output/colours"] = "cli/output/screen",
  ["cli/output/counts"] = "cli/output/report",
  ["cli/output/failure"] = "cli/output/failures_file",
  ["cli/output/failure_groups"] = "cli/output/first_failures",
  ["cli/output/removal_failures"] = "cli/commands/sync",
  ["cli/output/sync_report"] = "cli/commands/sync",
  ["cli/question"] = "cli/confirmation",
  ["cli/sync_job"] = "cli/commands/sync",
  ["client"] = "client/create",
  ["collector/first_request"] = "collector/collector",
  ["collector/group"] = "collector/collector",
  ["collector/line"] = "collector/queue",
  ["collector/outcome"] = "collector/collector",
  ["collector/cohort"] = "collector/coroutines",
  ["job/chunk"] = "job/job",
  ["job/input_text"] = "job/journal",
  ["job/journal_file"] = "job/journal",
  ["job/journal_record"] = "job/journal",
  ["job/look_ahead"] = "job/looking_up",
  ["job/reading"] = "job/job",
  ["job/reporting"] = "job/job",
  ["job/responses"] = "job/job",
  ["job/source"] = "job/job",
  ["job/trial"] = "job/search",
  ["links"] = "collector/collector",
  ["meta"] = "documents/reference",
  ["loop/blocking"] = "client/create",
  ["loop/support/uv"] = "hosts/luv",
  ["loop/support/waiters"] = "hosts/luv",
  ["redis"] = "redis/connection",
  ["redis/budget_script"] = "redis/budget",
  ["redis/channel"] = "redis/budget",
  ["redis/failure"] = "redis/connection",
  ["redis/link"] = "redis/connection",
  ["redis/member"] = "simulation/budget",
  ["redis/options"] = "redis/budget",
  ["redis/queue_scripts"] = "redis/queue",
  ["redis/script"] = "redis/connection",
  ["redis/waiters"] = "simulation/budget",
  ["sandbox"] = "sandbox/start",
  ["sandbox/association_result"] = "sandbox/handlers/put",
  ["sandbox/batch_response"] = "sandbox/handlers/create",
  ["sandbox/child"] = "sandbox/start",
  ["sandbox/default_results"] = "sandbox/handlers/create_default",
  ["sandbox/handlers/update_limits"] = "sandbox/handlers/create_limits",
  ["sandbox/json"] = "sandbox/faults",
  ["sandbox/json_position"] = "sandbox/association_inputs",
  ["sandbox/label_body"] = "sandbox/handlers/create_label",
  ["sandbox/labels"] = "sandbox/handlers/create_label",
  ["sandbox/limit_inputs"] = "sandbox/handlers/create_limits",
  ["sandbox/limit_report"] = "sandbox/handlers/records_near_limit",
  ["sandbox/limits"] = "sandbox/handlers/create_limits",
  ["sandbox/link_page"] = "sandbox/handlers/list",
  ["sandbox/record_inputs"] = "sandbox/handlers/archive",
  ["sandbox/rejection"] = "sandbox/account",
  ["sandbox/removal"] = "sandbox/handlers/archive",
  ["sandbox/store"] = "sandbox/links",
  ["session/session"] = "session/request",
  ["sync/applying"] = "sync/sync",
  ["sync/digest"] = "sync/sync",
  ["sync/lines"] = "sync/sync",
  ["sync/rows"] = "sync/sync",
  ["sync/runner"] = "sync/sync",
  ["sync/tally"] = "sync/sync",
  ["sync/type_keys"] = "sync/sync",
  ["text/ascii"] = "robustness/locale",
  ["type_data"] = "client/types",
  ["version"] = "repository/version",
  ["work/tenure"] = "redis/work",
}

-- The paths below a folder that end so, without that ending: a list, and a set.
local function files_below(folder, ending)
  local list, set = {}, {}
  for _, path in ipairs(checkout.files(folder .. " -name '*" .. ending .. "'")) do
    local name = path:sub(#folder + 2, -#ending - 1)
    list[#list + 1], set[name] = name, true
  end
  return list, set
end

describe("the specs", function()
  local modules = files_below("lua/hubspot/associations", ".lua")
  local _, is_spec = files_below("spec", "_spec.lua")

  local function has_its_own(module)
    local top, name = module:match "^[^/]*/" or "client/", module:match "[^/]*$"
    if top == "loop/" then top = "hosts/" end
    return is_spec[module] or is_spec[top .. name] or false
  end

  it("mirror the source", function()
    local missing, needed = {}, {}
    for _, module in ipairs(modules) do
      if not has_its_own(module) then
        if not COVERED[module] then missing[#missing + 1] = module end
        needed[module] = true
      end
    end
    assert.is_true(#modules > 0)
    assert.same({}, missing)
    for entry, spec in pairs(COVERED) do
      assert.is_true(needed[entry] or false, entry .. " has a spec of its own, or is gone")
      assert.is_true(is_spec[spec] or false, spec .. " is not there")
    end
  end)
end)
