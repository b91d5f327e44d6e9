-- Inputs of one group that are sent together: the whole group at first, parts of it after a refusal or an
-- answer that leaves inputs out.

---@class hubspot.associations.Piece
---@field group hubspot.associations.Group
---@field places integer[]
---@field attempts integer how often it was sent
---@field strikes integer how many of these failed for what counts against max_attempts
---@field began number|nil when it was first sent
---@field not_before number when it may be sent again
---@field asked boolean whether an answer left these inputs out before
---@field maybe boolean whether HubSpot may have created them although no answer says so
---@field went_out boolean whether anything of a request with them was sent
---@field failing_since number|nil when an attempt failed first
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
  return self:is_whole() and body:json() or body:select(self.places)
end

---Two halves of it.
---@return hubspot.associations.Piece
---@return hubspot.associations.Piece
function Piece:halves()
  local middle = math.floor(#self.places / 2)
  local left, right = {}, {}
  for i, place in ipairs(self.places) do
    local half = i <= middle and left or right
    half[#half + 1] = place
  end
  return piece.new(self.group, left, self), piece.new(self.group, right, self)
end

---The given places of it, and the others.
---@param chosen integer[] some of its places, not all
---@return hubspot.associations.Piece
---@return hubspot.associations.Piece
function Piece:without(chosen)
  local is_chosen, others = {}, {}
  for _, place in ipairs(chosen) do is_chosen[place] = true end
  for _, place in ipairs(self.places) do
    if not is_chosen[place] then others[#others + 1] = place end
  end
  return piece.new(self.group, chosen, self), piece.new(self.group, others, self)
end

return piece
