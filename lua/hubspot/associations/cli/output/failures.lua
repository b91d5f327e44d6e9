-- Where the failures of a run go: the first of them to the report, all of them to the file of --failures.

local failure = require "hubspot.associations.cli.output.failure"
local failures_file = require "hubspot.associations.cli.output.failures_file"
local files = require "hubspot.associations.cli.files"
local first_failures = require "hubspot.associations.cli.output.first_failures"
local places = require "hubspot.associations.cli.input.places"

---@class hubspot.associations.cli.Failures
---@field first hubspot.associations.cli.FirstFailures
---@field file hubspot.associations.cli.FailuresFile|nil
local Failures = {}
Failures.__index = Failures

local failures = {}

-- The options that say how FILE is read, and with which the file of failures must not be read.
local function not_of_failures(arguments)
  local list = {}
  if arguments.format == "jsonl" then list[1] = "--format" end
  for _, column in ipairs { "from", "to", "type" } do
    if arguments[column .. "_column"] then list[#list + 1] = ("--%s-column"):format(column) end
  end
  -- It has not all links of its records: mirror would remove the others.
  if arguments.mode == "mirror" then list[#list + 1] = "--mode mirror" end
  return list
end

---Opens the file for failures. The journal exists by now, so that two names that were of no file before may
---be of the same one.
---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@param source hubspot.associations.cli.Source
---@return hubspot.associations.cli.Failures|nil
---@return string|nil message
function failures.open(arguments, environment, source)
  local file, why
  if arguments.failures then
    file, why = failures_file.open(arguments.failures, source.names, source.others)
    if not file then return nil, "--failures: cannot open " .. why end
    file.not_of_it = not_of_failures(arguments)
    why = files.conflict(arguments, environment)
    if why then
      file:discard()
      return nil, why
    end
  end
  local names = arguments.apply and places.plan_names(arguments.apply) or source.names
  return setmetatable({
    with_category = arguments.category ~= nil, -- the file may be read without --category, or with another
    first = first_failures.new(names),
    file = file,
  }, Failures)
end

---Takes a failure as on_failure has it. A row that was not sent is no failure: the next run sends it.
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
