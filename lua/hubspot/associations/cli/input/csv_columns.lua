-- Where the columns of a CSV file are: its first record -> the numbers of the fields that count. A first
-- record that is neither a row nor a header that says so is refused: a guess would link wrong records.

local ascii = require "hubspot.associations.text.ascii"
local core = require "hubspot.associations.core"

local csv_columns = {}

local FEW_NAMES, MANY_NAMES = 8, 40 -- that a message shows
local LONGEST_NAME = 40

---The columns that a row must have.
csv_columns.IDS = { "from", "to" }

local COLUMNS = { "from", "to", "type" }

---The option that says which column each is.
csv_columns.OPTIONS = { from = "--from-column", to = "--to-column", type = "--type-column" }

local OPTIONS = csv_columns.OPTIONS

-- Names that a header may give a column, without their case, "_", "-" and spaces.
local COLUMN_OF = {
  from = "from", fromid = "from", fromobjectid = "from",
  to = "to", toid = "to", toobjectid = "to",
  type = "type", typeid = "type", associationtypeid = "type",
}

---@class hubspot.associations.cli.Layout where the columns of a file are
---@field columns table<string, integer> from, to and type -> number of the field; type may be absent
---@field width integer how many fields a row may have
---@field has_header boolean

-- A name as it is compared: its case (of ASCII), how many spaces it has, and a byte order mark, spaces and
-- quotes around it do not count.
local function folded(name)
  name = name:gsub("\239\187\191", ""):gsub("\194\160", " "):gsub("[ \t-\r]+", " ")
  return ascii.lower(name):match "^[ '\"]*(.-)[ '\"]*$"
end

-- The first names of a header, for people.
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
local function places(fields, name, written)
  local numbers = {}
  for number, field in ipairs(fields) do
    if written(field) == written(name) then numbers[#numbers + 1] = number end
  end
  return numbers
end

local function as_it_stands(name)
  return name
end

-- The field with a name that an option gives. An exact match goes before one that only looks alike.
local function named_field(fields, column, name)
  local numbers = places(fields, name, as_it_stands)
  if #numbers == 0 then numbers = places(fields, name, folded) end
  if #numbers == 1 then return numbers[1] end
  local complaint = #numbers == 0 and "the header has no column %s (%s); found: %s"
    or "the header names the column %s (%s) more than once; found: %s"
  return nil, complaint:format(name, OPTIONS[column], names_in(fields, MANY_NAMES))
end

-- The fields that a header names itself: column -> number. Of several, none is guessed.
local function known_fields(fields, named)
  local columns = {}
  for number, name in ipairs(fields) do
    local column = COLUMN_OF[folded(name):gsub("[ _%-]", "")]
    if column and not named[column] then
      if columns[column] then
        return nil, ("the header names the column %s twice, as %s; give %s NAME"):format(
          column, names_in { fields[columns[column]], name }, OPTIONS[column]
        )
      end
      columns[column] = number
    end
  end
  return columns
end

-- What to say of a header that lacks columns.
local function missing(fields, columns)
  local lacks, options = {}, {}
  for _, column in ipairs(csv_columns.IDS) do
    if not columns[column] then
      lacks[#lacks + 1], options[#options + 1] = column, OPTIONS[column] .. " NAME"
    end
  end
  if #lacks == 0 then return nil end
  local flaw = #lacks == 1 and "the header has no column " .. lacks[1]
    or "neither a row (it would begin with two record ids) nor a header with the columns from and to"
  return ("%s; give %s, and remove a title above the header; found: %s"):format(
    flaw, table.concat(options, " and "), names_in(fields)
  )
end

-- A field that two columns would be.
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

local function header_columns(fields, named)
  local columns, why = known_fields(fields, named)
  if not columns then return nil, why end
  for _, column in ipairs(COLUMNS) do
    if named[column] then
      columns[column], why = named_field(fields, column, named[column])
      if not columns[column] then return nil, why end
    end
  end
  why = missing(fields, columns) or doubled(fields, columns)
  if why then return nil, why end
  return columns
end

local function is_id(text)
  return core.is_record_id((text or ""):match "^[ \t-\r]*(.-)[ \t-\r]*$")
end

---Where the columns are.
---@param fields string[] the first record
---@param named table<string, string> column -> the name that an option gives for it
---@return hubspot.associations.cli.Layout|nil
---@return string|nil message when it is neither a header nor a row
function csv_columns.of(fields, named)
  if is_id(fields[1]) and is_id(fields[2]) then
    for _, column in ipairs(COLUMNS) do
      if named[column] then
        return nil, ("the file has no header, and so no column %s (%s); found: %s"):format(
          named[column], OPTIONS[column], names_in(fields)
        )
      end
    end
    return { columns = { from = 1, to = 2, type = 3 }, width = 3, has_header = false }
  end
  local columns, why = header_columns(fields, named)
  if not columns then return nil, why end
  return { columns = columns, width = #fields, has_header = true }
end

---What keeps a record from being a row of its file, too few fields or too many: values may stand in the wrong
---columns. Nil when nothing does.
---@param layout hubspot.associations.cli.Layout
---@param fields string[]
---@return string|nil message
---@return string|nil column
function csv_columns.misfit(layout, fields)
  for _, column in ipairs(layout.has_header and COLUMNS or csv_columns.IDS) do
    local number = layout.columns[column]
    if number and number > #fields then
      return ("is missing: it would be field %d, and the row has %d"):format(number, #fields), column
    end
  end
  for number = layout.width + 1, #fields do
    if fields[number]:find "[^ \t-\r]" then
      local known = layout.has_header and "the header" or "from, to and type"
      return ("the row has %d fields, %d more than %s; put quotes around values that hold a separator")
        :format(#fields, #fields - layout.width, known)
    end
  end
end

return csv_columns
