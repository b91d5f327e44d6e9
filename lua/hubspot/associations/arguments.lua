-- The arguments of a client's method, by the row of its endpoint: what stands for the names in its path, then
-- inputs, types or fields, then options. Returns what is wrong with them as text, for the method to raise.

local paths = require "hubspot.associations.api.path"
local digits_of = require "hubspot.associations.text.digits"

local arguments = {}

-- What is wrong with the type of a value; nil when nothing is.
local function mistake(name, value, expected)
  local found = type(value)
  if found == expected[1] or found == expected[2] or found == expected[3] then return nil end
  found = value == nil and "nothing" or "a " .. found
  return ("%s: expected a %s, found %s"):format(name, table.concat(expected, " or a "), found)
end

-- The types of the values of a path, by what they are; see path.names.
local EXPECTED = {
  Type = { "string" },
  Id = { "string", "number", "table" }, -- as in inputs
  Number = { "string", "number" },
}
local SOURCE, TYPES, TABLE = { "table", "function" }, { "table", "number", "string" }, { "table" }

-- The argument behind those of the path: its name and types.
local function last_of(row, is_job)
  if is_job then return "source", SOURCE end
  if row.shape then return "inputs", TABLE end
  if row.body == "types" then return "types", TYPES end
  if row.body == "object" then return "fields", TABLE end
end

local function query_mistake(row, query)
  if query == nil then return nil end
  if type(query) ~= "table" then return mistake("options", query, TABLE) end
  local is_known = {}
  for _, name in ipairs(row.query) do is_known[name] = true end
  for name, value in pairs(query) do
    if not is_known[name] then
      return ("option %s is unknown; there are %s"):format(tostring(name), table.concat(row.query, ", "))
    end
    local is_whole = type(value) ~= "number" or digits_of(value)
    local wrong = mistake("option " .. name, value, EXPECTED.Number) or is_whole == nil
      and ("option %s: expected a whole number, found %s"):format(name, tostring(value))
    if wrong then return wrong end
  end
end

-- What is wrong where a method has more arguments than it takes.
local function surplus(names, word)
  local list = table.concat(names, ", ") .. (word and " and " .. word or "")
  return ("takes %s; options are associations.new's"):format(list == "" and "no arguments" or list)
end

---@class hubspot.associations.Arguments
---@field values table<string, any> by the names in the endpoint's path
---@field last any inputs, types, fields or a source
---@field options table|nil those of a job, which are not checked here; or the query's

---@param row hubspot.associations.Endpoint
---@param is_job boolean whether the method runs a job of the endpoint
---@return hubspot.associations.Arguments|nil
---@return string|nil mistake
function arguments.read(row, is_job, ...)
  local names, roles = paths.names(row)
  local values, wrong = {}, nil
  for position, name in ipairs(names) do
    local value = select(position, ...)
    values[name] = value
    wrong = wrong or mistake(name, value, EXPECTED[roles[position]])
  end
  local read, count = { values = values }, #names
  local word, word_types = last_of(row, is_job)
  if word then
    count = count + 1
    read.last = (select(count, ...))
    wrong = wrong or mistake(word, read.last, word_types)
  end
  local is_iterated = is_job and type(read.last) == "function" and type((select(count + 1, ...))) == "table"
    and (read.last == next or (select(count + 1, ...))[1] ~= nil)
  if is_iterated then
    return nil, "source: give the list itself, not what pairs or ipairs returns"
  end
  if is_job or row.query then
    count = count + 1
    read.options = (select(count, ...))
    wrong = wrong or not is_job and query_mistake(row, read.options)
  end
  for position = count + 1, select("#", ...) do
    if (select(position, ...)) ~= nil then wrong = wrong or surplus(names, word) end
  end
  if wrong then return nil, wrong end
  return read
end

return arguments
