-- The CSV file of the rows that failed or are unconfirmed, written as the job goes. The command can read it:
-- its further columns are ignored, so that it can be corrected and fed back.

local cells = require "hubspot.associations.text.cells"
local places = require "hubspot.associations.cli.input.places"

local failures_file = {}

local COLUMNS = { "row", "from", "to", "type", "outcome", "error", "message" }

---@class hubspot.associations.cli.FailuresFile
---@field path string
---@field rows integer how many were added
---@field failed string|nil why it does not have them all
---@field not_of_it string[] options of this run with which it must not be read; set by its owner
---@field is_complete boolean whether it is closed, and has every row that was added
local FailuresFile = {}
FailuresFile.__index = FailuresFile

---Makes sure that the file can be written. It keeps the rows of an earlier run until this run has a row, or
---ends: a run that stops at once must not cost that list.
---@param path string
---@param names string[] of the FILEs: where there are several, it says in which a row stands
---@param others hubspot.associations.cli.OtherColumns that it has as well, behind its own
---@return hubspot.associations.cli.FailuresFile|nil
---@return string|nil message
function failures_file.open(path, names, others)
  local handle, why = io.open(path, "ab")
  if not handle then return nil, why end
  local is_empty = handle:seek "end" == 0
  return setmetatable({
    path = path, names = names, others = others, rows = 0, handle = handle, is_empty = is_empty,
    is_complete = false,
  }, FailuresFile)
end

-- After a failure, it writes no more: a gap in the middle would go unnoticed.
local function check(self, done, why)
  if not done and not self.failed then
    self.failed = ("%s: cannot be written: %s; it does not list all rows that failed"):format(
      self.path, tostring(why)
    )
  end
  return not self.failed or nil, self.failed
end

local function write(self, text)
  if self.failed then return nil, self.failed end
  return check(self, self.handle:write(text))
end

-- Writes lists of fields as one record.
local function write_record(self, ...)
  local fields = {}
  for _, list in ipairs { ... } do
    for _, value in ipairs(list) do fields[#fields + 1] = cells.field(value) end
  end
  return write(self, table.concat(fields, ",") .. "\n")
end

-- Begins the file anew. A pipe keeps a writer meanwhile: its reader does not see an end.
local function begin(self)
  self.begun = true
  local handle, why = io.open(self.path, "wb")
  if not handle then return check(self, nil, why) end
  self.handle:close() -- nothing was written to it
  self.handle = handle
  return write_record(self, #self.names > 1 and { "file" } or {}, COLUMNS, self.others.names)
end

---Closes the file, without a change.
function FailuresFile:discard()
  self.handle:close()
end

---@param row hubspot.associations.cli.FailedRow
---@return boolean|nil
---@return string|nil message
function FailuresFile:add(row)
  self.rows = self.rows + 1
  if not self.begun then begin(self) end
  local file, line = places.read(row.line)
  return write_record(self, #self.names > 1 and { self.names[file] } or {}, {
    ("%.0f"):format(line), row.from, row.to, row.type, row.outcome, row.category, row.message,
  }, self.others:values(row.line, row.kept))
end

---@param is_complete boolean whether the run came to its end: then the file has no row of an earlier run
---@return boolean|nil true when all was written
---@return string|nil message
function FailuresFile:close(is_complete)
  if not self.begun and (is_complete or self.is_empty) then begin(self) end
  local closed, why = self.handle:close() -- writes what is still buffered
  self.is_complete = check(self, closed, why) == true
  return self.is_complete or nil, self.failed
end

return failures_file
