-- The digest of a source, as its rows were given: a run that goes on has to have the same rows as the one
-- before. Reads inputs as a job does, also through metatables.

local core = require "hubspot.associations.core"
local digits_of = require "hubspot.associations.text.digits"

local digest = {}

local Digest = {}
Digest.__index = Digest

local FIELDS = { "from", "to", "types", "id", "associationCategory", "associationTypeId", "problem", "row" }
local MOST_DEPTH, MOST_ENTRIES = 4, 1000

local function describe(value, depth)
  local its_type = type(value)
  if its_type == "string" then return #value .. ":" .. value end
  if its_type == "number" then return digits_of(value) or ("%.17g"):format(value) end
  if its_type ~= "table" or depth == 0 then return tostring(its_type == "boolean" and value or its_type) end
  local parts = {}
  for _, name in ipairs(FIELDS) do
    local field = value[name]
    if field ~= nil then parts[#parts + 1] = name .. "=" .. describe(field, depth - 1) end
  end
  for index = 1, MOST_ENTRIES do
    local entry = value[index]
    if entry == nil then break end
    parts[#parts + 1] = describe(entry, depth - 1)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

---@return table
function digest.new()
  return setmetatable({ hash = "", count = 0 }, Digest)
end

---@param input any
function Digest:add(input)
  local described, text = pcall(describe, input, MOST_DEPTH)
  self.count = self.count + 1
  self.hash = core.digest(self.hash .. (described and text or "unreadable"))
end

---The digest of one value.
---@param value any
---@return string
function digest.of(value)
  local one = digest.new()
  one:add(value)
  return one.hash
end

return digest
