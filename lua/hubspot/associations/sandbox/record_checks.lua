-- Checks the records that a batch names: those that do not exist, and those for which an option has the whole
-- batch rejected.

local direction_of = require "hubspot.associations.sandbox.direction"
local json = require "hubspot.associations.sandbox.json"
local rejection = require "hubspot.associations.sandbox.rejection"

local record_checks = {}

local find = string.find

-- Calls judge(object type, id) for the records of the inputs until it returns something. Returns that, and
-- the record's position and side.
local function find_record(direction, parsed, judge)
  if not judge then return nil end
  for i = 1, #parsed.from do
    local found = judge(direction.from, parsed.from[i])
    if found then return found, i, "from" end
    found = parsed.to[i] and judge(direction.to, parsed.to[i])
    if found then return found, i, "to" end
  end
end

-- How the rejection of a batch for one record says so, by the option's values.
local WAYS = {
  named = function(_, object_type, id)
    return rejection.invalid_object(direction_of.singular(object_type), id)
  end,
  column = function(body, _, id, path)
    return rejection.wrong_type(body, path, "long", id)
  end,
  anonymous = function()
    return rejection.internal(400)
  end,
}

local function find_rejected(direction, parsed, settings, body)
  local way, i, side = find_record(direction, parsed, settings.rejected)
  if not way then return nil end
  if way == true then way = settings.names_rejected and "named" or "anonymous" end
  local path = parsed.paths and parsed.paths[i] and parsed.paths[i][side] or { "inputs", i, side, "id" }
  return WAYS[way](body, direction[side], parsed[side][i], path)
end

local function find_poison(direction, parsed, settings)
  local status = find_record(direction, parsed, settings.poison)
  return status and (status == 409 and rejection.conflict() or rejection.internal(status))
end

---The rejection of a batch for one of its records.
---@param direction hubspot.associations.sandbox.Direction
---@param parsed hubspot.associations.sandbox.Pairs
---@param settings table the account's options
---@param body string
---@return hubspot.associations.sandbox.Rejection|nil
function record_checks.rejection(direction, parsed, settings, body)
  return find_rejected(direction, parsed, settings, body) or find_poison(direction, parsed, settings)
end

---Whether a record does not exist. That one whose id is no number does not exist is invented.
---@param settings table the account's options
---@param object_type string object type id
---@param id string
---@return boolean
function record_checks.is_missing(settings, object_type, id)
  return not find(id, "^%d+$") or settings.missing(object_type, id)
end

---The error of an input whose record does not exist.
---@param object_type string object type id
---@param id string
---@param side "FROM"|"TO"
---@return string error as JSON
function record_checks.not_found(object_type, id, side)
  return json.encode(rejection.missing_record(direction_of.singular(object_type), id, side).fields)
end

---Appends an error for each of a pair's records that does not exist.
---@param errors string[] as JSON
---@param settings table the account's options
---@param direction hubspot.associations.sandbox.Direction
---@param from_id string
---@param to_id string
---@return boolean exists whether both exist
function record_checks.pair(errors, settings, direction, from_id, to_id)
  local from_missing = record_checks.is_missing(settings, direction.from, from_id)
  local to_missing = record_checks.is_missing(settings, direction.to, to_id)
  if from_missing then errors[#errors + 1] = record_checks.not_found(direction.from, from_id, "FROM") end
  if to_missing then errors[#errors + 1] = record_checks.not_found(direction.to, to_id, "TO") end
  return not from_missing and not to_missing
end

---The rejection of a call about single records, which its path names.
---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.Rejection|nil
function record_checks.single(call)
  local direction, settings = call.direction, call.settings
  local from_id, to_id = call.parameters.fromObjectId, call.parameters.toObjectId
  local rejected = find_poison(direction, { from = { from_id }, to = { to_id } }, settings)
  if rejected then return rejected end
  local way, _, side = find_record(direction, { from = { from_id }, to = { to_id } }, settings.rejected)
  if way then
    local id = side == "from" and from_id or to_id
    return rejection.invalid_object(direction_of.singular(direction[side]), id)
  end
  if record_checks.is_missing(settings, direction.from, from_id) then
    return rejection.missing_record(direction_of.singular(direction.from), from_id, "FROM")
  end
  if to_id and record_checks.is_missing(settings, direction.to, to_id) then
    return rejection.missing_record(direction_of.singular(direction.to), to_id, "TO")
  end
end

return record_checks
