-- The rows of a CSV file -> inputs of a job. Checks only what depends on the form of the file: the job checks
-- the ids.

local cells = require "hubspot.associations.text.cells"
local csv = require "hubspot.associations.cli.input.csv"
local csv_columns = require "hubspot.associations.cli.input.csv_columns"
local row_types = require "hubspot.associations.cli.input.row_types"

-- The fields of a record by column, without white space around them.
local function by_column(fields, columns)
  local row = {}
  for column, number in pairs(columns) do row[column] = fields[number] and cells.read(fields[number]) end
  return row
end

local function input_of(fields, columns, line, settings)
  local row, kept = by_column(fields, columns), settings.keeps and fields or nil
  if settings.takes == "records" then return { id = row.from, line = line, kept = kept } end
  local types, why, column, is_typed = row_types.of(row, settings)
  local input = { from = row.from, to = row.to, types = types, line = line, kept = kept }
  if not why then return input end
  input.type = row_types.text(row)
  return nil, { line = line, column = column or "type", message = why, row = input, is_typed = is_typed }
end

-- Which columns are which, by the first record, or by its intact fields when it is broken. Nil and a fatal
-- problem when that is not clear: then no row can be read.
local function first_layout(fields, line, settings, separator)
  local problem = not fields and line or nil
  if settings.not_failures and csv_columns.is_of_failures(fields or problem.fields or {}) then
    return nil, { line = problem and problem.line or line, message = settings.not_failures, fatal = true }
  end
  local layout, why = csv_columns.of(fields or problem.fields or {}, settings)
  if layout and not (problem and layout.has_header) then return layout end
  if problem then
    problem.fatal = true -- it may have been the header
    return nil, problem
  end
  return nil, { line = line, message = ("%s (separated by %s)"):format(why, separator), fatal = true }
end

---@param lines hubspot.associations.cli.Lines
---@param settings hubspot.associations.cli.RowSettings
---@return fun(): table|nil, hubspot.associations.cli.Problem|nil
return function(lines, settings)
  local next_record, separator = csv.reader(lines, function(fields)
    return csv_columns.of(fields, settings) ~= nil
  end)
  local layout
  return function()
    local fields, line = next_record()
    if not line then return nil end
    if not layout then
      local problem
      layout, problem = first_layout(fields, line, settings, separator())
      if not layout then return nil, problem end
      if layout.has_header then
        if settings.keeps then csv_columns.add_others(settings.other_columns, layout, fields, settings) end
        fields, line = next_record()
      end
    end
    if not fields then return nil, line end
    local misfit, column = csv_columns.misfit(layout, fields)
    if not misfit then return input_of(fields, layout.columns, line, settings) end
    -- The problem has no row: a file of failures with these ids would link them when it is fed back.
    misfit = ("%s (separated by %s)"):format(misfit, separator())
    return nil, { line = line, column = column, message = misfit }
  end
end
