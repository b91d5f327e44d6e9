-- Where the columns of a CSV file are: its first record -> the numbers of the fields that count.
-- Never looks at what a row holds.

local csv_columns = {}

local MOST_NAMES = 8 -- that a message shows

---The columns that a row must have.
csv_columns.IDS = { "from", "to" }

-- Names that a header may give a column, without their case, "_", "-" and spaces.
local COLUMN_OF = {
  from = "from", fromid = "from", fromobjectid = "from",
  to = "to", toid = "to", toobjectid = "to",
  type = "type", typeid = "type", associationtypeid = "type",
}

-- The first few names of a header, for people.
local function names_in(fields)
  local names = {}
  for number = 1, math.min(#fields, MOST_NAMES) do names[number] = fields[number]:match "^%s*(.-)%s*$" end
  return table.concat(names, ", ") .. (#fields > MOST_NAMES and ", ..." or "")
end

-- The columns that a first record names: column -> field number, or nil when it names none.
local function named_columns(fields)
  local columns
  for number, name in ipairs(fields) do
    local column = COLUMN_OF[name:lower():gsub("[%s_%-]", "")]
    if column then
      columns = columns or {}
      if columns[column] then return nil, ("the header names the column %s twice"):format(column) end
      columns[column] = number
    end
  end
  return columns
end

---Where the columns are. Record ids have digits.
---@param fields string[] the first record
---@return table<string, integer>|nil columns from, to and type -> field number
---@return boolean|string is_header; why, when it is neither a header nor a row
function csv_columns.of(fields)
  local columns, why = named_columns(fields)
  if why then return nil, why end
  if columns then
    for _, column in ipairs(csv_columns.IDS) do
      if not columns[column] then
        return nil, ("the header has no column %s; found: %s"):format(column, names_in(fields))
      end
    end
    return columns, true
  end
  if not table.concat(fields):find "%d" then
    return nil, "neither a header with the columns from and to, nor a row of ids; found: " .. names_in(fields)
  end
  return { from = 1, to = 2, type = 3 }, false
end

return csv_columns
