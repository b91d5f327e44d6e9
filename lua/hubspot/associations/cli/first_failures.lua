-- The first of the rows that were not created, in the order of the file, however they come; those that failed
-- for the same reason together; and how many there are. Keeps little more than is shown.

local terminal = require "hubspot.associations.cli.terminal"

local first_failures = {}

local SHOWN = 20 -- reasons
local KEPT = 200 -- reasons: one that comes up again after it was let go is counted among "more"
local RANGES = 3 -- of lines, that are kept of a reason

---@class hubspot.associations.cli.FirstFailures
---@field count integer of all that were added
local FirstFailures = {}
FirstFailures.__index = FirstFailures

---@return hubspot.associations.cli.FirstFailures
function first_failures.new()
  return setmetatable({ entries = {}, by_text = {}, count = 0 }, FirstFailures)
end

-- Why a row failed, in the words that it may share with others. What is said of a bad row has no category.
local function words(row)
  if row.is_bad then return row.shared or row.message end
  return row.category .. ": " .. row.message
end

-- Adds a line to ranges in order, { first, last } each, and joins those that meet.
local function add_line(ranges, line)
  local place = #ranges + 1
  while place > 1 and ranges[place - 1].first > line do place = place - 1 end
  local before, after = ranges[place - 1], ranges[place]
  local follows, leads = before and before.last + 1 >= line, after and line + 1 == after.first
  if follows and leads then
    before.last = after.last
    table.remove(ranges, place)
  elseif follows then
    before.last = math.max(before.last, line)
  elseif leads then
    after.first = line
  else
    table.insert(ranges, place, { first = line, last = line })
    ranges[RANGES + 1] = nil
  end
end

local function first_line(entry)
  return entry.ranges[1].first
end

-- Puts an entry in its place by its first line. The last one goes when there are too many.
local function insert(self, entry)
  local entries = self.entries
  local place = #entries + 1
  while place > 1 and first_line(entries[place - 1]) > first_line(entry) do place = place - 1 end
  table.insert(entries, place, entry)
  self.by_text[entry.text] = entry
  if #entries > KEPT then self.by_text[table.remove(entries).text] = nil end
end

local function remove(self, entry)
  for place, other in ipairs(self.entries) do
    if other == entry then return table.remove(self.entries, place) end
  end
end

---@param row hubspot.associations.cli.FailedRow
function FirstFailures:add(row)
  self.count = self.count + 1
  local text = words(row)
  local entry = self.by_text[text]
  if not entry then
    entry = { text = text, count = 1, ranges = {}, row = row }
    add_line(entry.ranges, row.line)
    return insert(self, entry)
  end
  entry.count = entry.count + 1
  local first = first_line(entry)
  add_line(entry.ranges, row.line)
  if first_line(entry) < first then
    remove(self, entry)
    insert(self, entry)
  end
end

-- "line 3", "lines 3 to 5", "lines 3, 7 and 412 more"
local function places(entry)
  local parts, covered = {}, 0
  for index, range in ipairs(entry.ranges) do
    parts[index] = range.first == range.last and tostring(range.first)
      or ("%d to %d"):format(range.first, range.last)
    covered = covered + range.last - range.first + 1
  end
  if covered < entry.count then parts[#parts + 1] = ("%d more"):format(entry.count - covered) end
  local last = table.remove(parts)
  local name = entry.count == 1 and "line " or "lines "
  return #parts == 0 and name .. last or name .. table.concat(parts, ", ") .. " and " .. last
end

-- A row that stands alone is named by its ids, too.
local function subject(entry)
  if entry.count > 1 or entry.row.is_bad then return "" end
  return ("%s to %s: "):format(terminal.printable(entry.row.from), terminal.printable(entry.row.to))
end

---@return string[] lines
function FirstFailures:lines()
  local lines, covered = {}, 0
  for index = 1, math.min(SHOWN, #self.entries) do
    local entry = self.entries[index]
    local text = entry.count == 1 and entry.row.shared and entry.row.message or entry.text
    lines[index] = places(entry) .. ": " .. subject(entry) .. text
    covered = covered + entry.count
  end
  if covered < self.count then lines[#lines + 1] = ("and %d more"):format(self.count - covered) end
  return lines
end

return first_failures
