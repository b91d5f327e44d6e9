-- Takes single inputs: checks each as a call does, says which pair it is of, and copies it, since the caller
-- may change the table before it is sent.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"

local intake = {}

local MOST = 500 -- inputs in one body, which is only used to check them

---@class hubspot.associations.Intake
local Intake = {}
Intake.__index = Intake

---@param checks table options of core.body, for the endpoint
---@return hubspot.associations.Intake
function intake.new(checks)
  local self = setmetatable({ is_missing = false }, Intake)
  self.checks = {}
  for name, value in pairs(checks) do self.checks[name] = value end
  self.checks.unknown_name = checks.names and function()
    self.is_missing = true -- it may be a label of the account: the job finds out
    return "is not known yet"
  end
  self.id_checks = { shape = "pair", check_ids = checks.check_ids }
  return self
end

local function copy_type(given)
  if type(given) ~= "table" then return given end
  return { associationCategory = given.associationCategory, associationTypeId = given.associationTypeId }
end

local function copy_types(types)
  if types.associationTypeId ~= nil then return copy_type(types) end
  local list = {}
  for index, given in ipairs(types) do list[index] = copy_type(given) end
  return list
end

-- Adds the input to a body of inputs that were checked before, if that has room.
local function add(self, name, checks, input)
  local body = self[name]
  if not body or body:count() >= MOST then
    body = core.body(checks)
    self[name] = body
  end
  local added, err = body:add(input)
  if not added and err.kind == "too_large" and body:count() > 0 then
    self[name] = nil
    return add(self, name, checks, input)
  end
  return added and body, err
end

-- The ids of an input with a type that is not known yet.
function Intake:read_ids(input)
  return add(self, "id_body", self.id_checks, { from = input.from, to = input.to })
end

---@param input table { from, to, types }
---@return table|nil copy its ids as text
---@return string|hubspot.associations.Error pair the two ids; or the error of an input that is invalid
function Intake:read(input)
  self.is_missing = false
  local body, err = add(self, "body", self.checks, input)
  if not body and self.is_missing then body, err = self:read_ids(input) end
  if not body then
    if type(input) == "table" and type(input[1]) == "table" then
      err.message = err.message .. ": is it a list of inputs? Give one, without a list around it"
    end
    err.retryable = false
    return nil, errors.new(err)
  end
  local from, to = body:ids(body:count())
  local types = input.types
  if type(types) == "table" then types = copy_types(types) end
  return { from = from, to = to, types = types }, #from .. ":" .. from .. to
end

return intake
