-- The first of the rows that were not created, in the order of the file, however they come; and how many
-- there are. Keeps no more than are shown.

local terminal = require "hubspot.associations.cli.terminal"

local first_failures = {}

local SHOWN = 20

---@class hubspot.associations.cli.FirstFailures
---@field count integer of all that were added
local FirstFailures = {}
FirstFailures.__index = FirstFailures

---@return hubspot.associations.cli.FirstFailures
function first_failures.new()
  return setmetatable({ entries = {}, count = 0 }, FirstFailures)
end

-- What is said of a row that was sent names its ids; what is said of a bad row may hold for its neighbours.
local function words(row)
  if row.is_bad then return row.message end
  local from, to = terminal.printable(row.from), terminal.printable(row.to)
  return ("%s to %s: %s: %s"):format(from, to, row.category, row.message)
end

---@param row hubspot.associations.cli.FailedRow
function FirstFailures:add(row)
  self.count = self.count + 1
  local entries = self.entries
  local place = #entries + 1
  while place > 1 and entries[place - 1].first > row.line do place = place - 1 end
  if place > SHOWN then return end
  local before, text = entries[place - 1], words(row)
  if before and row.is_bad and before.last + 1 == row.line and before.text == text then
    before.last = row.line
    return
  end
  table.insert(entries, place, { first = row.line, last = row.line, text = text })
  entries[SHOWN + 1] = nil
end

---@return string[] lines
function FirstFailures:lines()
  local lines, covered = {}, 0
  for index, entry in ipairs(self.entries) do
    local place = entry.first == entry.last and "line " .. entry.first
      or ("lines %d to %d"):format(entry.first, entry.last)
    lines[index] = place .. ": " .. entry.text
    covered = covered + entry.last - entry.first + 1
  end
  if covered < self.count then lines[#lines + 1] = ("and %d more"):format(self.count - covered) end
  return lines
end

return first_failures
