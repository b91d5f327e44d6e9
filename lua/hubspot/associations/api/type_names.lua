-- The names of a direction's association types: HubSpot's own, and those of the account, once its labels are
-- known. A name is found by core.body, which writes the JSON that it stands for. Pure: labels are passed in.

local core = require "hubspot.associations.core"
local ascii = require "hubspot.associations.text.ascii"
local digits_of = require "hubspot.associations.text.digits"
local one_line = require "hubspot.associations.text.one_line"
local shorten = require "hubspot.associations.text.shorten"
local types = require "hubspot.associations.types"

local type_names = {}

local HUBSPOT_DEFINED = "HUBSPOT_DEFINED"

local MOST_LISTED = 30 -- names in an error
local LONGEST = 100 -- bytes of one of them

---@class hubspot.associations.TypeNames of one direction
---@field written table<string, string> name -> the JSON of its type; core.body reads it
---@field check (fun(id: integer): string|nil)|nil what is wrong with an id; see types.checker
---@field loads integer how often the account's labels were read
local TypeNames = {}
TypeNames.__index = TypeNames

local function json_of(category, id)
  return ('{"associationCategory":"%s","associationTypeId":%s}'):format(category, digits_of(id))
end

-- The key of an object type: any spelling of one of HubSpot's own has the same.
local function key_of(object_type)
  return types.object_name(object_type) or object_type
end

---@param from string object name or object type id
---@param to string object name or object type id
---@return hubspot.associations.TypeNames
function type_names.new(from, to)
  local self = setmetatable({
    from = key_of(from), to = key_of(to), written = {}, own = {}, several = {}, loads = 0,
    check = types.checker(from, to),
  }, TypeNames)
  for name, id in pairs(types.names(from, to)) do
    self.own[name] = json_of(HUBSPOT_DEFINED, id)
    self.written[name] = self.own[name]
  end
  return self
end

-- Whether an object type id is not that of a side. A custom object's name is only known to be none of
-- HubSpot's own objects.
local function is_other(id, key)
  if type(id) ~= "string" or key_of(id) == key then return false end
  return types.object_name(id) ~= nil or types.object_name(key) ~= nil or key:find "^2%-%d+$" ~= nil
end

-- Whether a label says that it belongs to another direction.
local function is_of_other(self, entry)
  return is_other(entry.fromObjectTypeId, self.from) or is_other(entry.toObjectTypeId, self.to)
end

-- The labels of a response by their text, each with the types of that text.
local function by_text(self, results)
  local texts = {}
  for _, entry in ipairs(results) do
    local category, id = entry.category, tonumber(entry.typeId)
    local label = entry.label ~= "" and entry.label or nil
    local text = label or category == HUBSPOT_DEFINED and "unlabeled" or nil
    local is_type = core.is_category(category) and id and id % 1 == 0 and id >= 1 and id <= core.MAX_TYPE_ID
    if is_type and type(text) == "string" and not is_of_other(self, entry) then
      texts[text] = texts[text] or {}
      texts[text][json_of(category, id)] = category .. " " .. digits_of(id)
    end
  end
  return texts
end

local function sorted(list)
  table.sort(list, ascii.before)
  return list
end

---Takes the labels of the account, in place of those that were known. A name of HubSpot's own stays what it
---is.
---@param page table the response to the endpoint `labels`
function TypeNames:load(page)
  self.loads, self.several = self.loads + 1, {}
  for name in pairs(self.written) do self.written[name] = self.own[name] end
  for text, found in pairs(by_text(self, page.results)) do
    local json = next(found)
    if self.own[text] then
      json = nil
    elseif next(found, json) then
      self.several[text], json = {}, nil
      for _, shown in pairs(found) do table.insert(self.several[text], shown) end
    end
    self.written[text] = json or self.written[text]
  end
end

local function quoted(name)
  return '"' .. shorten.text(one_line(name), LONGEST, "...") .. '"'
end

-- The names that there are. Of names of one type that differ by case only, such as one of HubSpot's own and
-- its label, there is the first.
local function listed(self)
  local names, kept, is_there = {}, {}, {}
  for known in pairs(self.written) do names[#names + 1] = known end
  for known in pairs(self.several) do names[#names + 1] = known end
  for _, name in ipairs(sorted(names)) do
    local key = ascii.lower(name) .. " " .. (self.written[name] or name)
    if not is_there[key] then kept[#kept + 1] = name end
    is_there[key] = true
  end
  return kept
end

---Why a name is not in `written`, and what there is.
---@param name string
---@return string
function TypeNames:reason(name)
  local several = self.several[name]
  if several then
    return ("%s is the name of several types: %s; give one as { associationCategory, associationTypeId }")
      :format(quoted(name), table.concat(sorted(several), ", "))
  end
  local names = listed(self)
  local count, shown = #names, {}
  for index = 1, math.min(count, MOST_LISTED) do shown[index] = quoted(names[index]) end
  if count > MOST_LISTED then shown[#shown + 1] = ("%d more"):format(count - MOST_LISTED) end
  local list = count > 0 and "there are " .. table.concat(shown, ", ") or "there are none"
  local hint = name:find "^%d+$" and (": the id of a type is a number, %s without quotes"):format(name) or ""
  return ("no association type from %s to %s has the name %s%s; %s"):format(
    one_line(self.from), one_line(self.to), quoted(name), hint, list)
end

---The error of a call or job that needs labels which could not be read.
---@param err hubspot.associations.Error
---@return hubspot.associations.Error
function TypeNames:failure(err)
  err.message = ("the labels from %s to %s, which the inputs name, could not be read: %s"):format(
    one_line(self.from), one_line(self.to), err.message)
  return err
end

---@class hubspot.associations.Naming the use of names by one call or job
---@field names hubspot.associations.TypeNames
---@field is_missing boolean whether a name is unknown, and labels may have to be asked for first
---@field unknown_name fun(name: string): string for core.body

---Names for one call or job, which asks for the labels at most once: whatever is unknown after that is
---unknown to HubSpot, too.
---@return hubspot.associations.Naming
function TypeNames:use()
  local naming, known = { names = self, is_missing = false }, self.loads
  function naming.unknown_name(name)
    if self.loads == known then naming.is_missing = true end
    return self:reason(name)
  end
  return naming
end

---@class hubspot.associations.TypeDirectory the names of all directions that a client used
---@field entries table<string, hubspot.associations.TypeNames> by direction
---@field spelled table<string, table<string, hubspot.associations.TypeNames>> the same by the object types as
---  a caller spells them: each call needs one
local Directory = {}
Directory.__index = Directory

---@return hubspot.associations.TypeDirectory
function type_names.directory()
  return setmetatable({ entries = {}, spelled = {} }, Directory)
end

---@param from string object name or object type id
---@param to string object name or object type id
---@return hubspot.associations.TypeNames
function Directory:between(from, to)
  local spelled = self.spelled[from] or {}
  local entry = spelled[to]
  if entry then return entry end
  local key = key_of(from) .. ">" .. key_of(to)
  entry = self.entries[key] or type_names.new(from, to)
  self.entries[key], self.spelled[from], spelled[to] = entry, spelled, entry
  return entry
end

---Forgets all of them, as the account's labels have changed.
function Directory:forget()
  self.entries, self.spelled = {}, {}
end

return type_names
