-- Which of the inputs of one pair are at fault, after HubSpot rejected the one input that they were merged
-- into. They must not be sent one after the other: each write replaces the pair's labels, so that the last
-- would undo those before. So one set of types after the other is left out, until the rest passes; then those
-- left out are added again one at a time to what has passed. The last write that passes has the types of all
-- that are good.

local pieces = require "hubspot.associations.job.chunk"

local trial = {}

---@class hubspot.associations.Trial
---@field passed integer[] places whose types were in the pair's last confirmed write
---@field left_out integer[][] places that wait to be added again, by their types
---@field added integer[]|nil of the places that are sent, those that were added to what has passed
---@field err table|nil what the last set was rejected for

---@class hubspot.associations.Verdict what is known now, and what to send to know more
---@field failed { places: integer[], err: table }[]
---@field created integer[]
---@field send hubspot.associations.Piece[] in this order

local function verdict()
  return { failed = {}, created = {}, send = {} }
end

-- The places of a piece that have the types of the first of them; those with other types are the others.
local function first_types(piece)
  local body, list = piece.group.body, {}
  local types = body:types(piece.places[1])
  for _, place in ipairs(piece.places) do
    if body:types(place) == types then list[#list + 1] = place end
  end
  return list
end

local function next_piece(piece, places, state)
  local following = pieces.new(piece.group, places, piece)
  following.asked = false
  following.trial = state
  return following
end

-- Adds the next ones that were left out; at the end, what has passed is created.
local function add_next(piece, state, result)
  local added = table.remove(state.left_out)
  if not added then
    result.created = state.passed
    return result
  end
  local places = {}
  for _, place in ipairs(state.passed) do places[#places + 1] = place end
  for _, place in ipairs(added) do places[#places + 1] = place end
  state.added = added
  result.send[1] = next_piece(piece, places, state)
  return result
end

---The pair's input was rejected.
---@param piece hubspot.associations.Piece inputs of one pair
---@param err table
---@return hubspot.associations.Verdict
function trial.rejected(piece, err)
  local result, state = verdict(), piece.trial or { passed = {}, left_out = {} }
  if state.added then
    result.failed[1] = { places = state.added, err = err }
    return add_next(piece, state, result)
  end
  local first = first_types(piece)
  if #first == #piece.places then -- it is these
    result.failed[1] = { places = first, err = err }
    return add_next(piece, state, result)
  end
  state.err = err
  table.insert(state.left_out, first)
  result.send[1] = next_piece(piece, piece:others(first), state)
  return result
end

---The pair's input was created.
---@param piece hubspot.associations.Piece one with a trial
---@return hubspot.associations.Verdict
function trial.passed(piece)
  local result, state = verdict(), piece.trial
  if not state.added and #state.left_out > 0 then -- without these it passes
    result.failed[1] = { places = table.remove(state.left_out), err = state.err }
  end
  state.passed = piece.places
  return add_next(piece, state, result)
end

---All places of a piece without an outcome, in two lists: those of the last confirmed write, and the others.
---@param piece hubspot.associations.Piece
---@return integer[] passed
---@return integer[] others
function trial.places(piece)
  local state = piece.trial
  if not state then return {}, piece.places end
  local others = piece:others(state.passed)
  for _, places in ipairs(state.left_out) do
    for _, place in ipairs(places) do others[#others + 1] = place end
  end
  return state.passed, others
end

return trial
