-- Writes rows to standard output or a file: CSV or JSON Lines at once, a table when all are there. A file
-- gets texts as they are; a terminal gets none that acts on it.

local ascii = require "hubspot.associations.text.ascii"
local cells = require "hubspot.associations.text.cells"
local destinations = require "hubspot.associations.cli.output.destination"
local digits_of = require "hubspot.associations.text.digits"
local terminal = require "hubspot.associations.cli.output.terminal"
local one_line = require "hubspot.associations.text.one_line"

local row_writer = {}

local COULD_NOT_RUN = 2

---@class hubspot.associations.cli.RowWriter
---@field failed string|nil why not all rows are written
---@field shown fun(text: string): string the text as it may be written
local RowWriter = {}
RowWriter.__index = RowWriter

local function text_of(value)
  if type(value) == "number" then return digits_of(value) or tostring(value) end
  return type(value) == "string" and value or ""
end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\" }

local function json_string(text)
  return '"' .. text:gsub('[%z\1-\31"\\\127]', function(character)
    return ESCAPES[character] or ("\\u%04x"):format(character:byte())
  end) .. '"'
end

local function as_it_is(text)
  return text
end

local LINES = {}

function LINES.csv(columns, row, shown)
  local fields = {}
  for number, column in ipairs(columns) do fields[number] = cells.field(shown(text_of(row[column]))) end
  return table.concat(fields, ",") .. "\n"
end

-- Ids are text, as JSON's numbers are not exact everywhere; a type is a number.
function LINES.jsonl(columns, row, shown)
  local fields = {}
  for _, column in ipairs(columns) do
    local value = row[column]
    if value ~= nil then
      local text = shown(text_of(value))
      fields[#fields + 1] = ('"%s":%s'):format(column, type(value) == "number" and text or json_string(text))
    end
  end
  return "{" .. table.concat(fields, ",") .. "}\n"
end

-- How many columns of a screen a text needs: its characters, not its bytes.
local function width_of(text)
  return select(2, text:gsub("[^\128-\191]", ""))
end

local function table_lines(columns, rows)
  local widths, lines = {}, {}
  for number, column in ipairs(columns) do
    widths[number] = #column
    for _, row in ipairs(rows) do widths[number] = math.max(widths[number], width_of(row[number])) end
  end
  for index = 0, #rows do
    local parts = {}
    for number, text in ipairs(rows[index] or columns) do
      parts[number] = text .. (" "):rep(widths[number] - width_of(text))
    end
    lines[#lines + 1] = (table.concat(parts, "  "):gsub(" +$", ""))
  end
  return table.concat(lines, "\n") .. "\n"
end

local FORMAT_OF = { jsonl = "jsonl", ndjson = "jsonl" }

-- By default, a table on a terminal; JSON Lines in a file whose name says so; CSV elsewhere.
local function default_format(arguments, target)
  if target.is_terminal then return "table" end
  return FORMAT_OF[ascii.lower((arguments.output or ""):match "%.([A-Za-z0-9]+)$" or "")] or "csv"
end

---Opens standard output, or the file of --output. What follows the rows of an earlier run has no header, and
---an empty line before it: if a crash cut the last row short, its rest and the next row must not become one.
---@param arguments table as arguments.parse gives them: output, output_format, journal
---@param environment hubspot.associations.cli.Environment
---@param columns string[]
---@param format "table"|"csv"|"jsonl"|nil the default where --output-format is not given
---@return hubspot.associations.cli.RowWriter|nil
---@return string|nil message
function row_writer.open(arguments, environment, columns, format)
  local first = columns[1]
  local target, why = destinations.open(arguments, environment, {
    first .. ",", first .. " ", ('{"%s":'):format(first),
  })
  if not target then return nil, why end
  local default = default_format(arguments, target)
  if default == "table" then default = format or default end
  format = arguments.output_format or default
  local self = setmetatable({
    target = target, stream = target.stream, columns = columns, line = LINES[format],
    shown = target.is_terminal and one_line or as_it_is,
    rows = format == "table" and {} or nil,
    is_continued = target.is_continued,
  }, RowWriter)
  if format == "csv" and not self.is_continued then
    self:write(table.concat(columns, ",") .. "\n")
  end
  return self
end

function RowWriter:write(text)
  if self.failed then return end
  local written, why = self.stream:write(text)
  if not written then self.failed = tostring(why) end
end

---@param row table<string, any> column -> text or number
---@return boolean goes_on false when rows cannot be written
function RowWriter:add(row)
  if not self.rows then
    if self.is_continued then self:write "\n" end
    self.is_continued = false
    self:write(self.line(self.columns, row, self.shown))
    return not self.failed
  end
  local shown = {}
  for number, column in ipairs(self.columns) do shown[number] = terminal.one_line(text_of(row[column])) end
  self.rows[#self.rows + 1] = shown
  return true
end

---Makes sure that the rows so far are out.
---@return boolean goes_on
function RowWriter:flush()
  local flushed, why = self.stream:flush()
  if not flushed and not self.failed then self.failed = tostring(why) end
  return not self.failed
end

---The same, and that a crash of the machine does not lose those of a file.
---@return boolean goes_on
function RowWriter:save()
  if not self:flush() then return false end
  local saved, why = self.target:save()
  if not saved then self.failed = why end
  return not self.failed
end

---Writes what is left.
---@param is_broken_off boolean|nil whether more rows should have come: then a file does not get its name
---@return integer code 0, or 2 when not all was written
---@return string|nil message
function RowWriter:finish(is_broken_off)
  if self.rows then
    local written, why = terminal.write(self.stream, table_lines(self.columns, self.rows))
    if not written then self.failed = why end
  end
  local closed, why = self.target:close(not is_broken_off and not self.failed)
  if not closed and not self.failed then self.failed = why end
  if not self.failed then return 0 end
  return COULD_NOT_RUN, self:problem()
end

---Why not all rows are written.
---@return string|nil message
function RowWriter:problem()
  return self.failed and ("%s cannot be written: %s"):format(self.target.name, self.failed)
end

return row_writer
