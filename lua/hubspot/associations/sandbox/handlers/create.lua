-- POST …/batch/create: links pairs of records by the types given. The whole body is checked first; then each
-- input is either written or listed in the errors.

local association_inputs = require "hubspot.associations.sandbox.association_inputs"
local batch_response = require "hubspot.associations.sandbox.batch_response"
local record_checks = require "hubspot.associations.sandbox.record_checks"

local create = {}

local is_missing = record_checks.is_missing

local function labels_json(types)
  if types.category then return types.json end
  local labels = {}
  for _, entry in ipairs(types) do
    if entry.json ~= "" then labels[#labels + 1] = entry.json end
  end
  return table.concat(labels, ",")
end

-- JSON allows no leading zeros in a number.
local function digits(id)
  return (id:gsub("^0+(%d)", "%1"))
end

local function write(direction, links, settings, parsed)
  local results, errors, result_count = {}, {}, 0
  local numeric = settings.numeric_ids
  local before_from_id, before_to_id = direction.before_from_id, direction.before_to_id
  local before_labels = direction.before_labels
  for i = 1, #parsed.from do
    local from_id, to_id, types = parsed.from[i], parsed.to[i], parsed.types[i]
    local from_missing = is_missing(settings, direction.from, from_id)
    local to_missing = is_missing(settings, direction.to, to_id)
    if from_missing then errors[#errors + 1] = record_checks.not_found(direction.from, from_id, "FROM") end
    if to_missing then errors[#errors + 1] = record_checks.not_found(direction.to, to_id, "TO") end
    if not from_missing and not to_missing then
      links:write(direction, from_id, to_id, types)
      if numeric then from_id, to_id = digits(from_id), digits(to_id) end
      result_count = result_count + 1
      results[result_count] = before_from_id .. from_id .. before_to_id .. to_id
        .. before_labels .. labels_json(types) .. "]}"
    end
  end
  return results, errors
end

-- The documented status of a full success, where it is not 201.
local SUCCESS = { ["2026-09"] = 200 }

create.writes = true

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function create.handle(call)
  local direction, settings, body = call.direction, call.settings, call.request.body
  local parsed, rejected = association_inputs.read(direction, body, settings.max_inputs or call.most)
  rejected = rejected or record_checks.rejection(direction, parsed, settings, body)
  if rejected then return nil, rejected end
  local results, errors = write(direction, call.links, settings, parsed)
  local status = not results[1] and errors[1] and "CANCELED" or "COMPLETE"
  return {
    status = errors[1] and 207 or settings.status or SUCCESS[call.version] or 201,
    body = batch_response.write(status, results, errors, call.date),
    inputs = #parsed.from,
  }
end

return create
