-- A page of a record's links as JSON, for batch read and for list.
-- Put together from texts, because an id may be larger than a Lua number can hold.

local cursor = require "hubspot.associations.sandbox.cursor"
local json = require "hubspot.associations.sandbox.json"
local rejection = require "hubspot.associations.sandbox.rejection"

local link_page = {}

-- The text of a type is kept with it: a page has 500 links of the same few types.
local function type_list(types)
  local list = {}
  for i, entry in ipairs(types) do
    entry.shown = entry.shown or json.encode {
      category = entry.category, typeId = entry.type_id, label = entry.label or json.null,
    }
    list[i] = entry.shown
  end
  return "[" .. table.concat(list, ",") .. "]"
end

---@class hubspot.associations.sandbox.LinkPage
---@field links string[] as JSON
---@field paging string of JSON: a field to append to others; empty on the last page

---@param call hubspot.associations.sandbox.Call
---@param from_id string
---@param after string|nil the cursor of the request
---@param is_decoded boolean whether the cursor's percent-encoding has been taken away
---@param size integer how many links the page has at most
---@return hubspot.associations.sandbox.LinkPage|nil
---@return hubspot.associations.sandbox.Rejection|nil
function link_page.of(call, from_id, after, is_decoded, size)
  local direction = call.direction
  local first = 1
  if after then
    first = cursor.read(after, is_decoded, direction.to, from_id)
    if not first then return nil, rejection.invalid("Invalid paging cursor: " .. after) end
  end
  local list, next_position = call.links:page(direction, from_id, first, size)
  local quote = call.settings.numeric_ids and "" or '"'
  for i, target in ipairs(list) do
    list[i] = ('{"toObjectId":%s%s%s,"associationTypes":%s}'):format(
      quote, target.id, quote, type_list(target.types))
  end
  local paging = ""
  if next_position then
    local following = cursor.write(direction.to, from_id, next_position)
    -- A link is there because HubSpot sends one; where it leads to is invented: clients ignore it.
    paging = ',"paging":' .. json.encode {
      next = { after = following, link = "https://sandbox.invalid/?after=" .. following },
    }
  end
  return { links = list, paging = paging }
end

return link_page
