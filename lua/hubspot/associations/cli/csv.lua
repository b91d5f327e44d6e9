-- CSV as RFC 4180 has it: lines -> records, lists of strings. A quoted field may hold separators, quotes
-- (doubled) and newlines. Fields are separated by commas, semicolons or tabs: by what stands behind the first
-- field of the first record. Knows nothing of what the columns mean.

local csv = {}

local LONGEST = 1024 * 1024 -- bytes of a quoted field: a quote that is never closed must not fill the memory
local QUOTE = 34
local SEPARATORS = "[,;\t]"

local byte, find, sub = string.byte, string.find, string.sub

---@class hubspot.associations.cli.Problem what is wrong with a row
---@field line integer|nil where the row begins
---@field column string|integer|nil the column's name, or its number
---@field message string
---@field row table|nil what is known of the row: its from, to and types, or the text that is none in `type`
---@field fatal boolean|nil true when no further row can be read

-- Reads a quoted field from behind its opening quote: its value, the line that it ends in, and the place
-- behind its closing quote there. Nil and why when it has no end.
local function quoted_field(lines, text, from)
  local parts, size = {}, 0
  while true do
    local quote = find(text, '"', from, true)
    local closes = quote and byte(text, quote + 1) ~= QUOTE
    local part
    if closes then
      part = sub(text, from, quote - 1)
    elseif quote then
      part = sub(text, from, quote)
      from = quote + 2
    else
      part = sub(text, from) .. "\n"
      local why
      text, why = lines:next()
      if not text then return nil, type(why) == "string" and why or "its quote is never closed" end
      from = 1
    end
    parts[#parts + 1] = part
    if closes then return table.concat(parts), text, quote + 1 end
    size = size + #part
    if size > LONGEST then
      return nil, ("it is longer than %d bytes; is a quote never closed?"):format(LONGEST)
    end
  end
end

-- Why a field without quotes around it is none.
local function plain_refusal(value)
  if find(value, '"', 1, true) then return "it has a quote inside, but none around it" end
  if find(value, "\r", 1, true) then return "it has a carriage return inside; lines end with a newline" end
end

-- A record from its first line: its fields, and what separates them; or nil and a problem.
---@param separator string|nil to be found, when nil
local function record(lines, text, line, separator)
  local fields, position = {}, 1
  while true do
    local count = #fields + 1
    local value, stop
    if byte(text, position) == QUOTE then
      local after
      value, after, position = quoted_field(lines, text, position + 1)
      if not value then return nil, { line = line, column = count, message = after, fatal = true } end
      text = after
      separator = separator or find(text, "^" .. SEPARATORS, position) and sub(text, position, position)
      stop = separator and sub(text, position, position) == separator and position
      if not stop and find(text, "[^\r]", position) then
        return nil, { line = line, column = count, message = "it goes on behind its closing quote" }
      end
    else
      stop = find(text, separator or SEPARATORS, position, separator ~= nil)
      separator = separator or stop and sub(text, stop, stop)
      value = sub(text, position, (stop or #text + 1) - 1)
      if not stop and byte(value, -1) == 13 then value = sub(value, 1, -2) end
      local why = plain_refusal(value)
      if why then return nil, { line = line, column = count, message = why } end
    end
    fields[count] = value
    if not stop then return fields, separator end
    position = stop + 1
  end
end

---A function that gives the next record: a list of strings, and the number of the line that it begins in.
---Blank lines are passed over. Nil at the end; nil and a problem where a record is none.
---@param lines hubspot.associations.cli.Lines
---@return fun(): string[]|nil, integer|hubspot.associations.cli.Problem|nil
---@return fun(): string|nil separator tells what separates the fields, once there was a record
function csv.reader(lines)
  local separator
  local function next_record()
    local text, line
    repeat
      text, line = lines:next()
      if not text then return nil, line and { message = line, fatal = true } end
    until text ~= "" and text ~= "\r"
    local fields, found = record(lines, text, line, separator)
    if not fields then return nil, found end
    separator = found or ","
    return fields, line
  end
  return next_record, function() return separator end
end

return csv
