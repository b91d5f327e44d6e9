-- POST …/batch/read: the records to which the given ones are linked, in pages.

local batch_response = require "hubspot.associations.sandbox.batch_response"
local direction_of = require "hubspot.associations.sandbox.direction"
local json = require "hubspot.associations.sandbox.json"
local link_page = require "hubspot.associations.sandbox.link_page"
local record_checks = require "hubspot.associations.sandbox.record_checks"
local record_inputs = require "hubspot.associations.sandbox.record_inputs"

local read = {}

-- A record that does not exist gets the same error as one without links.
local function nothing_found(direction, from_id)
  local from, to = direction_of.singular(direction.from), direction_of.singular(direction.to)
  return json.encode {
    status = "error", category = "OBJECT_NOT_FOUND", subCategory = "crm.associations.NO_ASSOCIATIONS_FOUND",
    message = ("No %s is associated with %s %s."):format(to, from, from_id),
    context = { fromObjectId = { from_id }, fromObjectType = { from }, toObjectType = { to } },
  }
end

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function read.handle(call)
  local direction, body = call.direction, call.request.body
  local parsed, rejected = record_inputs.records(body, call.most)
  rejected = rejected or record_checks.rejection(direction, parsed, call.settings, body)
  if rejected then return nil, rejected end
  local results, errors = {}, {}
  for i, from_id in ipairs(parsed.from) do
    local page, invalid = link_page.of(call, from_id, parsed.after[i], false, call.settings.page_size)
    if not page then return nil, invalid end
    if page.links[1] then
      results[#results + 1] = ('{"from":{"id":%s},"to":[%s]%s}'):format(
        json.encode(from_id), table.concat(page.links, ","), page.paging)
    else
      errors[#errors + 1] = nothing_found(direction, from_id)
    end
  end
  return {
    status = errors[1] and 207 or 200,
    body = batch_response.write("COMPLETE", results, errors, call.date),
  }
end

return read
