-- A spool: lines in a temporary file that only the user can read, put in order by sort(1), so that memory
-- stays flat. Once it is sorted, the file has no name any more; until then, `remove` removes it.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local one_line = require "hubspot.associations.text.one_line"

local spool = {}

local BUFFERED = 1000 -- lines that are written at once
local MEMORY = "32M" -- what sort(1) may use

---@class hubspot.associations.sync.Spool
---@field bytes integer
---@field count integer lines
local Spool = {}
Spool.__index = Spool

---The error of a file of a sync that cannot be used.
---@param what string which file
---@param why any
---@return nil
---@return hubspot.associations.Error
function spool.unusable(what, why)
  local message = ("%s: %s"):format(what, one_line(why))
  return nil, errors.new { kind = "journal", message = message, retryable = false }
end

local function failed(self, why)
  return spool.unusable("the temporary file " .. tostring(self.path), why)
end

-- A new file, of the user's only. os.tmpname would always make it in /tmp, which may be small, or in memory.
local function new_path()
  local folder = core.getenv "TMPDIR" or "/tmp"
  local path, why = core.temporary_file(folder)
  if path then return path end
  return nil, ("%s: %s"):format(one_line(folder), why)
end

---@return hubspot.associations.sync.Spool|nil
---@return hubspot.associations.Error|nil
function spool.new()
  local self = setmetatable({ path = nil, buffer = {}, buffered = 0, bytes = 0, count = 0 }, Spool)
  local path, why = new_path()
  if not path then return spool.unusable("a temporary file", why) end
  self.path = path
  self.handle, why = io.open(path, "wb")
  if self.handle then return self end
  os.remove(path)
  return failed(self, why)
end

local function flush(self)
  local text = table.concat(self.buffer, "\n", 1, self.buffered) .. "\n"
  self.bytes = self.bytes + #text
  self.buffered = 0
  local written, why = self.handle:write(text)
  if not written then self.failed = why end
end

---Writes a line.
---@param line string
---@return boolean|nil
---@return hubspot.associations.Error|nil
function Spool:write(line)
  self.buffered, self.count = self.buffered + 1, self.count + 1
  self.buffer[self.buffered] = line
  if self.buffered == BUFFERED then flush(self) end
  if self.failed then return failed(self, self.failed) end
  return true
end

-- Ends the writing. A full disk may show only when the file is closed.
local function close(self)
  if self.buffered > 0 then flush(self) end
  local closed, why = self.handle:close()
  self.handle = nil
  if self.failed or not closed then return nil, self.failed or why end
  return true
end

-- A word of a command line of the shell.
local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Runs sort(1). Lua 5.1 does not say how a command ended: the command itself prints it.
local function run_sort(from, to)
  local folder = from:match "^(.*)/" or "."
  local command = ("LC_ALL=C sort -S %s -T %s -o %s %s 2>&1; echo \"status:$?\""):format(
    MEMORY, quoted(folder), quoted(to), quoted(from))
  local started, pipe, why = pcall(io.popen, command, "r")
  if not started or not pipe then return nil, why or pipe end
  local output = pipe:read "*a" or ""
  pipe:close()
  local said, status = output:match "^(.-)status:(%d+)[ \t-\r]*$"
  if status == "0" then return true end
  return nil, "sort(1) failed: " .. (said and said ~= "" and said or output)
end

-- The sorted file, open for reading. Its name is gone, so that it is removed however the program ends.
local function open_sorted(self, path)
  local sorted, why = run_sort(self.path, path)
  if not sorted then return nil, why end
  local handle
  handle, why = io.open(path, "rb")
  if not handle then return nil, why end
  local size = handle:seek "end"
  if size ~= self.bytes then
    handle:close()
    return nil, "sort(1) did not write all lines"
  end
  return handle
end

---Puts the lines in order, by their bytes. Nothing can be written any more.
---@return boolean|nil
---@return hubspot.associations.Error|nil
function Spool:sort()
  local closed, why = close(self)
  local target, handle
  if closed then target, why = new_path() end
  if target then
    handle, why = open_sorted(self, target)
    os.remove(target)
  end
  os.remove(self.path)
  if not handle then
    local _, err = failed(self, why)
    self.path = nil
    return nil, err
  end
  self.path, self.sorted = nil, handle
  return true
end

---Reads the sorted lines from the beginning, or from an offset.
---@param offset integer|nil
---@return fun(): string|nil, hubspot.associations.Error|nil
function Spool:lines(offset)
  local handle = self.sorted
  handle:seek("set", offset or 0)
  return function()
    local line, why = handle:read "*l"
    if line == nil and why then return failed(self, why) end
    return line
  end
end

---Removes the file. May be called at any time, and more than once.
function Spool:remove()
  if self.handle then self.handle:close() end
  if self.sorted then self.sorted:close() end
  if self.path then os.remove(self.path) end
  self.handle, self.sorted, self.path = nil, nil, nil
end

return spool
