-- One FILE, or standard input: its rows, each an input of a job, and what is wrong with it as a whole. Keeps
-- one row in memory.

local ascii = require "hubspot.associations.text.ascii"
local places = require "hubspot.associations.cli.input.places"
local rows = require "hubspot.associations.cli.input.rows"
local types = require "hubspot.associations.types"

---@class hubspot.associations.cli.InputFile
---@field name string for messages
---@field size integer|nil in bytes; nil for a pipe
---@field taken fun(): integer the size of the rows so far, in bytes
---@field other_columns hubspot.associations.cli.OtherColumn[] of its header: those that are not read
---@field private held table|false|nil a row that was read ahead; false at the end
local InputFile = {}
InputFile.__index = InputFile

local input_file = {}

local FORMAT_OF = { csv = "csv", jsonl = "jsonl", ndjson = "jsonl" }

local CLOSED = "standard input is closed"
local ON_CLOSED = "give the name of a file, or write the rows to the command's standard input"

-- The message for a row without a type. A type that is known is named, but not used: only the user knows
-- which is meant.
local function untyped(arguments)
  local advice = "the row has no association type; give it one, or give --type for all such rows"
  local id = types.id(arguments.from, arguments.to)
  if not id then return advice end
  return ("%s (%d is the unlabeled type from %s to %s)"):format(advice, id, arguments.from, arguments.to)
end

-- The rest of a handle, in bytes; nil for a pipe.
local function size_of(handle)
  local at = handle.seek and handle:seek()
  local size = at and handle:seek "end"
  if not size then return nil end
  handle:seek("set", at)
  return size - at
end

local function problem_text(problem)
  local parts = {}
  if problem.line then parts[1] = "line " .. problem.line end
  if problem.column then parts[#parts + 1] = "column " .. problem.column end
  parts = table.concat(parts, ", ")
  return parts == "" and problem.message or parts .. ": " .. problem.message
end

-- The next row, as `read` returns it.
local function next_row(self)
  local input, problem = self.next_row()
  if input then return input end
  if not problem then return false end
  if problem.fatal then return nil, self.name .. ": " .. problem_text(problem) end
  return { line = problem.line, problem = problem }
end

-- How its rows are read.
local function row_options(path, arguments, options)
  return {
    takes = options.takes, typed = options.typed, guard = options.guard, empty_to = options.empty_to,
    not_failures = options.not_failures, keeps = options.keeps,
    format = arguments.format or FORMAT_OF[ascii.lower(path:match "%.([A-Za-z0-9]+)$" or "")],
    type = arguments.type,
    category = arguments.category,
    columns = { from = arguments.from_column, to = arguments.to_column, type = arguments.type_column },
    properties = { from = arguments.from_property, to = arguments.to_property },
    split = arguments.split,
    untyped = untyped(arguments),
  }
end

-- Reads the first row, which says what the file is. Returns why it is not to be used.
local function begin(self, path, arguments, options)
  local found, why, taken, other_columns = rows.open(self.handle, row_options(path, arguments, options))
  if not found then return self.name .. ": " .. why end
  self.next_row, self.taken, self.other_columns = found, taken, other_columns
  self.held, why = next_row(self)
  if self.held == false then return self.name .. ": has no rows" end
  local problem = self.held and self.held.problem
  if problem and problem.is_typed then return self.name .. ": " .. problem_text(problem) end -- another file
  return why
end

---Opens the file and reads its first row.
---@param path string - is standard input
---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@param options table takes, typed, guard, empty_to, not_failures and keeps, as in rows.lua
---@return hubspot.associations.cli.InputFile|nil
---@return string|nil message
---@return string|nil advice
function input_file.open(path, arguments, environment, options)
  local is_own = path ~= "-"
  if not is_own and environment.stdin_is_closed then return nil, CLOSED, ON_CLOSED end
  local handle = environment.stdin
  if is_own then
    local opened, problem = io.open(path, "rb")
    if not opened then return nil, "cannot open " .. problem end
    handle = opened
  end
  local self = setmetatable({
    name = places.names({ path })[1], handle = handle, is_own = is_own, size = size_of(handle),
  }, InputFile)
  local why = begin(self, path, arguments, options)
  if not why then return self end
  self:close()
  return nil, why
end

---The next input; false at the end; nil and why when no more can be read. A bad row is an input, too: without
---ids, so that the job finds it invalid, and with what is wrong in `problem`.
---@return table|false|nil input
---@return string|nil message
function InputFile:read()
  local held = self.held
  if held == nil then return next_row(self) end
  if held then self.held = nil end
  return held
end

---Whether it has more rows, as far as that is known without waiting for a pipe.
---@return boolean
function InputFile:has_rest()
  if self.held == nil and self.size then self.held = next_row(self) end
  return self.held ~= false
end

function InputFile:close()
  if self.is_own then self.handle:close() end
end

return input_file
