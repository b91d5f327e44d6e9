-- The FILEs as a job's source: an iterator that goes on after a bad row, and from one file to the next, and
-- raises when no more can be read. Each file is looked at before the first row is sent, so that a bad one
-- does not stop the job in the midst; only the one that is being read stays open, but for pipes.

local core = require "hubspot.associations.core"
local input_file = require "hubspot.associations.cli.input.input_file"
local other_columns = require "hubspot.associations.cli.input.other_columns"
local places = require "hubspot.associations.cli.input.places"

---@class hubspot.associations.cli.Source
---@field names string[] of the files, for messages
---@field others hubspot.associations.cli.OtherColumns the columns that the command does not read
---@field rows integer how many the job has read
---@field limit number how many it is to read at most
---@field exhausted boolean whether the files have no more
---@field interrupted boolean|nil whether it ended because the command was interrupted
---@field broken string|nil why there are no more rows, when that is not the end of the files
local Source = {}
Source.__index = Source

local source = {}

-- Goes on to a file. Returns nil, why and advice when it cannot be read.
local function begin_file(self, number)
  if not self.kept[number] then
    local file, why, advice = self.open_file(number)
    if not file then return nil, why, advice end
    self.kept[number] = file
  end
  self.number, self.file, self.kept[number] = number, self.kept[number], nil
  return true
end

-- Looks at each file, and keeps those that cannot be opened twice.
local function look_at(self)
  for number, path in ipairs(self.paths) do
    local file, why, advice = self.open_file(number)
    if not file then return nil, why, advice end
    self.others:add(number, file.other_columns)
    self.size = self.size and file.size and self.size + file.size
    local found = path ~= "-" and core.stat(path)
    if found and found.type == "file" and number > 1 then file:close() else self.kept[number] = file end
  end
  return begin_file(self, 1)
end

---Opens the files, and reads the first row of each.
---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@param caught fun(): integer|nil whether the command was interrupted
---@param options table|nil as in input_file.lua
---@return hubspot.associations.cli.Source|nil
---@return string|nil message
---@return string|nil advice
function source.open(arguments, environment, caught, options)
  local paths = arguments.files
  local self = setmetatable({
    paths = paths, names = places.names(paths), caught = caught, others = other_columns.new(),
    kept = {}, -- files that are open, and not yet read
    size = 0, taken_before = 0, -- bytes: of all files, nil where one is a pipe; of those that are read
    rows = 0, exhausted = false, limit = arguments.limit or math.huge,
    open_file = function(number)
      return input_file.open(paths[number], arguments, environment, options or {})
    end,
  }, Source)
  local opened, why, advice = look_at(self)
  if opened then return self end
  self:close()
  return nil, why, advice
end

---A source without rows, for a command that takes its work from elsewhere.
---@return hubspot.associations.cli.Source
function source.none()
  return setmetatable({
    paths = {}, names = {}, others = other_columns.new(), kept = {}, rows = 0, exhausted = true,
    limit = math.huge, caught = function() return nil end,
  }, Source)
end

local function interrupt(self)
  self.interrupted = true
  error("interrupted", 0)
end

-- The next input; false at the end of the last file; nil and why when no more can be read.
local function read(self)
  while self.file do
    local input, why = self.file:read()
    if input == nil then return nil, why end
    if input then
      input.line = places.of(self.number, input.line)
      return input
    end
    if self.size then self.taken_before = self.taken_before + self.file.size end
    self.file:close()
    self.file = nil
    local begun = true
    if self.number < #self.paths then begun, why = begin_file(self, self.number + 1) end
    if not begun then return nil, why end
  end
  return false
end

-- Whether there are more rows, as far as that is known without waiting for a pipe.
local function is_at_end(self)
  return not self.file or self.number == #self.paths and not self.file:has_rest()
end

---The iterator. Raises when a file cannot be read on, and when the command was interrupted.
---@return table|nil input
function Source:next()
  if self.caught() then interrupt(self) end
  if self.rows >= self.limit then
    self.exhausted = is_at_end(self)
    return nil
  end
  local input, why = read(self)
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
  local taken = self.size and self.taken_before + (self.file and self.file.taken() or 0) or 0
  if taken == 0 or self.rows == 0 then return nil end
  return math.min(self.limit, math.max(self.rows, self.rows * self.size / taken))
end

---What the job has not read, as far as that is known.
---@return string|nil "the rest of the file"
function Source:rest()
  if self.exhausted or not self.broken and is_at_end(self) then return nil end
  return #self.paths > 1 and "the rest of the files" or "the rest of the file"
end

function Source:close()
  if self.file then self.file:close() end
  for _, file in pairs(self.kept) do file:close() end
end

return source
