-- Divides the entries that a worker has read among jobs, so that the order of each pair is kept: those of
-- one kind go in one job, however they are mixed, but for an entry whose pair has one of another kind
-- before it. That waits for the next phase. Pure.

local round = {}

---@class hubspot.associations.Group the entries of one job
---@field endpoint string
---@field from_type string
---@field to_type string
---@field entries hubspot.associations.QueueEntry[] in the order in which they were added, pair by pair

---@param entries hubspot.associations.QueueEntry[] in the order of their streams
---@return hubspot.associations.Group[][] phases, each begins when the one before has ended
function round.phases(entries)
  local phases, by_kind, seen = {}, {}, {}
  for _, entry in ipairs(entries) do
    local kind = table.concat({ entry.endpoint, entry.from_type, entry.to_type }, " ")
    local before = seen[entry.pair]
    if not before then
      before = { phase = 1, kind = kind }
      seen[entry.pair] = before
    elseif before.kind ~= kind then
      before.phase, before.kind = before.phase + 1, kind
    end
    local number = before.phase
    if not phases[number] then phases[number], by_kind[number] = {}, {} end
    local group = by_kind[number][kind]
    if not group then
      group = {
        endpoint = entry.endpoint, from_type = entry.from_type, to_type = entry.to_type, entries = {},
      }
      by_kind[number][kind] = group
      table.insert(phases[number], group)
    end
    group.entries[#group.entries + 1] = entry
  end
  return phases
end

return round
