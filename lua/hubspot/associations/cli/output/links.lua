-- Associations as rows: one for each type that two records are linked by.

local digits_of = require "hubspot.associations.text.digits"

local links = {}

links.COLUMNS = { "from", "to", "category", "type", "label" }

---Writes the rows of a link, as HubSpot lists it.
---@param writer hubspot.associations.cli.RowWriter
---@param from string the id of the record whose link it is
---@param link table { toObjectId, associationTypes }
---@return boolean goes_on false when rows cannot be written
function links.write(writer, from, link)
  local types = type(link.associationTypes) == "table" and link.associationTypes or {}
  local to = link.toObjectId
  if type(to) == "number" then to = digits_of(to) end
  for _, entry in ipairs(types) do
    local added = writer:add {
      from = from, to = to, category = entry.category, type = entry.typeId,
      label = type(entry.label) == "string" and entry.label or nil,
    }
    if not added then return false end
  end
  return true
end

return links
