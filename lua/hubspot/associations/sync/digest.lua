-- The digest of a source, as its rows were given: a run that goes on has to have the same rows as the one
-- before. Reads inputs as a job does, also through metatables.

local core = require "hubspot.associations.core"
local input_text = require "hubspot.associations.job.input_text"

local digest = {}

local Digest = {}
Digest.__index = Digest

local MOST_ENTRIES = 1000 -- of a list of types

local function get(value, key)
  return value[key]
end

---@return table
function digest.new()
  return setmetatable({ hash = "", count = 0 }, Digest)
end

---@param input any
function Digest:add(input)
  local described, text = pcall(input_text, input, get, MOST_ENTRIES)
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
