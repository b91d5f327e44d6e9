-- Where a run's failures go: the first of them to the report, all of them to --failures.
-- Keeps the file from being one of the other files of the command.

local failure = require "hubspot.associations.cli.failure"
local failures_file = require "hubspot.associations.cli.failures_file"
local first_failures = require "hubspot.associations.cli.first_failures"
local shell = require "hubspot.associations.cli.shell"

---@class hubspot.associations.cli.Failures
---@field first hubspot.associations.cli.FirstFailures
---@field file hubspot.associations.cli.FailuresFile|nil
local Failures = {}
Failures.__index = Failures

local failures = {}

---Why the command's files may not be what they are named; nil when they may.
---@param arguments table
---@return string|nil
function failures.conflict(arguments)
  local named = {
    { "FILE", arguments.file ~= "-" and arguments.file or nil },
    { "--failures", arguments.failures },
    { "--journal", arguments.journal },
  }
  for index, one in ipairs(named) do
    for other = index + 1, #named do
      local path, other_path = one[2], named[other][2]
      if path and other_path and (path == other_path or shell.same_file(path, other_path)) then
        return ("%s and %s are the same file: %s"):format(one[1], named[other][1], path)
      end
    end
  end
end

---@param arguments table as arguments.parse gives them
---@return hubspot.associations.cli.Failures|nil
---@return string|nil message
function failures.open(arguments)
  local file, why
  if arguments.failures then
    file, why = failures_file.open(arguments.failures)
    if not file then return nil, "--failures: cannot open " .. why end
  end
  return setmetatable({
    with_category = arguments.category ~= nil, -- the file may be read without --category, or with another
    first = first_failures.new(),
    file = file,
  }, Failures)
end

---Takes a failure as on_failure has it. A row that was not sent is none: the next run sends it.
---@param failed table
---@return boolean goes_on false when the file cannot be written
function Failures:add(failed)
  if failed.outcome == "not_sent" then return true end
  local row = failure.describe(failed, self.with_category)
  self.first:add(row)
  return not self.file or self.file:add(row) == true
end

---@param is_complete boolean whether the run came to its end
---@return boolean|nil true when the file has them all
---@return string|nil message
function Failures:close(is_complete)
  if not self.file then return true end
  return self.file:close(is_complete)
end

return failures
