-- Associations as rows: one for each type that two records are linked by.

local association_types = require "hubspot.associations.cli.association_types"
local core = require "hubspot.associations.core"
local digits_of = require "hubspot.associations.text.digits"

local links = {}

links.COLUMNS = { "from", "to", "category", "type", "label" }

-- The types of a link. One whose types are missing has one that nothing is known of, so that it has a row.
local function types_of(link)
  local types = link.associationTypes
  return type(types) == "table" and #types > 0 and types or { {} }
end

-- What is in a row for a type. One without a category must not pass for HubSpot's own when it is read again.
local function cells_of(entry)
  if type(entry) ~= "table" then entry = {} end
  local category = core.is_category(entry.category) and entry.category or association_types.UNREADABLE
  return category, entry.typeId, type(entry.label) == "string" and entry.label or nil
end

---Writes the rows of a link, as HubSpot lists it. A row that lacks something is bad where it is read again.
---@param writer hubspot.associations.cli.RowWriter
---@param from string the id of the record whose link it is
---@param link table { toObjectId, associationTypes }
---@return boolean goes_on false when rows cannot be written
function links.write(writer, from, link)
  local to = link.toObjectId
  if type(to) == "number" then to = digits_of(to) end
  for _, entry in ipairs(types_of(link)) do
    local category, id, label = cells_of(entry)
    if not writer:add { from = from, to = to, category = category, type = id, label = label } then
      return false
    end
  end
  return true
end

return links
