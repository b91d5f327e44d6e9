-- The lines of a file handle, one at a time with their numbers, in the memory of a chunk.
-- Knows nothing of what the lines hold.

local lines = {}

local CHUNK = 64 * 1024
local LONGEST = 1024 * 1024 -- bytes of a line: a file without line ends must not fill the memory

local find, sub = string.find, string.sub

local BYTE_ORDER_MARK = "\239\187\191"
local IS_UTF16 = { ["\255\254"] = true, ["\254\255"] = true }

---@class hubspot.associations.cli.Lines
local Lines = {}
Lines.__index = Lines

-- Adds bytes to those not yet taken: true; false at the end; nil and why when they cannot be read.
local function fill(self)
  local chunk, why = self.handle:read(CHUNK)
  if not chunk then
    if why then return nil, why end
    return false
  end
  self.buffer = sub(self.buffer, self.position) .. chunk
  self.position = 1
  self.filled = self.filled + #chunk
  return true
end

---@param handle file* open for reading; it stays the caller's
---@return hubspot.associations.cli.Lines|nil
---@return string|nil message when it cannot be read
function lines.open(handle)
  local self = setmetatable({ handle = handle, buffer = "", position = 1, number = 0, filled = 0 }, Lines)
  local filled, why = fill(self)
  if filled == nil then return nil, why end
  if sub(self.buffer, 1, #BYTE_ORDER_MARK) == BYTE_ORDER_MARK then self.position = #BYTE_ORDER_MARK + 1 end
  if IS_UTF16[sub(self.buffer, 1, 2)] then return nil, "is UTF-16; expected UTF-8" end
  return self
end

---The first character that is no white space, of those read at the beginning; takes nothing.
---@return string|nil
function Lines:first()
  return self.buffer:match("^%s*(%S)", self.position)
end

---How many bytes the lines so far had.
---@return integer
function Lines:taken()
  return self.filled - math.max(0, #self.buffer - self.position + 1)
end

---@return string|nil line without its newline, but with a carriage return before that; nil at the end
---@return integer|string|nil number of the line, from 1; why, when it cannot be read
function Lines:next()
  local newline = find(self.buffer, "\n", self.position, true)
  while not newline do
    local held = #self.buffer - self.position + 1
    if held > LONGEST then
      return nil, ("line %d is longer than %d bytes"):format(self.number + 1, LONGEST)
    end
    local filled, why = fill(self)
    if filled == nil then return nil, why end
    if not filled then
      if held <= 0 then return nil end -- below 0 behind a last line that had no newline
      newline = #self.buffer + 1
    else
      newline = find(self.buffer, "\n", held + 1, true)
    end
  end
  local line = sub(self.buffer, self.position, newline - 1)
  self.position = newline + 1
  self.number = self.number + 1
  return line, self.number
end

return lines
