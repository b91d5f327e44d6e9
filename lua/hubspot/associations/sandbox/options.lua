-- Owns the options of a sandbox account: each one's default, its check, and
-- what it does.
-- Never keeps state: it turns what a caller gave into checked values.

local direction = require "hubspot.associations.sandbox.direction"

local options = {}

---Stands for "back to the default" where a change of options needs a value.
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

-- Each check returns the value to keep, or nil and what was expected instead.

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

local function scopes(value)
  if value == true then return true end
  if is_list_of_strings(value) then return set_of(value) end
  return nil, "true or a list of scopes"
end

local LABEL_FIELDS = {
  label = "string", from = "string", to = "string", inverse = "number", inverse_label = "string",
}

-- A label's definition, `{ label, from, to, inverse, inverse_label }`, as it is kept; that of its inverse.
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
  for id, label in pairs(inverses) do kept[id] = kept[id] or label end -- what is defined itself comes first
  return kept
end

-- An option that says something of records: a function(object_type_id, id), a list of ids, which stands for
-- `all` of each, or a table of id -> one of `values`.
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

local function refused(value)
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

local DEFINITIONS = {
  -- The clock, in seconds since 1970: function() -> number. Required.
  now = { check = a_function, required = true },
  -- Numbers from 0 to below 1, as math.random gives them: function() -> number. Required.
  random = { check = a_function, required = true },
  -- Which bearer tokens are good: a string or a list. Any, but "expired", when absent.
  token = { check = tokens },
  -- Seconds that each answer takes.
  latency = { check = seconds, default = 0 },
  -- The status of a full success. The documented one when absent: 200 for 2026-09, else 201.
  status = { check = success_status },
  -- Whether object ids in answers are JSON numbers, as they were observed; else strings, as described.
  numeric_ids = { check = a_boolean, default = true },
  -- { limit = requests, interval = seconds (10), daily = requests, retry_after = send that
  -- header (false) }. Any field may be absent. No limit, and no such headers, when absent.
  rate = { check = rate },
  -- The account's own labels, for USER_DEFINED types: association type id -> label, or { label, from, to,
  -- inverse, inverse_label } for one of a direction, with the id and label of the other. When absent, any
  -- USER_DEFINED id exists, and has no label.
  labels = { check = labels },
  -- Scopes the app lacks: a list such as { "crm.objects.contacts.write" }, or true for all.
  forbidden = { check = scopes },
  -- Inputs that one batch create may have.
  max_inputs = { check = positive_integer, default = 2000 },
  -- Which records do not exist: function(object_type_id, id) -> boolean, or a list of ids.
  -- By default, those whose id begins with 404. An id that is no number never exists.
  missing = { check = missing, default = function(_, id) return id:sub(1, 3) == "404" end },
  -- Which records the account refuses the whole batch for with a 400: function(object_type_id, id), a list
  -- of ids, or a table of id -> how it says so: "named" (the id), "column" (of the body), "anonymous"
  -- (nothing at all). A function returns one of these, or true. None when absent.
  refused = { check = refused },
  -- Whether a rejection for a record of which no more is said is "named", or "anonymous".
  names_refused = { check = a_boolean, default = true },
  -- Which records spoil each request that they are in, for good: function(object_type_id, id) -> status, a
  -- list of ids (500), or a table of id -> status, 409 or 500. None when absent.
  poison = { check = poison },
  -- Records in a page of a read.
  page_size = { check = positive_integer, default = 500 },
}

---Checks what a caller gave.
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

---Lays checked changes over a set of options.
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
