-- Holds that the specs mirror the source: a/b/c.lua has spec/a/b/c_spec.lua or spec/a/c_spec.lua. A file at
-- the top has its spec in spec/client, a loop in spec/hosts.

local checkout = require "support.checkout"

-- Files without a spec of their own, and the spec that covers each.
local COVERED = {
  ["cli/commands/create"] = "cli/command",
  ["cli/commands/sandbox"] = "cli/command",
  ["cli/credential"] = "cli/command",
  ["cli/input/csv_columns"] = "cli/input/rows",
  ["cli/input/csv_rows"] = "cli/input/rows",
  ["cli/input/json_rows"] = "cli/input/rows",
  ["cli/input/lines"] = "cli/input/csv",
  ["cli/input/source"] = "cli/jobs",
  ["cli/interrupts"] = "cli/jobs",
  ["cli/job"] = "cli/jobs",
  ["cli/main"] = "cli/command",
  ["cli/output/failure"] = "cli/output/report",
  ["cli/output/failure_groups"] = "cli/output/first_failures",
  ["cli/output/failures"] = "cli/output/report",
  ["client"] = "client/create",
  ["job/chunk"] = "job/job",
  ["job/reading"] = "job/job",
  ["job/responses"] = "job/job",
  ["job/source"] = "job/job",
  ["job/trial"] = "job/search",
  ["loop/blocking"] = "client/create",
  ["loop/support/uv"] = "hosts/luv",
  ["loop/support/waiters"] = "hosts/luv",
  ["sandbox/batch_response"] = "sandbox/account",
  ["sandbox/control"] = "sandbox/account",
  ["sandbox/direction"] = "sandbox/account",
  ["sandbox/faults"] = "sandbox/account",
  ["sandbox/handlers/create"] = "sandbox/account",
  ["sandbox/handlers/read"] = "sandbox/account",
  ["sandbox/json"] = "sandbox/account",
  ["sandbox/json_position"] = "sandbox/account",
  ["sandbox/links"] = "sandbox/account",
  ["sandbox/options"] = "sandbox/account",
  ["sandbox/rate_window"] = "sandbox/account",
  ["sandbox/rejection"] = "sandbox/account",
  ["sandbox/request_body"] = "sandbox/account",
  ["sandbox/store"] = "sandbox/account",
  ["session/session"] = "session/request",
  ["text/ascii"] = "robustness/locale",
  ["type_data"] = "client/types",
  ["version"] = "repository/version",
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
  local modules, is_module = files_below("lua/hubspot/associations", ".lua")
  local _, is_spec = files_below("spec", "_spec.lua")

  local function has_its_own(module)
    local top, name = module:match "^[^/]*/" or "client/", module:match "[^/]*$"
    if top == "loop/" then top = "hosts/" end
    return is_spec[module] or is_spec[top .. name] or false
  end

  it("mirror the source", function()
    local missing = {}
    for _, module in ipairs(modules) do
      if not has_its_own(module) and not COVERED[module] then missing[#missing + 1] = module end
    end
    assert.is_true(#modules > 0)
    assert.same({}, missing)
  end)

  it("cover the other files as listed", function()
    for module, spec in pairs(COVERED) do
      assert.is_true(is_module[module] or false, module .. " is not there")
      assert.is_false(has_its_own(module), module .. " has a spec of its own")
      assert.is_true(is_spec[spec] or false, spec .. " is not there")
    end
  end)
end)
