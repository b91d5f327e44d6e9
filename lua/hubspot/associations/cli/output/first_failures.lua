-- The first rows that failed, for the report: one line for each reason, and the number of the other rows.
-- Where there are many reasons, those that differ only in the ids of the row are one.

local failure_groups = require "hubspot.associations.cli.output.failure_groups"
local terminal = require "hubspot.associations.cli.output.terminal"

local first_failures = {}

local SHOWN = 20 -- reasons
local KEPT = 200 -- reasons: when one that was dropped occurs again, its rows count among "more"

---@class hubspot.associations.cli.FirstFailures
---@field count integer of all that were added
local FirstFailures = {}
FirstFailures.__index = FirstFailures

---@param names string[] of the FILEs
---@return hubspot.associations.cli.FirstFailures
function first_failures.new(names)
  return setmetatable({
    names = names,
    same = failure_groups.new(SHOWN), -- by the text of the reason
    alike = failure_groups.new(KEPT), -- by that text without the row's ids
    count = 0,
  }, FirstFailures)
end

-- Why a row failed, as a text that it may share with others. For a bad row, that has no category.
local function reason_of(row)
  if row.is_bad then return row.shared or row.message end
  return row.category .. ": " .. row.message
end

-- The text with placeholders for the ids of the row.
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
  local text = reason_of(row)
  if not self.same.has_dropped then self.same:add(text, row) end
  self.alike:add(template(row, text), row)
end

-- The text of a group. A row that is alone in its group has its own message, and is named by its ids.
local function text_of(group)
  local row = group.row
  if group.count > 1 then return group.key end
  if row.is_bad then return row.message end
  if row.to == "" then return ("%s: %s"):format(terminal.one_line(row.from), reason_of(row)) end
  return ("%s to %s: %s"):format(terminal.one_line(row.from), terminal.one_line(row.to), reason_of(row))
end

---@return string[] lines
function FirstFailures:lines()
  local groups = self.same.has_dropped and self.alike or self.same
  local lines, covered = {}, 0
  for index = 1, math.min(SHOWN, #groups.list) do
    local group = groups.list[index]
    lines[index] = failure_groups.lines_of(group, self.names) .. ": " .. text_of(group)
    covered = covered + group.count
  end
  if covered < self.count then lines[#lines + 1] = ("and %d more"):format(self.count - covered) end
  return lines
end

return first_failures
