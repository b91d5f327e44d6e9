-- Inputs of one group that are sent together: the whole group at first, parts of it after a rejection or an
-- answer that leaves inputs out. Those with the same pair of ids are one unit: they are never sent apart.

---@class hubspot.associations.Piece
---@field group hubspot.associations.Group
---@field places integer[]
---@field attempts integer how often it was sent
---@field strikes integer how many of these failed for what counts against max_attempts
---@field began number|nil when it was first sent
---@field not_before number when it may be sent again
---@field waits_for integer|nil the group that has to land first: it has a pair of this one
---@field asked boolean whether an answer left these inputs out before
---@field maybe boolean whether HubSpot may have created them although no answer says so
---@field went_out boolean whether anything of a request with them was sent
---@field failing_since number|nil when an attempt failed first
---@field is_divided boolean|nil whether it is a part of a piece that was rejected
---@field is_part boolean|nil of a piece that failed for what may be the fault of one input: one attempt is
---  enough
---@field suspected boolean|nil whether a rejection named its inputs, by ids and sides: they fail when it does
---  again
---@field named integer|nil how many times in a row a rejection named some of the inputs it had
---@field trial hubspot.associations.Trial|nil which of the inputs of one pair are at fault
local Piece = {}
Piece.__index = Piece

local piece = {}

---@param group hubspot.associations.Group
---@param places integer[]
---@param parent hubspot.associations.Piece|nil what it is a part of
---@return hubspot.associations.Piece
function piece.new(group, places, parent)
  return setmetatable({
    group = group,
    places = places,
    attempts = 0,
    strikes = 0,
    not_before = 0,
    asked = parent ~= nil and parent.asked,
    maybe = parent ~= nil and parent.maybe,
    went_out = parent ~= nil and parent.went_out,
  }, Piece)
end

---Whether it is all of its group.
---@return boolean
function Piece:is_whole()
  return #self.places == self.group.body:count()
end

---The request body.
---@return string
function Piece:json()
  local body = self.group.body
  if self:is_whole() and not self.group.repeats then return body:json() end
  return body:select(self.places)
end

---Its places by their pair of ids, in order of the first of each.
---@return integer[][]
function Piece:units()
  local units = {}
  if not self.group.repeats then
    for number, place in ipairs(self.places) do units[number] = { place } end
    return units
  end
  local body, unit_of = self.group.body, {}
  for _, place in ipairs(self.places) do
    local first = body:first(place)
    if not unit_of[first] then
      unit_of[first] = {}
      units[#units + 1] = unit_of[first]
    end
    table.insert(unit_of[first], place)
  end
  return units
end

---Its places in parts of so many units.
---@param units integer[][] its own
---@param size integer
---@return hubspot.associations.Piece[]
function Piece:parts(units, size)
  local parts, places = {}, {}
  for number, unit in ipairs(units) do
    for _, place in ipairs(unit) do places[#places + 1] = place end
    if number % size == 0 or number == #units then
      parts[#parts + 1] = piece.new(self.group, places, self)
      places = {}
    end
  end
  return parts
end

---Its places without the given ones.
---@param chosen integer[]
---@return integer[]
function Piece:others(chosen)
  local is_chosen, others = {}, {}
  for _, place in ipairs(chosen) do is_chosen[place] = true end
  for _, place in ipairs(self.places) do
    if not is_chosen[place] then others[#others + 1] = place end
  end
  return others
end

---The unit that stands in a column of its request body.
---@param units integer[][] its own
---@param column integer in characters, from 1
---@return integer[]|nil places
function Piece:unit_at(units, column)
  local json = self:json()
  local last, at = 0, 0
  while last < column do -- `at` becomes the byte of that character
    at = at + 1
    local byte = json:byte(at)
    if not byte then return nil end
    if byte < 0x80 or byte >= 0xC0 then last = last + 1 end
  end
  local _, begun = json:sub(1, at):gsub('{"from":{"id":', "")
  return units[math.max(1, begun)]
end

return piece
