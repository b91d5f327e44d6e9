-- Rows in groups, in the order of the first line of each, whatever the order in which they are added: how
-- many rows a group has, and some of their lines. Keeps a bounded number of groups, and little of each.

local one_line = require("hubspot.associations.cli.output.terminal").one_line
local places = require "hubspot.associations.cli.input.places"

local failure_groups = {}

local RANGES = 3 -- how many ranges of lines a group keeps

---@class hubspot.associations.cli.FailureGroup
---@field key string
---@field count integer
---@field ranges { first: integer, last: integer }[] some of the lines, in order
---@field row hubspot.associations.cli.FailedRow one of its rows

---@class hubspot.associations.cli.FailureGroups
---@field list hubspot.associations.cli.FailureGroup[] in the order of their first lines
---@field has_dropped boolean whether there were more groups than are kept
local FailureGroups = {}
FailureGroups.__index = FailureGroups

---@param most integer how many groups are kept
---@return hubspot.associations.cli.FailureGroups
function failure_groups.new(most)
  return setmetatable({ most = most, list = {}, by_key = {}, has_dropped = false }, FailureGroups)
end

-- Adds a line to ordered ranges, and joins ranges that meet.
local function add_line(ranges, line)
  local at = #ranges + 1
  while at > 1 and ranges[at - 1].first > line do at = at - 1 end
  local before, after = ranges[at - 1], ranges[at]
  local follows, leads = before and before.last + 1 >= line, after and line + 1 == after.first
  if follows and leads then
    before.last = after.last
    table.remove(ranges, at)
  elseif follows then
    before.last = math.max(before.last, line)
  elseif leads then
    after.first = line
  else
    table.insert(ranges, at, { first = line, last = line })
    ranges[RANGES + 1] = nil
  end
end

local function first_line(group)
  return group.ranges[1].first
end

-- Inserts a group by its first line, and drops the last group when there are too many.
local function insert(self, group)
  local list = self.list
  local at = #list + 1
  while at > 1 and first_line(list[at - 1]) > first_line(group) do at = at - 1 end
  table.insert(list, at, group)
  self.by_key[group.key] = group
  if #list > self.most then
    self.by_key[table.remove(list).key] = nil
    self.has_dropped = true
  end
end

local function remove(self, group)
  for at, other in ipairs(self.list) do
    if other == group then return table.remove(self.list, at) end
  end
end

---@param key string what the rows of the group have in common
---@param row hubspot.associations.cli.FailedRow
function FailureGroups:add(key, row)
  local group = self.by_key[key]
  if not group then
    group = { key = key, count = 1, ranges = {}, row = row }
    add_line(group.ranges, row.line)
    return insert(self, group)
  end
  group.count = group.count + 1
  local first = first_line(group)
  add_line(group.ranges, row.line)
  if first_line(group) < first then
    remove(self, group)
    insert(self, group)
  end
end

---The lines of a group: "line 3", "lines 3 to 5", "lines 3, 7 and 412 more"; with several files "a.csv:3,
---b.csv:7 and 412 more".
---@param group hubspot.associations.cli.FailureGroup
---@param names string[] of the files
---@return string
function failure_groups.lines_of(group, names)
  local parts, covered = {}, 0
  for index, range in ipairs(group.ranges) do
    parts[index] = one_line(places.text(range.first, range.last, names))
    covered = covered + range.last - range.first + 1
  end
  if covered < group.count then parts[#parts + 1] = ("%d more"):format(group.count - covered) end
  local last = table.remove(parts)
  local name = places.are_named(names) and "" or group.count == 1 and "line " or "lines "
  return #parts == 0 and name .. last or name .. table.concat(parts, ", ") .. " and " .. last
end

return failure_groups
