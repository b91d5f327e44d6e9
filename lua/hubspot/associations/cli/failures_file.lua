-- The CSV file of the rows that were not created, written as they come. The command reads it, too: its other
-- columns are passed over, so that it can be mended and fed back in.

local failures_file = {}

local HEADER = "row,from,to,type,outcome,category,message\n"

---@class hubspot.associations.cli.FailuresFile
local FailuresFile = {}
FailuresFile.__index = FailuresFile

local function field(value)
  value = tostring(value)
  if not value:find '[,"\r\n]' and not value:find "^%s" and not value:find "%s$" then return value end
  return '"' .. value:gsub('"', '""') .. '"'
end

---Begins the file anew.
---@param path string
---@return hubspot.associations.cli.FailuresFile|nil
---@return string|nil message
function failures_file.open(path)
  local handle, why = io.open(path, "wb")
  if not handle then return nil, why end
  local self = setmetatable({ handle = handle, path = path, rows = 0 }, FailuresFile)
  self:write(HEADER)
  return self
end

-- Once it failed, it writes no more: what is missing in the middle nobody would notice.
function FailuresFile:write(text)
  if self.failed then return nil, self.failed end
  local written, why = self.handle:write(text)
  if written then return true end
  self.failed = ("%s: cannot be written: %s"):format(self.path, tostring(why))
  return nil, self.failed
end

---@param row hubspot.associations.cli.FailedRow
---@return boolean|nil
---@return string|nil message
function FailuresFile:add(row)
  self.rows = self.rows + 1
  return self:write(table.concat({
    field(row.line), field(row.from), field(row.to), field(row.type), row.outcome, field(row.category),
    field(row.message),
  }, ",") .. "\n")
end

---@return boolean|nil true when all of it was written
---@return string|nil message
function FailuresFile:close()
  local closed, why = self.handle:close()
  if not closed and not self.failed then
    self.failed = ("%s: cannot be written: %s"):format(self.path, tostring(why))
  end
  return not self.failed or nil, self.failed
end

return failures_file
