-- CSV as in RFC 4180: lines -> records, which are lists of strings. A quoted field may hold separators,
-- quotes (doubled) and newlines. What the columns mean is the caller's to know: it says whether a first
-- record makes sense.
--
-- Only the first line of a broken record is lost. A quote that is never closed, or is closed in the middle of
-- a later line, has swallowed lines that are rows of their own, so that reading goes on at the record's
-- second line. No line is read more than twice: a line that opens a quote and leaves it open would close, or
-- break, a quote that is open already.

local lines_of = require "hubspot.associations.cli.input.lines"

local csv = {}

-- Bytes of a record at most, so that a quote that is never closed does not fill the memory.
local LONGEST = lines_of.LONGEST

local QUOTE = 34
local SEPARATORS = { ",", ";", "\t" } -- of those with which a first record has as many fields, the first

-- A first line that declares the separator, such as "sep=;", as in Excel.
local DECLARATION = '^"?[sS][eE][pP]=([,;\t|])"?[ \r]*$'

local NAMES = { [","] = "commas", [";"] = "semicolons", ["\t"] = "tabs", ["|"] = "vertical bars" }

local byte, find, sub = string.byte, string.find, string.sub

---@class hubspot.associations.cli.Problem what is wrong with a row
---@field line integer|nil where the row begins
---@field column string|integer|nil the column's name, or its number
---@field message string
---@field is_typed boolean|nil of a row: whether it has types, and the command takes none
---@field row table|nil what is known of the row: its from, to and types, or in `type` a text that is invalid
---@field fields string[]|nil of a record: the fields before the one at fault
---@field fatal boolean|nil true when no further row can be read

-- Why a quote that was opened has no end; and whether that is fatal.
local function open_quote(why)
  if not why then return "its quote is never closed" end
  if why ~= lines_of.TOO_LONG then return why, true end
  return ("its quote is not closed within %d bytes"):format(LONGEST)
end

-- Reads a quoted field from behind its opening quote. Returns its value, the line in which it ends, the
-- position behind its closing quote, and how many more bytes the record may have; or nil, why, and whether
-- that is fatal.
local function quoted_field(lines, text, from, room)
  local parts = {}
  while true do
    local quote = find(text, '"', from, true)
    local closes = quote and byte(text, quote + 1) ~= QUOTE
    if closes then
      parts[#parts + 1] = sub(text, from, quote - 1)
      return table.concat(parts), text, quote + 1, room
    elseif quote then
      parts[#parts + 1] = sub(text, from, quote)
      from = quote + 2
    else
      parts[#parts + 1] = sub(text, from)
      parts[#parts + 1] = "\n"
      local why
      text, why = lines:more(room)
      if not text then return nil, open_quote(why) end
      room, from = room - #text - 1, 1
    end
  end
end

-- What is wrong with a field that has no quotes around it.
local function plain_problem(value)
  if find(value, '"', 1, true) then return "it has a quote inside, but none around it" end
  if find(value, "\r", 1, true) then return "it has a carriage return inside; lines end with a newline" end
end

-- The result of a record whose next field is at fault.
local function problem_at(line, fields, message, is_fatal)
  return nil, { line = line, column = #fields + 1, message = message, fields = fields, fatal = is_fatal }
end

-- Reads a record from its first line. Returns its fields; or nil and a problem.
local function record(lines, text, line, separator)
  local fields, position, room = {}, 1, LONGEST - #text
  while true do
    local value, stop
    if byte(text, position) == QUOTE then
      local after
      value, after, position, room = quoted_field(lines, text, position + 1, room)
      if not value then return problem_at(line, fields, after, position) end
      text = after
      stop = sub(text, position, position) == separator and position
      if not stop and find(text, "[^\r]", position) then
        return problem_at(line, fields, "it goes on behind its closing quote")
      end
    else
      stop = find(text, separator, position, true)
      value = sub(text, position, (stop or #text + 1) - 1)
      if not stop and byte(value, -1) == 13 then value = value:match "^(.-)\r*$" end
      local why = plain_problem(value)
      if why then return problem_at(line, fields, why) end
    end
    fields[#fields + 1] = value
    if not stop then return fields end
    position = stop + 1
  end
end

-- Whether a line is blank, whatever the separator is.
local function is_blank(text)
  return not find(text, "[^ \t-\r,;]")
end

local function is_empty(fields)
  for _, value in ipairs(fields) do
    if find(value, "[^ \t-\r]") then return false end
  end
  return true
end

-- The separator of the record at the mark: the one with which it makes sense, or else the one with which it
-- has the most fields. Nil and a problem when it makes sense with several. Consumes nothing.
local function detect(lines, fits)
  local found, best, most
  for _, separator in ipairs(SEPARATORS) do
    local text, line = lines:next()
    local fields, problem = record(lines, text, line, separator)
    lines:back()
    local is_alone = fields and #fields == 1 and found and most == 1 -- a single field is the same with any
    if fields and not is_alone and fits(fields) then
      if found then
        return nil, { line = line, fatal = true, message = ("its fields may be separated by %s or by %s; say "
          .. "which by a first line such as sep=%s"):format(NAMES[found], NAMES[separator], separator) }
      end
      found = separator
    end
    local count = #(fields or problem.fields)
    if not most or count > most then best, most = separator, count end
  end
  return found or best
end

-- The separator of a file. Consumes the blank lines at its beginning. Nil at the end of the file; nil and a
-- problem when the separator is not clear.
local function find_separator(lines, fits)
  while true do
    lines:mark()
    local text, line = lines:next()
    if not text then return nil, line end
    local declared = line == 1 and text:match(DECLARATION)
    if declared then return declared end
    if not is_blank(text) then
      lines:back()
      return detect(lines, fits)
    end
  end
end

---A function that returns the next record, a list of strings, and the number of its first line. Skips blank
---lines, and records whose fields are all empty. Returns nil at the end; nil and a problem where a record is
---broken: unless that is fatal, the next call goes on after its first line.
---@param lines hubspot.associations.cli.Lines
---@param fits fun(fields: string[]): boolean whether a first record makes sense
---@return fun(): string[]|nil, integer|hubspot.associations.cli.Problem|nil
---@return fun(): string|nil separator returns the separator's name ("commas"), once there was a record
function csv.reader(lines, fits)
  local separator
  local function next_record()
    local why
    if not separator then
      separator, why = find_separator(lines, fits)
      if not separator then return nil, why end
    end
    while true do
      local text, line = lines:next()
      if not text then return nil, line end
      lines:mark()
      local fields, problem = record(lines, text, line, separator)
      if not fields then
        lines:back()
        return nil, problem
      end
      if not is_empty(fields) then return fields, line end
    end
  end
  return next_record, function() return NAMES[separator] end
end

return csv
