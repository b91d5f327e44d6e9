-- The records of one object type by the values of a unique property: which values are wanted, what to ask
-- HubSpot, and what its responses say. Pure: the job asks, and gives it the responses.
--
-- A value is matched to a result by the property that the result shows, never by the order of results. Values
-- that are alike but for case and margins are never in one request, so that a result in another spelling than
-- the value's is still of one value only. A value that a response mentions nowhere is asked once more: it is
-- not found where HubSpot says so by name, or leaves it out again of a response that is otherwise complete.

local input_errors = require "hubspot.associations.api.input_errors"
local rejection = require "hubspot.associations.api.rejection"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local ascii = require "hubspot.associations.text.ascii"
local digits_of = require "hubspot.associations.text.digits"
local one_line = require "hubspot.associations.text.one_line"
local shorten = require "hubspot.associations.text.shorten"
local types = require "hubspot.associations.types"

local look_up = {}

local MOST = 100 -- values in one request
local LONGEST = 65536 -- bytes of a value: no property of HubSpot takes more characters
local SHOWN = 200 -- bytes of a value in a message
local MOST_KEPT, MOST_BYTES = 50000, 8 * 1024 * 1024 -- values, and bytes, of one generation of the cache
local OVERHEAD = 100 -- bytes that a value takes in the cache beside its text

-- The properties that HubSpot keeps without margins and in lower case, by object type id. How others are
-- compared is not documented: they are sent as they are given, and each spelling is a value of its own.
local FOLDED = { ["0-1"] = "email", ["0-2"] = "domain" }

-- Further emails of a contact, separated by semicolons: HubSpot finds it by each of them, too.
local FURTHER = { ["0-1"] = { email = "hs_additional_emails" } }

---@class hubspot.associations.LookedUp a value, and what is known of it: an id or an error, once it is asked
---@field value string as it is asked
---@field fold string what it has in common with values that may be the same to HubSpot
---@field id string|nil digits
---@field error hubspot.associations.Error|nil
---@field was_left_out boolean|nil whether a response has mentioned it nowhere

---@class hubspot.associations.LookUp
local LookUp = {}
LookUp.__index = LookUp

---@param object_type string as in a path
---@param property string
---@return hubspot.associations.LookUp
function look_up.new(object_type, property)
  local type_id = types.object_type_id(object_type) or object_type
  return setmetatable({
    object_type = object_type,
    type_id = type_id,
    property = property,
    is_folded = FOLDED[type_id] == property,
    further = FURTHER[type_id] and FURTHER[type_id][property] or nil,
    most = MOST,
    wanted = {}, first = 1, last = 0, -- values to ask, in the order of the source
    parts = {}, -- lists of values that are to be asked without others: of a request that was rejected
    has_succeeded = false, -- whether HubSpot has answered a request
    young = {}, old = {}, kept = 0, bytes = 0, -- the cache: key -> value, in two generations
  }, LookUp)
end

---@param other hubspot.associations.LookUp
---@return boolean
function LookUp:is_same(other)
  return self.type_id == other.type_id and self.property == other.property
end

-- ---- values ----

local function fold(text)
  return ascii.lower(text):match "^[ \t-\r]*(.-)[ \t-\r]*$"
end

local function invalid(message)
  return errors.new { kind = "invalid_input", message = message, retryable = false }
end

-- Why a text cannot be asked for; nil when it can.
local function flaw(text)
  if #text > LONGEST then return ("expected a value of at most %d bytes, found %d"):format(LONGEST, #text) end
  if not text:find "[\128-\255]" then return nil end
  local added, err = core.body({ shape = "record", check_ids = false }):add(text)
  return not added and err.message or nil
end

function LookUp:not_found(value)
  local shown = one_line(shorten.text(value, SHOWN, "..."))
  return errors.new {
    kind = "not_found",
    message = value:find "[^ \t-\r]" and ("no record of %s has the %s \"%s\""):format(
      self.object_type, self.property, shown) or ("the %s is empty"):format(self.property),
    property = self.property,
    value = value,
    retryable = false,
  }
end

-- What a value of an input becomes: a text, or an error.
function LookUp:text_of(value)
  if type(value) == "number" then value = digits_of(value) end
  if type(value) ~= "string" then
    return nil, invalid(("expected a value of %s as text"):format(self.property))
  end
  local why = flaw(value)
  if why then return nil, invalid(why) end
  if not value:find "[^ \t-\r]" then return nil, self:not_found(value) end
  return value
end

-- ---- the cache ----

local function enqueue(self, entry)
  self.last = self.last + 1
  self.wanted[self.last] = entry
end

local function keep(self, key, entry)
  if self.kept >= MOST_KEPT or self.bytes >= MOST_BYTES then
    self.old, self.young, self.kept, self.bytes = self.young, {}, 0, 0
  end
  self.young[key] = entry
  self.kept, self.bytes = self.kept + 1, self.bytes + #key + OVERHEAD
end

---What is known of a value. One that is not known is to be asked.
---@param value any of an input
---@return hubspot.associations.LookedUp
function LookUp:want(value)
  local entry = self.young[value]
  if entry then return entry end
  local text, err = self:text_of(value)
  if not text then return { error = err } end
  local key = self.is_folded and fold(text) or text
  entry = self.young[key]
  if entry then return entry end
  entry = self.old[key]
  if not entry then
    entry = { value = key, fold = self.is_folded and key or fold(text), id = nil, error = nil }
    enqueue(self, entry)
  end
  keep(self, key, entry)
  return entry
end

-- ---- requests ----

-- The first values, without any that are alike: these stay for another request.
local function take(self)
  local wanted, entries, is_taken, left = self.wanted, {}, {}, {}
  while self.first <= self.last and #entries < self.most do
    local entry = wanted[self.first]
    wanted[self.first], self.first = nil, self.first + 1
    if is_taken[entry.fold] then
      left[#left + 1] = entry
    else
      entries[#entries + 1], is_taken[entry.fold] = entry, true
    end
  end
  for number = #left, 1, -1 do
    self.first = self.first - 1
    wanted[self.first] = left[number]
  end
  return entries
end

---The values of the next request.
---@param has_more boolean whether more values may be wanted soon: then only a full request is made
---@return hubspot.associations.LookedUp[]|nil
function LookUp:next_entries(has_more)
  if self.parts[1] then return table.remove(self.parts, 1) end
  local count = self.last - self.first + 1
  if count == 0 or has_more and count < self.most then return nil end
  return take(self)
end

---What `client:read_objects` would be given to ask them.
---@param entries hubspot.associations.LookedUp[]
---@return table fields
function LookUp:fields(entries)
  local inputs = {}
  for index, entry in ipairs(entries) do inputs[index] = entry.value end
  return { idProperty = self.property, properties = { self.property, self.further }, inputs = inputs }
end

-- ---- responses ----

-- The spellings under which a result shows a record: its value, and those of its further ones.
local function shown_values(self, result)
  local properties = type(result.properties) == "table" and result.properties or {}
  local values, further = {}, self.further and properties[self.further]
  local value = properties[self.property]
  if type(value) == "number" then value = digits_of(value) end
  if type(value) == "string" then values[1] = value end
  for text in (type(further) == "string" and further or ""):gmatch "[^;]+" do values[#values + 1] = text end
  return values
end

local function id_of(result)
  local id = result.id
  if type(id) == "number" then id = digits_of(id) end
  return core.is_record_id(id) and id or nil
end

-- Gives the values of a request that a result shows its id. False when it shows none of them, or has no id.
local function take_result(self, by_fold, result)
  local id = type(result) == "table" and id_of(result)
  if not id then return false end
  local is_matched = false
  for _, text in ipairs(shown_values(self, result)) do
    local entry = by_fold[fold(text)]
    if entry then
      is_matched = true
      if entry.id and entry.id ~= id then entry.has_several = true end
      entry.id = id
    end
  end
  return is_matched
end

-- Takes an error of the response: gives it to the values that it names. False when it names none.
local function take_error(self, by_fold, detail)
  if type(detail) ~= "table" then return false end
  local named = rejection.named(detail)
  local is_matched = false
  for name in pairs(named and named.either or {}) do
    local entry = by_fold[fold(name)]
    if entry then
      is_matched = true
      local is_missing = detail.category == "OBJECT_NOT_FOUND"
      entry.error = is_missing and self:not_found(entry.value) or input_errors.of_entry(detail)
    end
  end
  return is_matched
end

local function index_by_fold(entries)
  local by_fold = {}
  for _, entry in ipairs(entries) do by_fold[entry.fold] = entry end
  return by_fold
end

-- Reads a response into the values. Returns whether it is complete but for values that do not exist; and else
-- an error of it that names none, if it has one.
local function read(self, entries, response)
  local by_fold = index_by_fold(entries)
  local is_whole, first = response.status == nil or response.status == "COMPLETE", nil
  for _, result in ipairs(response.results or {}) do
    is_whole = take_result(self, by_fold, result) and is_whole
  end
  for _, detail in ipairs(response.errors or {}) do
    if not take_error(self, by_fold, detail) then
      is_whole, first = false, first or type(detail) == "table" and input_errors.of_entry(detail) or nil
    end
  end
  return is_whole, first
end

local function unclear(self, entry, found)
  local message = ("HubSpot did not say which record of %s has the %s \"%s\""):format(
    self.object_type, self.property, one_line(shorten.text(entry.value, SHOWN, "...")))
  if entry.has_several then message = message .. ": it gave several" end
  if found then message = message .. ": " .. found.message end
  return errors.new {
    kind = "decode", message = message, property = self.property, value = entry.value, retryable = true,
  }
end

---Takes the response to a request.
---@param entries hubspot.associations.LookedUp[] of `next_entries`
---@param response hubspot.associations.BatchResponse
function LookUp:answered(entries, response)
  self.has_succeeded = true
  local is_whole, found = read(self, entries, response)
  for _, entry in ipairs(entries) do
    if entry.has_several then entry.id, entry.error = nil, unclear(self, entry) end
    if entry.id then
      entry.error = nil -- it is there, whatever an error says
    elseif not entry.error and entry.was_left_out then
      entry.error = is_whole and self:not_found(entry.value) or unclear(self, entry, found)
    elseif not entry.error then
      entry.was_left_out = true
      enqueue(self, entry)
    end
  end
end

-- ---- failures ----

-- The error of a request that stops the job: what was asked, and what HubSpot said.
local function stopping(self, err)
  local copy = errors.copy(err)
  local advice = err.status == 400 and "; the property has to exist, and its values have to be unique" or ""
  copy.message = ("the look-up of %s by %s: %s%s"):format(
    self.object_type, self.property, err.message, advice)
  copy.property = self.property
  return copy
end

-- Asks the values of a rejected request again in two halves: the value at fault is then in one of them.
local function halve(self, entries)
  local halves = { {}, {} }
  for index, entry in ipairs(entries) do
    table.insert(halves[index <= #entries / 2 and 1 or 2], entry)
  end
  for _, half in ipairs(halves) do self.parts[#self.parts + 1] = half end
end

-- Takes a rejection that names values which do not exist; the others are asked again. False if it names none.
local function take_missing(self, entries, err)
  if err.status ~= 404 or not take_error(self, index_by_fold(entries), err) then return false end
  for _, entry in ipairs(entries) do
    if not entry.error then enqueue(self, entry) end
  end
  return true
end

---Takes the failure of a request.
---@param entries hubspot.associations.LookedUp[]
---@param err hubspot.associations.Error
---@return hubspot.associations.Error|nil stop why the job has to stop; nil when it goes on
function LookUp:failed(entries, err)
  if take_missing(self, entries, err) then return nil end
  if not rejection.is_splittable(err) or rejection.is_of_property(err) then return stopping(self, err) end
  local size = rejection.size(err, #entries)
  if size then self.most = math.min(self.most, size) end
  if #entries > 1 then
    halve(self, entries)
  elseif self.has_succeeded then
    input_errors.shorten(err)
    entries[1].error = err
  else
    return stopping(self, err)
  end
end

return look_up
