-- Where a run's failures go: the first of them to the report, all of them to --failures.
-- Keeps the file from being one of the other files of the command.

local core = require "hubspot.associations.core"
local failure = require "hubspot.associations.cli.output.failure"
local failures_file = require "hubspot.associations.cli.output.failures_file"
local first_failures = require "hubspot.associations.cli.output.first_failures"

---@class hubspot.associations.cli.Failures
---@field first hubspot.associations.cli.FirstFailures
---@field file hubspot.associations.cli.FailuresFile|nil
local Failures = {}
Failures.__index = Failures

local failures = {}

-- The file that a name or a descriptor stands for; nil for what may be shared, such as a pipe or a terminal.
local function file_id(of)
  local found = of and core.stat(of)
  return found and found.type == "file" and found.id or nil
end

-- What the command reads and writes: { its name, a path or a descriptor, whether it is written }.
local function files_of(arguments, environment)
  local owns = environment.owns_process
  local files = {
    { "FILE", arguments.file ~= "-" and arguments.file or owns and 0 or nil },
    { "--token-file", arguments.token_file },
    { "--ca-file", arguments.ca_file },
    { "standard output", owns and 1 or nil },
    { "standard error", owns and 2 or nil },
    { "--failures", arguments.failures, true },
    { "--journal", arguments.journal, true },
  }
  for _, file in ipairs(files) do file.id = file_id(file[2]) end
  return files
end

local function is_same(one, other)
  if one[2] == nil or other[2] == nil then return false end
  return one[2] == other[2] or one.id ~= nil and one.id == other.id
end

---Why the command's files may not be what they are named; nil when they may. A file that is written must be
---no other one of them.
---@param arguments table
---@param environment hubspot.associations.cli.Environment
---@return string|nil
function failures.conflict(arguments, environment)
  local files = files_of(arguments, environment)
  for index, one in ipairs(files) do
    for other = index + 1, #files do
      local is_written = one[3] or files[other][3]
      if is_written and is_same(one, files[other]) then
        local path = type(one[2]) == "string" and one[2] or files[other][2]
        return ("%s and %s are the same file: %s"):format(one[1], files[other][1], path)
      end
    end
  end
end

-- The options that say how FILE is read, and that a file of failures must not be read with.
local function not_of_failures(arguments)
  local list = {}
  if arguments.format == "jsonl" then list[1] = "--format" end
  for _, column in ipairs { "from", "to", "type" } do
    if arguments[column .. "_column"] then list[#list + 1] = ("--%s-column"):format(column) end
  end
  return list
end

---Opens the file for failures. The journal is there by now: two names may be of one file that was not before.
---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@return hubspot.associations.cli.Failures|nil
---@return string|nil message
function failures.open(arguments, environment)
  local file, why
  if arguments.failures then
    file, why = failures_file.open(arguments.failures)
    if not file then return nil, "--failures: cannot open " .. why end
    file.not_of_it = not_of_failures(arguments)
    why = failures.conflict(arguments, environment)
    if why then
      file:discard()
      return nil, why
    end
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
