-- FILE as a job's source: an iterator that goes on after a bad row, and raises when no more can be read.
-- Keeps one row in memory.

local ascii = require "hubspot.associations.text.ascii"
local rows = require "hubspot.associations.cli.input.rows"
local types = require "hubspot.associations.types"

---@class hubspot.associations.cli.Source
---@field name string of the file, for messages
---@field rows integer how many the job has read
---@field limit number how many it is to read at most
---@field exhausted boolean whether the file has no more
---@field interrupted boolean|nil whether it ended because the command was interrupted
---@field broken string|nil why there are no more rows, when that is not the end of the file
local Source = {}
Source.__index = Source

local source = {}

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

-- The next input; false at the end; nil and why when no more can be read. A bad row is an input, too: without
-- ids, so that the job finds it invalid, and with what is wrong in `problem`.
local function read(self)
  local input, problem = self.next_row()
  if input then return input end
  if not problem then return false end
  if problem.fatal then return nil, self.name .. ": " .. problem_text(problem) end
  return { line = problem.line, problem = problem }
end

---Opens the file and reads its first row.
---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@param caught fun(): integer|nil whether the command was interrupted
---@param options table|nil takes, typed, guard, empty_to and not_failures, as in rows.lua
---@return hubspot.associations.cli.Source|nil
---@return string|nil message
---@return string|nil advice
function source.open(arguments, environment, caught, options)
  local is_own = arguments.file ~= "-"
  if not is_own and environment.stdin_is_closed then return nil, CLOSED, ON_CLOSED end
  local name, handle = "standard input", environment.stdin
  if is_own then
    local opened, why = io.open(arguments.file, "rb")
    if not opened then return nil, "cannot open " .. why end
    name, handle = arguments.file, opened
  end
  local self = setmetatable({
    name = name, handle = handle, is_own = is_own, caught = caught, size = size_of(handle),
    rows = 0, exhausted = false, limit = arguments.limit or math.huge,
  }, Source)
  local why
  options = options or {}
  self.next_row, why, self.taken = rows.open(handle, {
    takes = options.takes, typed = options.typed, guard = options.guard, empty_to = options.empty_to,
    not_failures = options.not_failures,
    format = arguments.format or FORMAT_OF[ascii.lower(arguments.file:match "%.([A-Za-z0-9]+)$" or "")],
    type = arguments.type,
    category = arguments.category,
    columns = { from = arguments.from_column, to = arguments.to_column, type = arguments.type_column },
    properties = { from = arguments.from_property, to = arguments.to_property },
    split = arguments.split,
    untyped = untyped(arguments),
  })
  if not self.next_row then why = name .. ": " .. why end
  if not why then
    self.held, why = read(self)
    local problem = self.held and self.held.problem
    if self.held == false then why = name .. ": has no rows" end
    if problem and problem.is_typed then why = name .. ": " .. problem_text(problem) end -- another file
  end
  if not why then return self end
  self:close()
  return nil, why
end

local function interrupt(self)
  self.interrupted = true
  error("interrupted", 0)
end

-- Notes whether a file has more rows than it may. A pipe is not asked: that could wait for a row in vain.
local function at_limit(self)
  if self.size and self.held == nil then self.held = read(self) end
  self.exhausted = self.held == false
end

---A source without rows, for a command that takes its work from elsewhere.
---@return hubspot.associations.cli.Source
function source.none()
  return setmetatable({
    name = "no file", rows = 0, exhausted = true, limit = math.huge, caught = function() return nil end,
    next_row = function() return nil end,
  }, Source)
end

---The iterator. Raises when the file cannot be read on, and when the command was interrupted.
---@return table|nil input
function Source:next()
  if self.caught() then interrupt(self) end
  if self.rows >= self.limit then return at_limit(self) end
  local input, why = self.held, nil
  self.held = nil
  if input == nil then input, why = read(self) end
  if input then
    self.rows = self.rows + 1
    return input
  elseif why then
    if self.caught() then interrupt(self) end -- the signal ended a read that waited for a pipe
    self.broken = why
    error(why, 0)
  end
  self.exhausted = true
end

---How many rows there are: an estimate until all are read; nil when nothing is known.
---@return number|nil
function Source:total()
  if self.exhausted then return self.rows end
  local taken = self.size and self.taken() or 0
  if taken == 0 or self.rows == 0 then return nil end
  return math.min(self.limit, math.max(self.rows, self.rows * self.size / taken))
end

---Whether the file has more rows than the job has read, as far as that is known.
---@return boolean
function Source:has_rest()
  if self.broken or self.held then return true end
  return not self.exhausted and (not self.size or self.taken() < self.size)
end

function Source:close()
  if self.is_own then self.handle:close() end
end

return source
