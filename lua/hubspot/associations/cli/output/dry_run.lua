-- `create --dry-run`: reads and checks every row as a job would, and sends nothing.

local core = require "hubspot.associations.core"
local report = require "hubspot.associations.cli.output.report"
local types = require "hubspot.associations.types"

local dry_run = {}

---@param arguments table as arguments.parse gives them
---@param source hubspot.associations.cli.Source
---@param failures hubspot.associations.cli.Failures
---@param batch_size integer
---@return table counts { rows, valid, requests }
---@return string|nil why it stopped before the source ended
local function check(arguments, source, failures, batch_size)
  local body = core.body { check_type = types.checker(arguments.from, arguments.to) }
  local counts = { rows = 0, valid = 0, requests = 0 }
  while true do
    local read, input = pcall(source.next, source)
    if not read then return counts, tostring(input) end
    if not input then return counts end
    counts.rows = counts.rows + 1
    if body:count() == batch_size then body:clear() end
    local added, refusal = body:add(input)
    if not added and refusal.kind == "too_large" and body:count() > 0 then
      body:clear()
      added, refusal = body:add(input)
    end
    if added then
      counts.valid = counts.valid + 1
      if body:count() == 1 then counts.requests = counts.requests + 1 end
    elseif not failures:add { input = input, outcome = "failed", error = refusal } then
      return counts, failures.file.failed
    end
  end
end

---@param arguments table as arguments.parse gives them
---@param source hubspot.associations.cli.Source
---@param failures hubspot.associations.cli.Failures
---@param batch_size integer
---@return hubspot.associations.cli.Run
function dry_run.run(arguments, source, failures, batch_size)
  local counts, why = check(arguments, source, failures, batch_size)
  local has_rest = source:has_rest()
  return {
    is_whole = counts.valid == counts.rows,
    summary = ("%d of %d rows can be sent"):format(counts.valid, counts.rows),
    text = function() return report.dry_run(counts, has_rest, failures.first, failures.file) end,
    why = why,
    is_interrupted = source.interrupted,
  }
end

return dry_run
