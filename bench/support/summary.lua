-- The one table for people that bench/run prints at the end: each benchmark appends the rows that matter most
-- to the file BENCH_SUMMARY.

local summary = {}

local function append(line)
  local path = os.getenv "BENCH_SUMMARY"
  if not path then return end
  local file = assert(io.open(path, "a"))
  file:write(line, "\n")
  file:close()
end

---Begins a part of the table.
---@param title string
---@param unit string what its figures are
function summary.begin(title, unit)
  append(("  %-54s %12s %12s"):format(title, unit, "of this"))
end

---@param title string
---@param figure number|nil
---@param ratio number|nil how many times as much as this module takes
---@param problem string|nil why there is no figure
function summary.add(title, figure, ratio, problem)
  if not figure then return append(("    %-52s %s"):format(title, problem or "not measured")) end
  append(("    %-52s %12s %12s"):format(
    title, (figure < 100 and "%.2f" or "%.0f"):format(figure), ratio and ("%.2f"):format(ratio) or ""
  ))
end

return summary
