-- GET …/{fromObjectId}/associations/{toObjectType}: the records to which one is linked, in pages.

local link_page = require "hubspot.associations.sandbox.link_page"
local record_checks = require "hubspot.associations.sandbox.record_checks"
local rejection = require "hubspot.associations.sandbox.rejection"

local list = {}

local LARGEST_PAGE = 500

-- How many links a page has, or the rejection of a limit that is none.
local function size_of(call)
  local limit = call.query.limit
  if not limit then return call.settings.page_size end
  local size = limit:match "^%d+$" and tonumber(limit)
  if not size or size < 1 or size > LARGEST_PAGE then
    return nil, rejection.invalid(("limit must be a number from 1 to %d, not %s"):format(LARGEST_PAGE, limit))
  end
  return math.min(size, call.settings.page_size)
end

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function list.handle(call)
  local rejected = record_checks.single(call)
  if rejected then return nil, rejected end
  local size, invalid = size_of(call)
  if not size then return nil, invalid end
  local page
  page, rejected = link_page.of(call, call.parameters.fromObjectId, call.query.after, true, size)
  if not page then return nil, rejected end
  return { status = 200, body = ('{"results":[%s]%s}'):format(table.concat(page.links, ","), page.paging) }
end

return list
