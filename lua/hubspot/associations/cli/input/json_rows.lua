-- The rows of a JSON Lines file -> inputs of a job. Checks only what depends on the form of the file: the job
-- checks the inputs.

local association_types = require "hubspot.associations.cli.association_types"
local core = require "hubspot.associations.core"
local row_types = require "hubspot.associations.cli.input.row_types"

local WHOLE_BODY = 'is the body of a whole request (it has "inputs"); expected one input a line'

-- The types that an object has, under any key; nil for none; nil and why when they are unclear.
local function given_types(object, key)
  if key then
    if object[key] == nil then return nil, "is missing, or null; an empty text takes --type" end
    return object[key]
  end
  if object.type == nil then return object.types end
  if object.types ~= nil then return nil, "stands beside types; expected one of them" end
  return object.type
end

local function is_blank(text)
  return not text:find "[^ \t-\r]"
end

local function problem_at(line, column, message, row, is_typed)
  return nil, { line = line, column = column, message = message, row = row, is_typed = is_typed }
end

-- A record has its id under the key that an option names, or under "id" or "from". The value of a property is
-- no id.
local function record_of(object, keys, line)
  local id = object[keys.from]
  if not keys.is_named and not keys.is_by_property and object.id ~= nil then
    if id ~= nil then return problem_at(line, "id", "stands beside from; expected one of them") end
    id = object.id
  end
  if id == nil then return problem_at(line, keys.from, "is missing") end
  return { id = id, line = line }
end

local function read_input(text, line, keys, settings)
  if not text:find "^[ \t-\r]*{" then
    return problem_at(line, nil, "expected a JSON object, one in each line")
  end
  local object, why = core.decode_input(text, keys.from, keys.to)
  if not object then return problem_at(line, nil, "is not JSON: " .. why) end
  if object.inputs ~= nil then return problem_at(line, nil, WHOLE_BODY) end
  local input = { from = object[keys.from], to = object[keys.to], line = line }
  if settings.takes == "records" then return record_of(object, keys, line) end
  local given, flaw = given_types(object, keys.type)
  if flaw then given = association_types.UNREADABLE end
  if flaw and settings.takes == "associations" then
    input.type = given
    return problem_at(line, keys.type or "type", flaw, input)
  end
  local category = keys.type ~= "category" and object.category or nil
  given = { to = object[keys.to], type = given, category = category }
  local column, is_typed
  input.types, why, column, is_typed = row_types.of(given, settings)
  if not why then return input end
  input.type = row_types.text(given)
  for _, side in ipairs { "from", "to" } do
    if input[side] == nil then return problem_at(line, keys[side], "is missing", input) end
  end
  return problem_at(line, column or keys.type or "types", why, input, is_typed)
end

-- The same, with the line as it stands in the file, if it is to be kept.
local function input_of(text, line, keys, settings)
  local input, problem = read_input(text, line, keys, settings)
  if settings.keeps then
    local row = input or problem.row or {}
    row.kept = text
    if problem then problem.row = row end
  end
  return input, problem
end

-- Why these keys cannot be read: one of them has two meanings.
local function conflict(named)
  local uses = {}
  for _, use in ipairs {
    { "from", named.from or "from" }, { "to", named.to or "to" },
    { "type", named.type or "type" }, { "type", named.type or "types" },
  } do
    local column, key = use[1], use[2]
    if uses[key] and uses[key] ~= column then
      return ("%s and %s would be the same key, %s"):format(uses[key], column, key)
    end
    uses[key] = column
  end
end

---@param lines hubspot.associations.cli.Lines
---@param settings hubspot.associations.cli.RowSettings
---@return (fun(): table|nil, hubspot.associations.cli.Problem|nil)|nil
---@return string|nil message when no row can be read
return function(lines, settings)
  local named = settings.named
  local why = conflict(named)
  if why then return nil, why end
  local keys = {
    from = named.from or "from", to = named.to or "to", type = named.type, is_named = named.from ~= nil,
    is_by_property = settings.properties.from ~= nil,
  }
  if settings.keeps then settings.other_columns[1] = { name = "source" } end
  return function()
    local text, line
    repeat
      text, line = lines:next()
      if not text then return nil, line end
    until not is_blank(text)
    return input_of(text, line, keys, settings)
  end
end
