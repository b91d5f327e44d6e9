-- Reads HubSpot's rejections: whether one is about the path, single inputs, a type, or the size of the batch.
-- Only this file knows the keys and the wording of HubSpot's errors; spec/job/observed_spec.lua has every one
-- that was observed. Pure; an error may have any shape.

local core = require "hubspot.associations.core"
local ascii = require "hubspot.associations.text.ascii"
local digits_of = require "hubspot.associations.text.digits"
local types = require "hubspot.associations.types"

local rejection = {}

-- ---- the direction of the path ----

---@class hubspot.associations.Direction the object types of a path, in canonical spelling
---@field from string
---@field to string

local function canonical(object_type)
  return types.object_name(object_type) or ascii.lower(object_type)
end

---@param from_object_type string
---@param to_object_type string
---@return hubspot.associations.Direction
function rejection.direction(from_object_type, to_object_type)
  return { from = canonical(from_object_type), to = canonical(to_object_type) }
end

-- The side of an object type; nil when it is on neither side, or on both.
local function side_of_type(object_type, direction)
  if type(object_type) ~= "string" or not direction or direction.from == direction.to then return nil end
  local name = canonical(object_type)
  return name == direction.from and "from" or name == direction.to and "to" or nil
end

-- ---- what an error names ----

local SIDE_OF_KEY = {
  fromObjectId = "from", fromObjectIds = "from", fromId = "from", from = "from",
  toObjectId = "to", toObjectIds = "to", toId = "to", to = "to",
}
local IDS_OF_EITHER_SIDE = {
  id = true, ids = true, objectId = true, objectIds = true, recordId = true, recordIds = true,
}
local TYPE_KEYS = {
  associationSpec = true, INVALID_ASSOCIATION_TYPE_ID = true, type = true,
  associationTypeId = true, associationTypeIds = true, typeId = true,
}
local CATEGORY_OF_NUMBER = { ["0"] = "HUBSPOT_DEFINED" } -- "0-5"; other numbers have no known category

---@class hubspot.associations.Named what an error names
---@field from table<string, boolean> ids of the from side
---@field to table<string, boolean> ids of the to side
---@field either table<string, boolean> ids without a side
---@field types { category: string|nil, id: string }[] association types

-- An association type as HubSpot writes it: "USER_DEFINED=3", "USER_DEFINED=3 is not valid ...", "0-5", 5.
-- Nil for a label.
local function type_of(value)
  local text = type(value) == "number" and digits_of(value) or value
  if type(text) ~= "string" then return nil end
  local category, id = text:match "^([^=]*)=(%d+)"
  if core.is_category(category) then return { category = category, id = id } end
  category, id = text:match "^(%d+)%-(%d+)$"
  if category then return { category = CATEGORY_OF_NUMBER[category], id = id } end
  id = text:match "^%d+$"
  return id and { id = id }
end

-- subCategory is an object in HubSpot's documentation, and a string in its responses.
local function sub_category(err)
  local sub = err.subCategory
  if type(sub) == "table" then sub = sub.name or sub.category end
  return type(sub) == "string" and sub or ""
end

local function values_of(value)
  return type(value) == "table" and value or { value }
end

-- The side of ids in an error whose key does not name one.
local function side_of_error(err, direction)
  local sub = sub_category(err)
  if sub:find("FROM_OBJECT", 1, true) then return "from" end
  if sub:find("TO_OBJECT", 1, true) then return "to" end
  local side
  for _, object_type in pairs(values_of(err.context.objectType)) do
    local one = side_of_type(object_type, direction)
    if not one or side and side ~= one then return nil end
    side = one
  end
  return side
end

local function name_id(named, side, value)
  local id = type(value) == "number" and digits_of(value) or value
  if type(id) ~= "string" or id == "" then return end -- a shape with one id has "" for the other
  named[side or "either"][id] = true
  named.any = true
end

local function name_type(named, value)
  local found = type_of(value)
  if not found then return end
  table.insert(named.types, found)
  named.any = true
end

-- Reads one entry of a context. A value of INVALID_OBJECT_IDS has an object type and an id.
local function read_context(named, key, value, side, direction)
  if SIDE_OF_KEY[key] then
    name_id(named, SIDE_OF_KEY[key], value)
  elseif IDS_OF_EITHER_SIDE[key] then
    name_id(named, side, value)
  elseif TYPE_KEYS[key] then
    name_type(named, value)
  elseif key == "INVALID_OBJECT_IDS" and type(value) == "string" then
    local object_type, id = value:match "^([^=]+)=([^ \t-\r]+)"
    if id then name_id(named, side_of_type(object_type, direction) or side, id) end
  elseif type(key) == "string" then
    local object_type = key:match "^([A-Za-z]+)[Ii][Dd]s?$" -- contactId
    local of_type = object_type and side_of_type(object_type, direction)
    if of_type then name_id(named, of_type, value) end
  end
end

---What an error names; nil when it names nothing.
---@param err table an entry of a response's `errors`, or the error of a whole request
---@param direction hubspot.associations.Direction|nil
---@return hubspot.associations.Named|nil
function rejection.named(err, direction)
  local named = { from = {}, to = {}, either = {}, types = {} }
  if type(err.context) == "table" then
    local side = side_of_error(err, direction)
    for key, values in pairs(err.context) do
      for _, value in pairs(values_of(values)) do read_context(named, key, value, side, direction) end
    end
  end
  if not named.any and type(err.message) == "string" then
    -- "invalid from object type 0-1 for associations to be created. expected: 0-46. For definition 0-190"
    name_type(named, err.message:match "[Ff]or definition (%d+%-%d+)")
  end
  return named.any and named or nil
end

---Whether an error says that a record does not exist, or is not valid: then all inputs with that record on
---that side are at fault, whatever their types.
---@param err table
---@return boolean
function rejection.is_of_record(err)
  if type(err.context) == "table" and err.context.INVALID_OBJECT_IDS ~= nil then return true end
  return err.category == "OBJECT_NOT_FOUND" or sub_category(err):find("OBJECT_NOT_FOUND", 1, true) ~= nil
end

---Whether an error only says that a record has no associations, as a response to a read does. (A record that
---does not exist gets the same error.)
---@param err table
---@return boolean
function rejection.is_empty(err)
  return sub_category(err):find("NO_ASSOCIATIONS_FOUND", 1, true) ~= nil
end

---Whether two errors of a response may be about the same input: one about its from side, one about its to
---side.
---@param list table[]
---@return boolean
function rejection.may_share_an_input(list)
  local has_from, has_to = false, false
  for _, err in ipairs(list) do
    local sub = sub_category(err)
    has_from = has_from or sub:find("FROM_OBJECT", 1, true) ~= nil
    has_to = has_to or sub:find("TO_OBJECT", 1, true) ~= nil
  end
  return has_from and has_to
end

---The rejection itself and the entries of its `errors`: each may name inputs.
---@param err table
---@return table[]
function rejection.details(err)
  local list = { err }
  for _, detail in ipairs(type(err.errors) == "table" and err.errors or {}) do
    if type(detail) == "table" then list[#list + 1] = detail end
  end
  return list
end

-- ---- the rejection of a whole batch ----

local SPLITTABLE = { [400] = true, [413] = true, [422] = true }

-- The only message about a path that was observed. "Object type" alone is also in messages about single
-- inputs.
local function is_of_path(err, direction)
  local message = type(err.message) == "string" and err.message or ""
  local name = message:match "^Unable to infer object type from: (.-)[ \t-\r]*$"
  if not name then return false end
  if not direction then return true end
  name = canonical(name)
  return name == direction.from or name == direction.to
end

---Whether a rejection is about an object type of the path. Its error has the reason "object_type" then.
---@param err hubspot.associations.Error
---@return boolean
function rejection.is_of_path(err)
  for _, detail in ipairs(rejection.details(err)) do
    if is_of_path(detail, nil) then return true end
  end
  return false
end

---Whether a rejection may be about single inputs, so that the rest of the batch may pass without them.
---@param err hubspot.associations.Error
---@param direction hubspot.associations.Direction|nil
---@return boolean
function rejection.is_splittable(err, direction)
  if err.status == 404 then -- about the path, unless HubSpot says that it is about a record
    return err.category == "OBJECT_NOT_FOUND" and rejection.named(err, direction) ~= nil
  end
  if err.kind ~= "http" or not SPLITTABLE[err.status] then return false end
  for _, detail in ipairs(rejection.details(err)) do
    if is_of_path(detail, direction) then return false end
  end
  return true
end

---Whether a rejection is about the property by which records are looked up. That of a read was not observed:
---the words are those of an update ("by non-unique 0-1 property"), and of properties that do not exist.
---@param err hubspot.associations.Error
---@return boolean
function rejection.is_of_property(err)
  local message = ascii.lower(tostring(err.message))
  return message:find("unique", 1, true) ~= nil or message:find("property does not exist", 1, true) ~= nil
    or message:find("doesnt_exist", 1, true) ~= nil
end

---Whether a failure that lasts may be caused by a single input, if other requests succeed in the meantime.
---@param err hubspot.associations.Error
---@return boolean
function rejection.may_be_of_one(err)
  return err.kind == "http" and (err.status == 409 or err.status == 423 or err.status >= 500)
end

local NUMBER_PATTERNS = {
  "[Mm]aximum number of inputs supported in a batch is (%d+)",
  "[Mm]aximum[^%d]*(%d+)", "[Aa]t most[^%d]*(%d+)", "limit[^%d]*(%d+)",
}

---How many inputs the next batch may have, after one was rejected for its size.
---@param err hubspot.associations.Error
---@param count integer how many it had
---@return integer|nil size below count; nil when the size was not the cause
function rejection.size(err, count)
  local message = tostring(err.message)
  local lower = ascii.lower(message)
  local counts = lower:find("input", 1, true) or lower:find("batch", 1, true)
  local limits = lower:find("at most", 1, true) or lower:find("maximum", 1, true)
    or lower:find("too many", 1, true) or lower:find("exceed", 1, true)
  if count < 2 or err.status ~= 413 and not (counts and limits) then return nil end
  for _, pattern in ipairs(NUMBER_PATTERNS) do
    local digits = message:match(pattern)
    local size = digits and #digits <= 6 and tonumber(digits)
    if size and size >= 1 and size < count then return size end
  end
  return math.ceil(count / 2)
end

---Whether a response says that nothing in the batch was done.
---@param response hubspot.associations.BatchResponse
---@return boolean
function rejection.is_canceled(response)
  return tostring(response.status):find "^CANCEL" ~= nil and next(response.results or {}) == nil
end

---The inputs that a rejection names by number: "inputs[0]" is the first.
---@param err table
---@return integer[] numbers of inputs as they were sent, from 1; there may be no input with such a number
function rejection.numbers(err)
  local numbers = {}
  for _, text in pairs { err.message, err["in"] } do
    for digits in (type(text) == "string" and text or ""):gmatch "inputs%[(%d+)%]" do
      numbers[#numbers + 1] = tonumber(digits) + 1
    end
  end
  return numbers
end

---The column where HubSpot stopped reading the request body.
---@param err hubspot.associations.Error
---@return integer|nil column in characters, from 1
function rejection.column(err)
  local digits = tostring(err.message):match "on line 1, column (%d+)"
  return digits and #digits <= 9 and tonumber(digits) or nil
end

return rejection
