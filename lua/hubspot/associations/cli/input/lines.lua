-- The lines of a file handle, one at a time, each with its number. Holds a chunk and a line in memory, and
-- can go back to a line that was marked. What the lines say is the matter of others.

local file_kind = require "hubspot.associations.cli.input.file_kind"

local lines = {}

local CHUNK = 64 * 1024

---Bytes of a line at most: a file without line ends must not fill the memory.
lines.LONGEST = 1024 * 1024

---The reason when a line is longer than asked for.
lines.TOO_LONG = "too long"

local LONGEST, TOO_LONG = lines.LONGEST, lines.TOO_LONG

local find, sub = string.find, string.sub

---@class hubspot.associations.cli.Lines
---@field handle file*
---@field buffer string the part of the file that is in memory
---@field position integer of the next line, in the buffer
---@field number integer of the last line
---@field filled integer how many bytes were read
---@field at_end boolean whether the file has no more bytes
---@field marked integer|nil a position in the buffer: what follows it is kept
---@field marked_number integer|nil
local Lines = {}
Lines.__index = Lines

-- Reads more bytes into the buffer: true; false at the end; nil and why when they cannot be read. Never reads
-- after the end, since a terminal would ask for more.
local function fill(self)
  if self.at_end then return false end
  local chunk, why = self.handle:read(CHUNK)
  if not chunk then
    if why then return nil, why end
    self.at_end = true
    return false
  end
  local from = self.marked or self.position
  self.buffer = sub(self.buffer, from) .. chunk
  self.position = self.position - from + 1
  if self.marked then self.marked = 1 end
  self.filled = self.filled + #chunk
  return true
end

---@param handle file* open for reading; it stays the caller's
---@return hubspot.associations.cli.Lines|nil
---@return string|nil message when it cannot be read, or is no text with lines
function lines.open(handle)
  local self = setmetatable({
    handle = handle, buffer = "", position = 1, number = 0, filled = 0, at_end = false,
  }, Lines)
  local filled, why = fill(self)
  if filled == nil then return nil, why end
  why = file_kind.problem(self.buffer)
  if why then return nil, why end
  self.buffer = file_kind.without_mark(self.buffer)
  return self
end

---The first character that is not white space, of those at hand; consumes nothing.
---@return string|nil
function Lines:first()
  return self.buffer:match("^[ \t-\r]*([^ \t-\r])", self.position)
end

---The size of the lines so far, in bytes.
---@return integer
function Lines:taken()
  return self.filled - math.max(0, #self.buffer - self.position + 1)
end

-- The position of the newline after the next line, or of the end of the file. Nil alone when there is no more
-- line; nil and why when it has more than `most` bytes, or cannot be read.
local function line_end(self, most)
  local newline = find(self.buffer, "\n", self.position, true)
  while not newline do
    local held = #self.buffer - self.position + 1
    if held > most then return nil, TOO_LONG end
    local filled, why = fill(self)
    if filled == nil then return nil, why end
    if not filled then return held > 0 and #self.buffer + 1 or nil end
    newline = find(self.buffer, "\n", self.position + held, true)
  end
  if newline - self.position > most then return nil, TOO_LONG end
  return newline
end

local function take(self, newline)
  local line = sub(self.buffer, self.position, newline - 1)
  self.position = math.min(newline, #self.buffer) + 1
  self.number = self.number + 1
  return line, self.number
end

-- Skips a line of any length, without holding it. Returns the problem.
local function skip(self)
  self.marked = nil
  local newline, filled, why
  repeat
    newline = find(self.buffer, "\n", self.position, true)
    self.position = (newline or #self.buffer) + 1
    if not newline then
      filled, why = fill(self)
    end
  until newline or not filled
  if filled == nil and why then return { message = why, fatal = true } end
  self.number = self.number + 1
  return { line = self.number, message = ("is longer than %d bytes"):format(LONGEST) }
end

---@return string|nil line without its newline, but with the carriage return before it; nil at the end
---@return integer|hubspot.associations.cli.Problem|nil number of the line, from 1; or a problem: unless it is
---  fatal, the next call returns the line after it
function Lines:next()
  local newline, why = line_end(self, LONGEST)
  if newline then return take(self, newline) end
  if why == TOO_LONG then return nil, skip(self) end
  return nil, why and { message = why, fatal = true }
end

---The next line, if it has at most so many bytes. Consumes nothing otherwise.
---@param most integer
---@return string|nil line nil at the end
---@return integer|string|nil number of the line; or the reason: TOO_LONG, or why it cannot be read
function Lines:more(most)
  local newline, why = line_end(self, most)
  if newline then return take(self, newline) end
  return nil, why
end

---Marks the next line, so that `back` returns to it: what follows stays in memory until the next mark, or
---until `next` skips a line.
function Lines:mark()
  self.marked, self.marked_number = self.position, self.number
end

function Lines:back()
  self.position, self.number = self.marked, self.marked_number
end

return lines
