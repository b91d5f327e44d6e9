-- The plan as CSV: a row for each type of a pair that is to be created or removed. A person may look at it in
-- a spreadsheet, so that it is read with the same care as any list: a row that is not clear is an error. The
-- columns of ids have the object types in their names, "from contacts": ids alone would fit any others, too.
-- For the same reason, the column of what a pair had may name the account.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local part_files = require "hubspot.associations.part_file"
local type_keys = require "hubspot.associations.sync.type_keys"
local spool = require "hubspot.associations.sync.spool"
local cells = require "hubspot.associations.text.cells"
local digits_of = require "hubspot.associations.text.digits"
local one_line = require "hubspot.associations.text.one_line"
local types = require "hubspot.associations.types"

local plan_file = {}

local BEGINNING = "action,from "
local REQUIRED = { "action", "from", "to", "category", "type", "had" }

local LONGEST_LABEL = 1000
local WRITTEN_AT_ONCE = 256 * 1024 -- bytes, each of which is on disk before the next

---@class hubspot.associations.sync.PlanObjects
---@field from string object type
---@field to string object type
---@field account string|nil

---@class hubspot.associations.sync.PlanRow
---@field action "create"|"remove"
---@field from string
---@field to string
---@field key string of the type
---@field label string|nil
---@field had string keys of the types that the pair has, separated by commas
---@field rows string indices of the source's rows, separated by commas; empty for a removal

-- ---- writing ----

-- A label as a cell. It is not read again.
local function label_cell(label)
  return label and cells.field(one_line(label):sub(1, LONGEST_LABEL)) or ""
end

-- The names of the columns of ids. Those of HubSpot's own objects are the same however they are called.
local function id_columns(objects)
  local function name_of(object) return one_line(types.object_name(object) or object) end
  return { from = "from " .. name_of(objects.from), to = "to " .. name_of(objects.to) }
end

local function header(objects, place_of)
  local name_of = id_columns(objects)
  local had = objects.account and "had in account " .. objects.account or "had"
  return table.concat({
    "action", cells.field(name_of.from), cells.field(name_of.to), "category", "type", "label",
    cells.field(had), place_of and "lines" or "rows",
  }, ",") .. "\n"
end

-- The rows that a line is for, as a cell. A column with their places is for people, and is not read again.
local function rows_cell(rows, place_of)
  if not place_of then return (rows:gsub(",", " ")) end
  local listed = {}
  for index in rows:gmatch "[^,]+" do listed[#listed + 1] = one_line(place_of(tonumber(index))) end
  return cells.field(table.concat(listed, "; "))
end

---@param row hubspot.associations.sync.PlanRow
---@param place_of nil|fun(index: integer): string
---@return string
function plan_file.line(row, place_of)
  local category, id = type_keys.parts(row.key)
  return table.concat({
    row.action, row.from, row.to, category, digits_of(id), label_cell(row.label),
    (row.had:gsub(",", " ")), rows_cell(row.rows, place_of),
  }, ",") .. "\n"
end

-- Writes all rows to an open file.
local function write_rows(file, next_row, objects, place_of)
  local parts, size = { header(objects, place_of) }, 0
  while true do
    local row, err = next_row()
    if err then return nil, err end
    local line = row and plan_file.line(row, place_of)
    if line then parts[#parts + 1], size = line, size + #line end
    if not line or size >= WRITTEN_AT_ONCE then
      local appended, why = file:append(table.concat(parts))
      if not appended then return nil, why end
      parts, size = {}, 0
    end
    if not line then return true end
  end
end

---Whether a plan can be written at a path, so that this is known before anything is read.
---@param path string
---@return boolean|nil
---@return hubspot.associations.Error|nil
function plan_file.check(path)
  local found = core.stat(path)
  if found and found.type ~= "file" then -- a device, say: the plan would take its place
    return spool.unusable("the plan " .. one_line(path), "is not a regular file")
  end
  local part, why = part_files.open(path, { BEGINNING })
  if not part then return spool.unusable("the plan " .. one_line(path), why) end
  part:discard()
  return true
end

---Writes a plan: to a temporary file beside it, which then takes its name, so that a plan is complete.
---@param path string
---@param next_row fun(): hubspot.associations.sync.PlanRow|nil, any
---@param objects hubspot.associations.sync.PlanObjects
---@param place_of nil|fun(index: integer): string where a row is, for people
---@return boolean|nil
---@return hubspot.associations.Error|nil
function plan_file.write(path, next_row, objects, place_of)
  local part, why = part_files.open(path, { BEGINNING })
  local written = false
  if part then
    written, why = write_rows(part.file, next_row, objects, place_of)
    if written then written, why = part:complete() end
    if not written then part:discard() end
  end
  if written then return true end
  if errors.is(why) then return nil, why end
  return spool.unusable("the plan " .. one_line(path), why)
end

-- ---- reading ----

local function invalid(path, line, why)
  return nil, errors.new {
    kind = "invalid_input", field = "plan", retryable = false,
    message = ("the plan %s, line %d: %s"):format(one_line(path), line, why),
  }
end

-- The fields of a line; nil where its quotes make no sense.
local function fields_of(line)
  local fields, at = {}, 1
  while true do
    local stop, text
    if line:sub(at, at) == '"' then
      stop = at
      repeat
        stop = line:find('"', stop + 1, true)
        if not stop then return nil end
        local is_double = line:sub(stop + 1, stop + 1) == '"'
        if is_double then stop = stop + 1 end
      until not is_double
      text = line:sub(at + 1, stop - 1):gsub('""', '"')
      stop = stop + 1
      local behind = line:sub(stop, stop)
      if behind ~= "," and behind ~= "" then return nil end
    else
      stop = line:find(",", at, true) or #line + 1
      text = line:sub(at, stop - 1)
    end
    fields[#fields + 1] = text
    if stop > #line then return fields end
    at = stop + 1
  end
end

-- Where the columns are; or nil and why this is no plan, or one of other object types or of another account.
local function columns_of(line, objects)
  local fields, at, named = fields_of((line:gsub("^\239\187\191", ""))), {}, {}
  for number, name in ipairs(fields or {}) do
    local side = name:match "^(from) ." or name:match "^(to) ."
    local account = name:match "^had in account (.+)"
    at[side or account and "had" or name] = number
    if account then named.account = account end
    if side then named[side] = name end
  end
  local expected = id_columns(objects)
  for _, name in ipairs(REQUIRED) do
    if not (at[name] and (named[name] or not expected[name])) then
      return nil, ("is not a plan, or not separated by commas: it has no column %s"):format(
        expected[name] or name)
    end
  end
  if named.from ~= expected.from or named.to ~= expected.to then
    return nil, ("it is a plan %s %s, not %s %s"):format(one_line(named.from), one_line(named.to),
      expected.from, expected.to)
  end
  if named.account and objects.account and named.account ~= objects.account then
    return nil, ("it is a plan of the account %s, not of %s"):format(
      one_line(named.account), one_line(objects.account))
  end
  return at, nil, #fields
end

-- The types of the column `had`; nil where they are none.
local function had_of(text)
  local list = {}
  for word in text:gmatch "[^ ]+" do
    local category, id = word:match "^([A-Z0-9_]+):(%d+)$"
    list[#list + 1] = type_keys.of(category, id)
    if not list[#list] or list[#list] ~= word then return nil end
  end
  return type_keys.join(list)
end

-- A line as a row; or nil and what is wrong.
local function row_of(line, at, count)
  local fields = fields_of(line)
  if not fields or #fields ~= count then return nil, "it does not have the fields of the first line" end
  local function field(name) return at[name] and fields[at[name]] or "" end
  local action, from, to = field "action", field "from", field "to"
  if action ~= "create" and action ~= "remove" then return nil, "its action is neither create nor remove" end
  if not core.is_record_id(from) then return nil, "its from is no record id: " .. one_line(from) end
  if not core.is_record_id(to) then return nil, "its to is no record id: " .. one_line(to) end
  local key = field("type"):find "^%d+$" and type_keys.of(field "category", field "type")
  if not key then return nil, "its category and type are no association type" end
  local had = had_of(field "had")
  if not had then return nil, "its column had is no list of types" end
  if action == "remove" and had == "" then return nil, "its column had is empty, but it had a type" end
  local rows = field "rows"
  if rows:find "[^0-9 ]" then return nil, "its column rows is no list of numbers" end
  return { action = action, from = from, to = to, key = key, had = had, rows = (rows:gsub(" ", ",")) }
end

---Opens a plan. The iterator returns the next row and the number of its line; nil at the end, nil and an
---error for a row that is not clear.
---@param path string
---@param objects hubspot.associations.sync.PlanObjects that it has to be of
---@return (fun(): hubspot.associations.sync.PlanRow|nil, any)|nil
---@return hubspot.associations.Error|nil
---@return fun()|nil close
function plan_file.open(path, objects)
  local handle, why = io.open(path, "rb")
  if not handle then return spool.unusable("the plan", why) end
  local line
  line, why = handle:read "*l"
  local at, count
  if line then at, why, count = columns_of((line:gsub("\r$", "")), objects) end
  if not at then
    handle:close()
    return invalid(path, 1, why or "it is empty")
  end
  local number = 1
  return function()
    repeat
      line, why = handle:read "*l"
      number = number + 1
      if line then line = line:gsub("\r$", "") end
    until line ~= ""
    if not line then
      if why then return spool.unusable("the plan " .. one_line(path), why) end
      return nil
    end
    local row, wrong = row_of(line, at, count)
    if not row then return invalid(path, number, wrong) end
    return row, number
  end, nil, function() handle:close() end
end

return plan_file
