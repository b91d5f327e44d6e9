-- Finds the inputs of one pair that are at fault, after HubSpot rejected the one input that they were merged
-- into. They cannot be sent one after the other: each write replaces the pair's labels, so that the last one
-- would undo those before. So the inputs with one set of types after the other are left out, until the rest
-- passes; then those left out are added again, one set at a time, to what has passed. The last write that
-- passes has the types of all good inputs.

local chunks = require "hubspot.associations.job.chunk"

local trial = {}

---@class hubspot.associations.Trial
---@field passed integer[] positions whose types were in the pair's last confirmed write
---@field left_out integer[][] positions to be added again, one list for each set of types
---@field added integer[]|nil of the positions in flight, those that were added to the passed ones
---@field err table|nil the rejection after which the last set was left out

---@class hubspot.associations.Verdict what has been found out, and what to send to find out more
---@field failed { positions: integer[], err: table }[]
---@field succeeded integer[]
---@field send hubspot.associations.Chunk[] in this order

local function verdict()
  return { failed = {}, succeeded = {}, send = {} }
end

-- The positions of a chunk that have the same types as its first one.
local function with_first_types(chunk)
  local body, list = chunk.batch.body, {}
  local types = body:types(chunk.positions[1])
  for _, position in ipairs(chunk.positions) do
    if body:types(position) == types then list[#list + 1] = position end
  end
  return list
end

local function next_chunk(chunk, positions, state)
  local following = chunks.new(chunk.batch, positions, chunk)
  following.retried_missing = false
  following.trial = state
  return following
end

-- Adds the next set that was left out; without one, what has passed has succeeded.
local function add_next(chunk, state, result)
  local added = table.remove(state.left_out)
  if not added then
    result.succeeded = state.passed
    return result
  end
  local positions = {}
  for _, position in ipairs(state.passed) do positions[#positions + 1] = position end
  for _, position in ipairs(added) do positions[#positions + 1] = position end
  state.added = added
  result.send[1] = next_chunk(chunk, positions, state)
  return result
end

---HubSpot rejected the pair's input.
---@param chunk hubspot.associations.Chunk inputs of one pair
---@param err table
---@return hubspot.associations.Verdict
function trial.rejected(chunk, err)
  local result, state = verdict(), chunk.trial or { passed = {}, left_out = {} }
  if state.added then
    result.failed[1] = { positions = state.added, err = err }
    return add_next(chunk, state, result)
  end
  local first = with_first_types(chunk)
  if #first == #chunk.positions then -- nothing else was sent: these are at fault
    result.failed[1] = { positions = first, err = err }
    return add_next(chunk, state, result)
  end
  state.err = err
  table.insert(state.left_out, first)
  result.send[1] = next_chunk(chunk, chunk:others(first), state)
  return result
end

---The pair's input succeeded.
---@param chunk hubspot.associations.Chunk has a trial
---@return hubspot.associations.Verdict
function trial.passed(chunk)
  local result, state = verdict(), chunk.trial
  if not state.added and #state.left_out > 0 then -- the pair passes without these
    result.failed[1] = { positions = table.remove(state.left_out), err = state.err }
  end
  state.passed = chunk.positions
  return add_next(chunk, state, result)
end

---All positions of a chunk that have no outcome yet, in two lists: those in the last confirmed write of the
---pair, and the others.
---@param chunk hubspot.associations.Chunk
---@return integer[] passed
---@return integer[] others
function trial.positions(chunk)
  local state = chunk.trial
  if not state then return {}, chunk.positions end
  local others = chunk:others(state.passed)
  for _, positions in ipairs(state.left_out) do
    for _, position in ipairs(positions) do others[#others + 1] = position end
  end
  return state.passed, others
end

return trial
