-- The options of an account: their defaults, checks and meanings. The module keeps no state: it turns what a
-- caller gives into checked values.

local direction = require "hubspot.associations.sandbox.direction"

local options = {}

---Puts an option back to its default, as a value in a change of options.
options.DEFAULT = {}

local function is_integer(value, least)
  return type(value) == "number" and value >= least and value <= 2 ^ 53 and value % 1 == 0
end

local function is_list_of_strings(value)
  if type(value) ~= "table" then return false end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  for i = 1, count do
    if type(value[i]) ~= "string" then return false end
  end
  return true
end

local function set_of(list)
  local set = {}
  for _, item in ipairs(list) do set[item] = true end
  return set
end

-- Each check returns the checked value, or nil and what is expected instead.

local function a_function(value)
  if type(value) == "function" then return value end
  return nil, "a function"
end

local function a_boolean(value)
  if type(value) == "boolean" then return value end
  return nil, "a boolean"
end

local function tokens(value)
  if type(value) == "string" then value = { value } end
  if is_list_of_strings(value) then return set_of(value) end
  return nil, "a string or a list of strings"
end

local function seconds(value)
  if type(value) == "number" and value >= 0 and value < math.huge then return value end
  return nil, "a number of seconds, 0 or more"
end

local function success_status(value)
  if is_integer(value, 200) and value <= 299 then return value end
  return nil, "a status from 200 to 299"
end

local function positive_integer(value)
  if is_integer(value, 1) then return value end
  return nil, "a positive integer"
end

local function input_limits(value)
  if is_integer(value, 1) then return value end
  local expected = "a positive integer, or a table of endpoint -> positive integer"
  if type(value) ~= "table" then return nil, expected end
  for name, limit in pairs(value) do
    if type(name) ~= "string" or not is_integer(limit, 1) then return nil, expected end
  end
  return value
end

local function scopes(value)
  if value == true then return true end
  if is_list_of_strings(value) then return set_of(value) end
  return nil, "true or a list of scopes"
end

local LABEL_FIELDS = {
  label = "string", from = "string", to = "string", inverse = "number", inverse_label = "string",
}

-- A label's checked definition, and that of its inverse if it has one; nil when it is not well-formed.
local function read_label(id, given)
  if type(given) == "string" then given = { label = given } end
  if type(given) ~= "table" or type(given.label) ~= "string" then return nil end
  for name, value in pairs(given) do
    if LABEL_FIELDS[name] ~= type(value) then return nil end
  end
  local from = given.from and direction.object_type_id(given.from)
  local to = given.to and direction.object_type_id(given.to)
  if (given.from or given.to or given.inverse) and not (from and to) then return nil end
  local inverse = given.inverse
  if inverse and not is_integer(inverse, 1) then return nil end
  return { label = given.label, from = from, to = to, inverse = inverse or from and false },
    inverse and { label = given.inverse_label or given.label, from = to, to = from, inverse = id }
end

local function labels(value)
  local expected = "a table of type id -> label, or { label, from, to, inverse, inverse_label }"
  if type(value) ~= "table" then return nil, expected end
  local kept, inverses = {}, {}
  for key, given in pairs(value) do
    local id = tonumber(key)
    if not id or not is_integer(id, 1) then return nil, expected end
    local label, inverse = read_label(id, given)
    if not label then return nil, expected end
    kept[id] = label
    if inverse then inverses[label.inverse] = inverse end
  end
  for id, label in pairs(inverses) do kept[id] = kept[id] or label end -- a definition of its own goes first
  return kept
end

-- An option about records: a function(object_type_id, id), a list of ids, each of which gets `all`, or a
-- table of id -> one of `values`. The checked value is a function.
local function of_records(value, all, values, expected)
  if type(value) == "function" then return value end
  if is_list_of_strings(value) then
    local ids = set_of(value)
    return function(_, id) return ids[id] and all or nil end
  end
  if type(value) ~= "table" then return nil, expected end
  local kept = {}
  for id, one in pairs(value) do
    if type(id) ~= "string" or not values[one] then return nil, expected end
    kept[id] = one
  end
  return function(_, id) return kept[id] end
end

local function missing(value)
  return of_records(value, true, {}, "a function or a list of ids")
end

local WAYS = { named = true, column = true, anonymous = true }

local function rejected(value)
  return of_records(value, true, WAYS,
    "a function, a list of ids, or a table of id -> named, column, anonymous")
end

local POISONS = { [409] = true, [500] = true, [502] = true, [503] = true, [504] = true }

local function poison(value)
  return of_records(value, 500, POISONS, "a function, a list of ids, or a table of id -> status (409 or 500)")
end

local RATE_FIELDS = {
  limit = function(value) return is_integer(value, 0) end,
  daily = function(value) return is_integer(value, 0) end,
  interval = function(value) return type(value) == "number" and value > 0 and value < math.huge end,
  retry_after = function(value) return type(value) == "boolean" end,
}

local function rate(value)
  local expected = "a table of limit, interval, daily, retry_after"
  if type(value) ~= "table" then return nil, expected end
  local kept = { interval = 10 }
  for field, content in pairs(value) do
    if not RATE_FIELDS[field] or not RATE_FIELDS[field](content) then
      return nil, expected .. " (look at " .. tostring(field) .. ")"
    end
    kept[field] = content
  end
  return kept
end

local function is_record(id, properties)
  if type(id) ~= "string" or not id:find "^[1-9]%d*$" or type(properties) ~= "table" then return false end
  for name, value in pairs(properties) do
    if type(name) ~= "string" or type(value) ~= "string" then return false end
  end
  return true
end

local function records(value)
  local expected = "a table of object type -> record id -> properties, which are text"
  if type(value) ~= "table" then return nil, expected end
  local kept = {}
  for object_type, list in pairs(value) do
    local type_id = type(object_type) == "string" and direction.object_type_id(object_type)
    if not type_id or type(list) ~= "table" then return nil, expected end
    for id, properties in pairs(list) do
      if not is_record(id, properties) then return nil, expected end
    end
    kept[type_id] = list
  end
  return kept
end

local DEFINITIONS = {
  -- The clock, in seconds since 1970: function() -> number. Required.
  now = { check = a_function, required = true },
  -- Numbers from 0 to below 1, as math.random gives them: function() -> number. Required.
  random = { check = a_function, required = true },
  -- The bearer tokens that are accepted: a string or a list. When absent, any but "expired".
  token = { check = tokens },
  -- Seconds by which each response is delayed.
  latency = { check = seconds, default = 0 },
  -- Seconds until reads show a write, as HubSpot's may do; until then they show what was before.
  visible_after = { check = seconds, default = 0 },
  -- The HTTP status of a create without errors. When absent, the documented one: 200 for 2026-09, else 201.
  status = { check = success_status },
  -- Whether record ids in responses are JSON numbers, as observed, or strings, as documented.
  numeric_ids = { check = a_boolean, default = true },
  -- { limit = requests, interval = seconds (10), daily = requests, retry_after = whether to send Retry-After
  -- (false) }. Any field may be absent. When absent, there is no limit, and there are no such headers.
  rate = { check = rate },
  -- The account's own labels, which are its USER_DEFINED types: association type id -> label, or { label,
  -- from, to, inverse, inverse_label } for a label with a direction, where inverse is the id in the other
  -- direction. When absent, every USER_DEFINED id exists, and has no label.
  labels = { check = labels },
  -- The scopes that the app lacks: a list such as { "crm.objects.contacts.write" }, or true for all.
  forbidden = { check = scopes },
  -- The account's hub id, which HubSpot's own documents call the portal's as well.
  hub_id = { check = positive_integer, default = 12345678 },
  -- Whether the token is a private app's, of which alone HubSpot says which scopes it has.
  private_app = { check = a_boolean, default = true },
  -- The largest number of inputs of a batch: of every endpoint, or a table of endpoint -> number, such as
  -- { archive = 50 }. When absent, the documented ones.
  max_inputs = { check = input_limits },
  -- The records that do not exist: function(object_type_id, id) -> boolean, or a list of ids. By default,
  -- those whose id begins with 404. A record whose id is no number never exists.
  missing = { check = missing, default = function(_, id) return id:sub(1, 3) == "404" end },
  -- The records that get the whole batch rejected with a 400: function(object_type_id, id), a list of ids, or
  -- a table of id -> what the rejection names: "named" (the id), "column" (of the body) or "anonymous"
  -- (nothing). A function returns one of these, or true. When absent, there are none.
  rejected = { check = rejected },
  -- Whether the rejection for a record in a list, or one for which a function returns true, is "named" or
  -- "anonymous".
  names_rejected = { check = a_boolean, default = true },
  -- The records with which every request fails: function(object_type_id, id) -> status, a list of ids (500),
  -- or a table of id -> status, 409 or 500. When absent, there are none.
  poison = { check = poison },
  -- Records with their properties, for reads of objects: object type -> record id -> { email = "a@b.c" }. Of
  -- an object type that is not listed, a value with digits is the value of the record with that id.
  records = { check = records },
  -- How many links of a record a page has, of a read or of a list.
  page_size = { check = positive_integer, default = 500 },
}

---Checks the options that a caller gives.
---@param given table<string, any> a value may be `options.DEFAULT`
---@return table|nil changes name -> checked value, or `options.DEFAULT`
---@return string|nil message names the option at fault
function options.check(given)
  local changes = {}
  for name, value in pairs(given) do
    local definition = DEFINITIONS[name]
    if not definition then
      return nil, string.format("unknown sandbox option %q", tostring(name))
    end
    changes[name] = value
    if value ~= options.DEFAULT then
      local kept, expected = definition.check(value)
      if kept == nil then
        return nil, string.format("sandbox option %q: expected %s", name, expected)
      end
      changes[name] = kept
    elseif definition.required then
      return nil, string.format("sandbox option %q has no default", name)
    end
  end
  return changes
end

---Applies checked changes to a set of options.
---@param current table
---@param changes table from `options.check`
function options.apply(current, changes)
  for name, value in pairs(changes) do
    if value == options.DEFAULT then
      current[name] = DEFINITIONS[name].default
    else
      current[name] = value
    end
  end
end

---The options of a new account.
---@param given table
---@return table|nil values
---@return string|nil message
function options.new(given)
  local changes, message = options.check(given)
  if not changes then return nil, message end
  local values = {}
  for name, definition in pairs(DEFINITIONS) do
    if definition.required and changes[name] == nil then
      return nil, string.format("sandbox option %q is required", name)
    end
    values[name] = definition.default
  end
  options.apply(values, changes)
  return values
end

return options
