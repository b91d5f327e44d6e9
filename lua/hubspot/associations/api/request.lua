-- The request of an endpoint: its method, path and body, of the arguments of a client's method. Pure.

local cjson = require "cjson"
local input_errors = require "hubspot.associations.api.input_errors"
local paths = require "hubspot.associations.api.path"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local ascii = require "hubspot.associations.text.ascii"
local digits_of = require "hubspot.associations.text.digits"

local request = {}

local json = cjson.new()

local function invalid(field, message)
  return nil, errors.new { kind = "invalid_input", field = field, message = message, retryable = false }
end

---How the inputs of an endpoint are written and checked: options of core.body.
---@param row hubspot.associations.Endpoint
---@param options hubspot.associations.Options
---@param naming hubspot.associations.Naming|nil the names of types, where inputs have types
---@return table
function request.checks(row, options, naming)
  return {
    shape = row.shape,
    result = row.result,
    most_groups = row.most_groups,
    check_ids = options.check_ids,
    check_type = options.check_types and naming and naming.names.check or nil,
    names = naming and naming.names.written,
    unknown_name = naming and naming.unknown_name,
  }
end

---Whether an endpoint takes association types, which may be given by their names.
---@param row hubspot.associations.Endpoint
---@return boolean
function request.has_types(row)
  return row.shape == "association" or row.body == "types"
end

-- A record id as it stands in a path, judged as those of inputs are.
local function record_id(name, value, options)
  local body = core.body { shape = "record", check_ids = options.check_ids }
  local added, reason = body:add(value)
  if not added then return invalid(name, reason.message) end
  return core.decode('["' .. body:ids(1) .. '"]')[1]
end

local function number(name, value)
  local digits = type(value) == "number" and digits_of(value) or type(value) == "string" and value
  if digits and digits:find "^[1-9]%d*$" then return digits end
  return invalid(name, "expected a whole number from 1")
end

-- The values of a path as text.
local function path_values(row, options, values)
  local names, roles = paths.names(row)
  local texts = {}
  for position, name in ipairs(names) do
    local text, err = values[name], nil
    if roles[position] == "Id" then
      text, err = record_id(name, text, options)
    elseif roles[position] == "Number" then
      text, err = number(name, text)
    end
    if not text then return nil, err end
    texts[name] = text
  end
  return texts
end

-- The types of one pair as a bare list.
local function types_body(row, options, values, given, naming)
  local checks = request.checks(row, options, naming)
  checks.shape = "association"
  local body = core.body(checks)
  local added, reason = body:add { from = values.fromObjectId, to = values.toObjectId, types = given }
  if not added then return invalid(reason.field, reason.message) end
  return "[" .. body:types(1) .. "]"
end

local function text_field(name, value)
  if type(value) ~= "string" then return invalid(name, "expected a string, found a " .. type(value)) end
  return json.encode(value)
end

-- A list whose entries are written by `write`; of cjson's, an empty one would be {}.
local function list_field(name, list, write)
  if type(list) ~= "table" then return invalid(name, "expected a list, found a " .. type(list)) end
  local texts = {}
  for index, entry in ipairs(list) do
    local text, err = write(("%s[%d]"):format(name, index), entry)
    if not text then return nil, err end
    texts[index] = text
  end
  return "[" .. table.concat(texts, ",") .. "]"
end

-- A reference to a record, by its id or by the value of another property.
local function reference(name, value)
  if type(value) == "table" then value = value.id end
  if type(value) == "number" then value = digits_of(value) end
  local text, err = text_field(name, value)
  return text and '{"id":' .. text .. "}", err
end

local WRITERS = {
  number = number,
  string = text_field,
  texts = function(name, value) return list_field(name, value, text_field) end,
  ids = function(name, value) return list_field(name, value, reference) end,
}

-- A field as JSON; nil, nil where it is left out. (cjson writes a number with 14 digits.)
local function field_text(name, value, expected)
  local kind, may_be_left_out = expected:match "^([a-z]+)(%??)$"
  if value ~= nil then return WRITERS[kind](name, value) end
  if may_be_left_out == "" then return invalid(name, "is missing") end
end

-- The fields may be a proxy, as inputs may.
local function object_body(row, given)
  local fields = {}
  for name in pairs(given) do
    if not row.fields[name] then return invalid(tostring(name), "is no field of this endpoint") end
  end
  for name, expected in pairs(row.fields) do
    local text, err = field_text(name, given[name], expected)
    if err then return nil, err end
    if text then fields[#fields + 1] = json.encode(name) .. ":" .. text end
  end
  table.sort(fields, ascii.before)
  return "{" .. table.concat(fields, ",") .. "}"
end

-- The characters that a token may have need no escape.
local function token_body(token)
  return '{"tokenKey":"' .. token .. '"}'
end

local function inputs_body(row, options, inputs, naming)
  local body = core.body(request.checks(row, options, naming))
  local added, invalid_inputs, count = body:add_list(inputs)
  if not added then return nil, input_errors.of_invalid(invalid_inputs, count) end
  return body:payload()
end

---The path of an endpoint's request.
---@param row hubspot.associations.Endpoint
---@param options hubspot.associations.Options
---@param arguments hubspot.associations.Arguments
---@return string|nil
---@return hubspot.associations.Error|nil
function request.path(row, options, arguments)
  local texts, err = path_values(row, options, arguments.values)
  if not texts then return nil, err end
  return paths.of(row, options.version, texts, row.query and arguments.options)
end

---@param row hubspot.associations.Endpoint
---@param options hubspot.associations.Options
---@param arguments hubspot.associations.Arguments
---@param naming hubspot.associations.Naming|nil the names of types, where the endpoint takes types
---@return table|nil request { method, path, body, is_repeatable }; or with `body_of`, a function that makes
---  the body of the token, which is the session's alone
---@return hubspot.associations.Error|nil
function request.of(row, options, arguments, naming)
  local path, err = request.path(row, options, arguments)
  if not path then return nil, err end
  local body
  if row.shape then
    body, err = inputs_body(row, options, arguments.last, naming)
  elseif row.body == "types" then
    body, err = types_body(row, options, arguments.values, arguments.last, naming)
  elseif row.body == "object" then
    body, err = object_body(row, arguments.last)
  end
  if err then return nil, err end
  return {
    method = row[1], path = path, body = body, body_of = row.body == "token" and token_body or nil,
    is_repeatable = row.repeatable ~= false,
  }
end

return request
