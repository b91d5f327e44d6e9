-- The first of the rows that were not created, for the report: one line for each reason, and how many rows
-- there are beside. Reasons that differ in nothing but the row's own ids are one where there are many.

local failure_groups = require "hubspot.associations.cli.output.failure_groups"
local terminal = require "hubspot.associations.cli.output.terminal"

local first_failures = {}

local SHOWN = 20 -- reasons
local KEPT = 200 -- reasons: one that comes up again after it was let go is counted among "more"

---@class hubspot.associations.cli.FirstFailures
---@field count integer of all that were added
local FirstFailures = {}
FirstFailures.__index = FirstFailures

---@return hubspot.associations.cli.FirstFailures
function first_failures.new()
  return setmetatable({
    same = failure_groups.new(SHOWN), -- by the reason's words
    alike = failure_groups.new(KEPT), -- by these without the row's ids
    count = 0,
  }, FirstFailures)
end

-- Why a row failed, in the words that it may share with others. What is said of a bad row has no category.
local function words(row)
  if row.is_bad then return row.shared or row.message end
  return row.category .. ": " .. row.message
end

-- The same with a placeholder for each of the row's own ids.
local function template(row, text)
  for _, side in ipairs { "from", "to" } do
    local id = row[side]
    if id and id:find "^%d+$" then text = text:gsub("%f[%d]" .. id .. "%f[%D]", "<" .. side .. ">") end
  end
  return text
end

---@param row hubspot.associations.cli.FailedRow
function FirstFailures:add(row)
  self.count = self.count + 1
  local text = words(row)
  if not self.same.has_dropped then self.same:add(text, row) end
  self.alike:add(template(row, text), row)
end

-- What is said of a group. A row that stands alone is named by its ids, and in its own words.
local function told(group)
  local row = group.row
  if group.count > 1 then return group.key end
  if row.is_bad then return row.message end
  return ("%s to %s: %s"):format(terminal.one_line(row.from), terminal.one_line(row.to), words(row))
end

---@return string[] lines
function FirstFailures:lines()
  local groups = self.same.has_dropped and self.alike or self.same
  local lines, covered = {}, 0
  for index = 1, math.min(SHOWN, #groups.list) do
    local group = groups.list[index]
    lines[index] = failure_groups.places(group) .. ": " .. told(group)
    covered = covered + group.count
  end
  if covered < self.count then lines[#lines + 1] = ("and %d more"):format(self.count - covered) end
  return lines
end

return first_failures
