-- The rows of a CSV or JSON Lines file -> inputs of a job, one at a time, each with the number of its line.

local association_types = require "hubspot.associations.cli.association_types"
local csv_rows = require "hubspot.associations.cli.input.csv_rows"
local json_rows = require "hubspot.associations.cli.input.json_rows"
local lines_of = require "hubspot.associations.cli.input.lines"

local rows = {}

local DEFAULT_CATEGORY = "HUBSPOT_DEFINED"

---@class hubspot.associations.cli.RowOptions
---@field format "csv"|"jsonl"|nil by default, what the first character suggests
---@field type string|nil the association types of rows that have none, as text
---@field category string|nil the category of types that are a number only, "HUBSPOT_DEFINED"
---@field columns table<string, string>|nil from, to and type -> the name that it has in the file, where an
---  option gives it: of a header's column, or of an object's key
---@field untyped string|nil the message for a row without a type, when there is no `type` either
---@field takes "associations"|"pairs"|"records"|nil what a row is: two ids with types (default), two ids
---  without, or one id
---@field typed string|nil the message for a pair with types; without it, they are ignored
---@field guard (fun(types: any): string|nil)|nil says why types must not be used
---@field empty_to boolean|nil whether a row with an empty `to` needs no type
---@field not_failures string|nil the message for a file of failures, when it must not be used
---@field properties table<string, string>|nil from and to -> the property by which the file names the records
---@field split string|nil the character between several records of a row's to
---@field keeps boolean|nil whether a row keeps what stands in the file, in `kept`: its fields, or its text

---@class hubspot.associations.cli.RowSettings the same, read
---@field named table<string, string>
---@field category string
---@field default integer|table|string|nil
---@field untyped string
---@field takes string
---@field typed string|nil
---@field guard (fun(types: any): string|nil)|nil
---@field empty_to boolean|nil
---@field properties table<string, string>
---@field keeps boolean|nil
---@field other_columns hubspot.associations.cli.OtherColumn[] filled by the reader, with its first row, if
---  rows are kept

local READERS = { csv = csv_rows, jsonl = json_rows }

-- The parts of a text, without spaces around them. An empty part is one, too: a value may be missing there.
local function parts_of(text, separator)
  local parts, from = {}, 1
  repeat
    local at = text:find(separator, from, true)
    parts[#parts + 1] = text:sub(from, (at or 0) - 1):match "^[ \t-\r]*(.-)[ \t-\r]*$"
    from = at and at + 1
  until not at
  return parts
end

-- Rows whose `to` has several records, as an input for each of them. They share their types.
local function split_rows(next_row, separator)
  local row, parts, at
  return function()
    if not parts then
      local problem
      row, problem = next_row()
      if not row or type(row.to) ~= "string" then return row, problem end
      parts, at = parts_of(row.to, separator), 0
    end
    at = at + 1
    local input = { from = row.from, to = parts[at], types = row.types, line = row.line, kept = row.kept }
    if at == #parts then parts = nil end
    return input
  end
end

---A function that returns the next row as an input, with the number of its line in `line`. Returns nil at the
---end; nil and a problem for a bad row. After a problem that is `fatal`, there are no more rows.
---@param handle file* open for reading; it stays the caller's
---@param options hubspot.associations.cli.RowOptions
---@return (fun(): table|nil, hubspot.associations.cli.Problem|nil)|nil
---@return string|nil message when nothing can be read
---@return (fun(): integer)|nil taken returns the size of the rows so far, in bytes of the file
---@return hubspot.associations.cli.OtherColumn[]|nil other_columns those that are not read, once there was
---  a row
function rows.open(handle, options)
  local lines, why = lines_of.open(handle)
  if not lines then return nil, why end
  local first = lines:first()
  if first == "[" then return nil, "is a JSON list; expected JSON Lines, one object in each line, or CSV" end
  local category = options.category or DEFAULT_CATEGORY
  local read = READERS[options.format or (first == "{" and "jsonl" or "csv")]
  local settings = {
    named = options.columns or {},
    category = category,
    default = options.type and association_types.read(options.type, category),
    untyped = options.untyped or "the row has no association type",
    takes = options.takes or "associations",
    typed = options.typed,
    guard = options.guard,
    empty_to = options.empty_to,
    not_failures = options.not_failures,
    properties = options.properties or {},
    keeps = options.keeps,
    other_columns = {},
  }
  local next_row, conflict = read(lines, settings)
  if not next_row then return nil, conflict end
  if options.split then next_row = split_rows(next_row, options.split) end
  local ended = false
  return function()
    if ended then return nil end
    local input, problem = next_row()
    ended = not input and (not problem or problem.fatal == true)
    return input, problem
  end, nil, function()
    return lines:taken()
  end, settings.other_columns
end

return rows
