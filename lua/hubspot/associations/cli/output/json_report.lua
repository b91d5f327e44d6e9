-- The report of a job as JSON, for scripts: one object in one line, its fields in a fixed order.

local ascii = require "hubspot.associations.text.ascii"
local cjson = require "cjson"

local json_report = {}

-- An object, with its fields in order. Values that are neither text, numbers nor booleans are left out.
local function object(fields)
  local names, parts = {}, {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names, ascii.before)
  for _, name in ipairs(names) do
    local value, text = fields[name], nil
    if type(value) == "table" and #value > 0 then
      text = cjson.encode(value) -- a list of texts
    elseif type(value) == "table" and next(value) ~= nil then
      text = object(value)
    elseif type(value) == "string" or type(value) == "number" or type(value) == "boolean" then
      text = cjson.encode(value)
    end
    if text then parts[#parts + 1] = ("%s:%s"):format(cjson.encode(name), text) end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

---@param run hubspot.associations.cli.Run
---@param code integer the exit code
---@return string text with its newline
function json_report.text(run, code)
  local fields = {}
  for name, value in pairs(run.counts) do fields[name] = value end
  fields.failures, fields.event_error = nil, nil
  fields.exit = code
  fields.reasons = run.reasons
  fields.stopped = run.is_interrupted and "interrupted" or run.why
  fields.advice = run.advice
  return object(fields) .. "\n"
end

---How far a job is.
---@param fields table texts and numbers
---@return string text with its newline
function json_report.progress(fields)
  return object(fields) .. "\n"
end

return json_report
