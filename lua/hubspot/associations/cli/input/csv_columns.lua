-- Which columns of a CSV file are from, to, type and category: by its first record, which is a row or a
-- header. Anything else is a mistake: a guess would link wrong records.

local ascii = require "hubspot.associations.text.ascii"
local cells = require "hubspot.associations.text.cells"
local core = require "hubspot.associations.core"

local csv_columns = {}

local FEW_NAMES, MANY_NAMES = 8, 40 -- how many a message shows
local LONGEST_NAME = 40

---The columns that each row has, by what the command takes.
local IDS = { associations = { "from", "to" }, pairs = { "from", "to" }, records = { "from" } }

local COLUMNS = { "from", "to", "type", "category" }

---The option that says which column each is.
csv_columns.OPTIONS = { from = "--from-column", to = "--to-column", type = "--type-column" }

local OPTIONS = csv_columns.OPTIONS

-- The names of columns that are known, without their case, "_", "-" and spaces.
local COLUMN_OF = {
  from = "from", fromid = "from", fromobjectid = "from",
  to = "to", toid = "to", toobjectid = "to",
  type = "type", typeid = "type", associationtypeid = "type",
  category = "category", associationcategory = "category",
}

-- Those that a file of single records has as well: there, no other record can be meant.
local ID_OF_RECORD = { id = true, recordid = true, objectid = true }

-- Those that say that they have ids: not the values of a property.
local HAS_IDS = { fromid = true, fromobjectid = true, toid = true, toobjectid = true }

---@class hubspot.associations.cli.Layout where the columns of a file are
---@field columns table<string, integer> from, to, type and category -> number of the field; type and category
---  may be absent, and of single records there is only from
---@field ids string[] the columns that each row has
---@field width integer how many fields a row may have
---@field has_header boolean

-- A name in the form in which names are compared: without its case (of ASCII), a byte order mark, and spaces
-- and quotes around it; and with single spaces.
local function folded(name)
  name = name:gsub("\239\187\191", ""):gsub("\194\160", " "):gsub("[ \t-\r]+", " ")
  return ascii.lower(name):match "^[ '\"]*(.-)[ '\"]*$"
end

-- The first names of a header, for a message.
local function names_in(fields, most)
  local names = {}
  most = most or FEW_NAMES
  for number = 1, math.min(#fields, most) do
    local name = fields[number]:match "^[ \t-\r]*(.-)[ \t-\r]*$"
    names[number] = #name <= LONGEST_NAME and name or name:sub(1, LONGEST_NAME) .. "..."
  end
  return table.concat(names, ", ") .. (#fields > most and ", ..." or "")
end

-- The numbers of the fields that are equal to a name in one way of writing it.
local function numbers_of(fields, name, written)
  local numbers = {}
  for number, field in ipairs(fields) do
    if written(field) == written(name) then numbers[#numbers + 1] = number end
  end
  return numbers
end

local function as_written(name)
  return name
end

-- The field of a name that an option gives: one that matches exactly, or else one that looks alike.
local function named_field(fields, column, name)
  local numbers = numbers_of(fields, name, as_written)
  if #numbers == 0 then numbers = numbers_of(fields, name, folded) end
  if #numbers == 1 then return numbers[1] end
  local complaint = #numbers == 0 and "the header has no column %s (%s); found: %s"
    or "the header names the column %s (%s) more than once; found: %s"
  return nil, complaint:format(name, OPTIONS[column], names_in(fields, MANY_NAMES))
end

local function plain_of(name)
  return (folded(name):gsub("[ _%-]", ""))
end

-- The side whose property has this name: its column may be called so. Nil where that is both sides.
local function side_of_property(plain, properties)
  local side
  for _, one in ipairs { "from", "to" } do
    if properties[one] and plain_of(properties[one]) == plain then
      if side then return nil end
      side = one
    end
  end
  return side
end

-- What a column is by its name; nil where that is not known.
local function column_of(name, settings)
  local plain, properties = plain_of(name), settings.properties
  local column = COLUMN_OF[plain]
  if column and properties[column] and HAS_IDS[plain] then return nil end
  if settings.takes == "records" then
    local is_id = ID_OF_RECORD[plain] and not properties.from
    column = (column == "from" or is_id) and "from" or nil
  end
  return column or side_of_property(plain, properties)
end

-- The columns with known names: column -> number of the field. Two of one name are a mistake.
local function known_fields(fields, settings)
  local columns, named = {}, settings.named
  for number, name in ipairs(fields) do
    local column = column_of(name, settings)
    if column and not named[column] then
      if columns[column] then
        local advice = OPTIONS[column] and ("give %s NAME"):format(OPTIONS[column]) or "remove one of them"
        return nil, ("the header names the column %s twice, as %s; %s"):format(
          column, names_in { fields[columns[column]], name }, advice
        )
      end
      columns[column] = number
    end
  end
  return columns
end

-- What a first record that is no header lacks.
local function flaw_of(lacks, ids, settings)
  if next(settings.properties) then
    return "a file whose records are named by a property needs a header: it has no column "
      .. table.concat(lacks, " and no column ")
  end
  return #ids == 1 and "neither a record id nor a header with the column from or id"
    or #lacks == 1 and "the header has no column " .. lacks[1]
    or "neither a row (it would begin with two record ids) nor a header with the columns from and to"
end

-- Why a header lacks a column, and what to do; nil when it has all.
local function missing(fields, columns, ids, settings)
  local lacks, options = {}, {}
  for _, column in ipairs(ids) do
    if not columns[column] then
      lacks[#lacks + 1], options[#options + 1] = column, OPTIONS[column] .. " NAME"
    end
  end
  if #lacks == 0 then return nil end
  return ("%s; give %s, and remove a title above the header; found: %s"):format(
    flaw_of(lacks, ids, settings), table.concat(options, " and "), names_in(fields)
  )
end

-- Why two columns would be one field; nil when none are.
local function doubled(fields, columns)
  for index, column in ipairs(COLUMNS) do
    for other = 1, index - 1 do
      if columns[column] and columns[column] == columns[COLUMNS[other]] then
        return ("%s and %s would be the same column, %s"):format(
          COLUMNS[other], column, names_in { fields[columns[column]] }
        )
      end
    end
  end
end

local function header_columns(fields, settings)
  local named = settings.named
  local columns, why = known_fields(fields, settings)
  if not columns then return nil, why end
  for _, column in ipairs(COLUMNS) do
    if named[column] then
      columns[column], why = named_field(fields, column, named[column])
      if not columns[column] then return nil, why end
      if columns[column] == columns.category then columns.category = nil end
    end
  end
  why = missing(fields, columns, IDS[settings.takes], settings) or doubled(fields, columns)
  if why then return nil, why end
  return columns
end

local function is_id(text)
  return core.is_record_id((text or ""):match "^[ \t-\r]*(.-)[ \t-\r]*$")
end

-- Whether the first record is a row: it begins with record ids. Values of a property look like any text, so
-- that with one, it has to be a header.
local function is_row(fields, settings)
  if next(settings.properties) then return false end
  return is_id(fields[1]) and (settings.takes == "records" or is_id(fields[2]))
end

---Where the columns are.
---@param fields string[] the first record
---@param settings hubspot.associations.cli.RowSettings
---@return hubspot.associations.cli.Layout|nil
---@return string|nil message when it is neither a header nor a row
function csv_columns.of(fields, settings)
  local named, takes = settings.named, settings.takes
  if is_row(fields, settings) then
    for _, column in ipairs(COLUMNS) do
      if named[column] then
        return nil, ("the file has no header, and so no column %s (%s); found: %s"):format(
          named[column], OPTIONS[column], names_in(fields)
        )
      end
    end
    local layout = { columns = { from = 1, to = 2, type = 3 }, width = 3, has_header = false }
    if takes == "records" then layout.columns, layout.width = { from = 1 }, 1 end
    layout.ids = IDS[takes]
    return layout
  end
  local columns, why = header_columns(fields, settings)
  if not columns then return nil, why end
  return { columns = columns, ids = IDS[takes], width = #fields, has_header = true }
end

-- What a file of failures says of its rows, of an earlier run.
local OF_FAILURES = { row = true, file = true, outcome = true, error = true, message = true }

---Whether a header is that of a file of failures, also when a spreadsheet has saved it anew.
---@param header string[]
---@return boolean
function csv_columns.is_of_failures(header)
  local has = {}
  for _, field in ipairs(header) do has[ascii.lower(cells.read(field))] = true end
  return has.row and has.outcome and has.error or false
end

---Adds the columns of a header that are not read, by names with which they are not read in a file of failures
---either.
---@param list hubspot.associations.cli.OtherColumn[]
---@param layout hubspot.associations.cli.Layout
---@param header string[]
---@param settings hubspot.associations.cli.RowSettings
function csv_columns.add_others(list, layout, header, settings)
  local is_read, is_of_failures = {}, csv_columns.is_of_failures(header)
  for column, number in pairs(layout.columns) do
    is_read[number] = settings.takes == "associations" or column == "from" or column == "to"
  end
  for number, field in ipairs(header) do
    local name = cells.read(field)
    if not is_read[number] and not (is_of_failures and OF_FAILURES[ascii.lower(name)]) then
      local plain = plain_of(name)
      local would_be_read = column_of(name, settings) or COLUMN_OF[plain] or OF_FAILURES[plain]
      if name == "" then name = ("column %d"):format(number) end
      list[#list + 1] = { name = would_be_read and "source " .. name or name, number = number }
    end
  end
end

---Why a record does not fit its file: it has too few fields, or too many, so that values may be in the wrong
---columns. Nil when it fits.
---@param layout hubspot.associations.cli.Layout
---@param fields string[]
---@return string|nil message
---@return string|nil column
function csv_columns.misfit(layout, fields)
  for _, column in ipairs(layout.has_header and COLUMNS or layout.ids) do
    local number = layout.columns[column]
    if number and number > #fields then
      return ("is missing: it would be field %d, and the row has %d"):format(number, #fields), column
    end
  end
  for number = layout.width + 1, #fields do
    if fields[number]:find "[^ \t-\r]" then
      local known = layout.has_header and "the header" or #layout.ids == 1 and "the id" or "from, to and type"
      return ("the row has %d fields, %d more than %s; put quotes around values that hold a separator")
        :format(#fields, #fields - layout.width, known)
    end
  end
end

return csv_columns
