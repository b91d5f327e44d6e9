-- Rows in groups, in the order of the first row of each, however they come: how many each has, and where the
-- first of them are. Keeps a bounded number of groups, and little of each.

local failure_groups = {}

local RANGES = 3 -- of lines, that are kept of a group

---@class hubspot.associations.cli.FailureGroup
---@field key string
---@field count integer
---@field ranges { first: integer, last: integer }[] some of the lines, in order
---@field row hubspot.associations.cli.FailedRow one of them

---@class hubspot.associations.cli.FailureGroups
---@field list hubspot.associations.cli.FailureGroup[] in the order of their first lines
---@field has_dropped boolean whether there were more than are kept
local FailureGroups = {}
FailureGroups.__index = FailureGroups

---@param most integer how many groups are kept
---@return hubspot.associations.cli.FailureGroups
function failure_groups.new(most)
  return setmetatable({ most = most, list = {}, by_key = {}, has_dropped = false }, FailureGroups)
end

-- Adds a line to ranges in order, and joins those that meet.
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

local function first_line(group)
  return group.ranges[1].first
end

-- Puts a group in its place by its first line. The last one goes when there are too many.
local function insert(self, group)
  local list = self.list
  local place = #list + 1
  while place > 1 and first_line(list[place - 1]) > first_line(group) do place = place - 1 end
  table.insert(list, place, group)
  self.by_key[group.key] = group
  if #list > self.most then
    self.by_key[table.remove(list).key] = nil
    self.has_dropped = true
  end
end

local function remove(self, group)
  for place, other in ipairs(self.list) do
    if other == group then return table.remove(self.list, place) end
  end
end

---@param key string what the rows of a group have in common
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

---Where the rows of a group are: "line 3", "lines 3 to 5", "lines 3, 7 and 412 more".
---@param group hubspot.associations.cli.FailureGroup
---@return string
function failure_groups.places(group)
  local parts, covered = {}, 0
  for index, range in ipairs(group.ranges) do
    parts[index] = range.first == range.last and tostring(range.first)
      or ("%d to %d"):format(range.first, range.last)
    covered = covered + range.last - range.first + 1
  end
  if covered < group.count then parts[#parts + 1] = ("%d more"):format(group.count - covered) end
  local last = table.remove(parts)
  local name = group.count == 1 and "line " or "lines "
  return #parts == 0 and name .. last or name .. table.concat(parts, ", ") .. " and " .. last
end

return failure_groups
