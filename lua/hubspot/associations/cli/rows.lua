-- The rows of a CSV or JSON Lines file -> inputs of client:create, one at a time, each with its line.
-- Looks only at what the form of the file brings with it: the inputs themselves are checked when they
-- are written into a request.

local association_types = require "hubspot.associations.cli.association_types"
local cells = require "hubspot.associations.cli.cells"
local core = require "hubspot.associations.core"
local csv = require "hubspot.associations.cli.csv"
local csv_columns = require "hubspot.associations.cli.csv_columns"
local lines_of = require "hubspot.associations.cli.lines"

local rows = {}

local DEFAULT_CATEGORY = "HUBSPOT_DEFINED"

local IDS = csv_columns.IDS

---@class hubspot.associations.cli.RowOptions
---@field format "csv"|"jsonl"|nil by default, what the first character suggests
---@field type string|nil the association types of rows that have none, as text
---@field category string|nil the category of types that are a number only, "HUBSPOT_DEFINED"
---@field untyped string|nil what to say of a row that has no type, when there is no `type` either

local typed = association_types.typed

local function trim(text)
  return text:match "^%s*(.-)%s*$"
end

-- What is wrong with a row, with what is known of it.
local function problem_at(line, column, message, row)
  return nil, { line = line, column = column, message = message, row = row }
end

-- Types from text: as an input has them, or nil and why there are none.
local function read_types(text, category)
  local types, expected = association_types.read(text, category)
  return types, expected and ("%s, found %q"):format(expected, text)
end

-- ---- CSV ----

local SEPARATOR_NAMES = { [","] = "commas", [";"] = "semicolons", ["\t"] = "tabs" }

-- The fields of a record by the names of their columns, without spaces around them.
local function by_column(fields, columns)
  local row = {}
  for column, number in pairs(columns) do row[column] = fields[number] and cells.read(fields[number]) end
  return row
end

local function csv_input(fields, columns, line, separator, settings)
  local row = by_column(fields, columns)
  local types, why = settings.default, settings.untyped
  if row.type and row.type ~= "" then types, why = read_types(row.type, settings.category) end
  local input = { from = row.from, to = row.to, types = types, line = line }
  if not types then input.type = row.type end
  for _, column in ipairs(IDS) do
    if not input[column] then
      local missing = ("is missing (columns are separated by %s)"):format(SEPARATOR_NAMES[separator])
      return problem_at(line, column, missing, input)
    end
  end
  if not types then return problem_at(line, "type", why, input) end
  return input
end

local function csv_rows(lines, settings)
  local next_record, separator = csv.reader(lines)
  local columns, is_header
  return function()
    local fields, line = next_record()
    if not columns then
      if fields then
        columns, is_header = csv_columns.of(fields)
        if not columns then return nil, { line = line, message = is_header, fatal = true } end
        if is_header then fields, line = next_record() end
      elseif line then
        line.fatal = true -- it might have been the header
      end
    end
    if not fields then return nil, line end
    return csv_input(fields, columns, line, separator(), settings)
  end
end

-- ---- JSON Lines ----

local WHOLE_BODY = 'is the body of a whole request (it has "inputs"); expected one input a line'

-- Types as an input has them: of text, as in CSV; numbers, alone or in a list, get the category.
local function json_types(types, category)
  if type(types) == "string" then return read_types(types, category) end
  if type(types) == "number" then return typed(types, category) end
  if type(types) == "table" then
    for index, entry in ipairs(types) do
      if type(entry) == "number" then types[index] = typed(entry, category) end
    end
  end
  return types
end

local function json_input(text, line, settings)
  if not text:find "^%s*{" then return problem_at(line, nil, "expected a JSON object, one in each line") end
  local object, why = core.decode_input(text)
  if not object then return problem_at(line, nil, "is not JSON: " .. why) end
  if object.inputs ~= nil then return problem_at(line, nil, WHOLE_BODY) end
  local input = { from = object.from, to = object.to, line = line }
  local given = object.types
  if object.type ~= nil then
    if given ~= nil then
      input.type = association_types.UNREADABLE
      return problem_at(line, "type", "stands beside types; expected one of them", input)
    end
    given = object.type
  end
  if type(given) == "string" and trim(given) == "" then given = nil end -- as in CSV
  input.types, why = settings.default, settings.untyped
  if given ~= nil then input.types, why = json_types(given, settings.category) end
  if input.types ~= nil then return input end
  input.type = given
  for _, side in ipairs(IDS) do
    if input[side] == nil then return problem_at(line, side, "is missing", input) end
  end
  return problem_at(line, "types", why, input)
end

local function json_rows(lines, settings)
  return function()
    local text, line
    repeat
      text, line = lines:next()
      if not text then return nil, line and { message = line, fatal = true } end
    until text:find "%S"
    return json_input(text, line, settings)
  end
end

local READERS = { csv = csv_rows, jsonl = json_rows }

---A function that gives the next row as an input of client:create, with its line number in the field
---`line`. Nil at the end; nil and a problem for a row that is none. Behind a problem that is `fatal`
---there are no more rows.
---@param handle file* open for reading; it stays the caller's
---@param options hubspot.associations.cli.RowOptions
---@return (fun(): table|nil, hubspot.associations.cli.Problem|nil)|nil
---@return string|nil message when nothing can be read
---@return (fun(): integer)|nil taken tells how many bytes of the file the rows so far had
function rows.open(handle, options)
  local lines, why = lines_of.open(handle)
  if not lines then return nil, why end
  local first = lines:first()
  if first == "[" then return nil, "is a JSON list; expected JSON Lines, one object in each line, or CSV" end
  local category = options.category or DEFAULT_CATEGORY
  local reader = READERS[options.format or (first == "{" and "jsonl" or "csv")]
  local next_row = reader(lines, {
    category = category,
    default = options.type and association_types.read(options.type, category),
    untyped = options.untyped or "the row has no association type",
  })
  local ended = false
  return function()
    if ended then return nil end
    local input, problem = next_row()
    ended = not input and (not problem or problem.fatal == true)
    return input, problem
  end, nil, function()
    return lines:taken()
  end
end

return rows
