-- `hubspot-associations create`: rows from a file or a pipe -> one call -> a report.
-- Sends nothing when a row is bad; says of every row what became of it.

local associations = require "hubspot.associations"
local credential = require "hubspot.associations.cli.credential"
local report = require "hubspot.associations.cli.report"
local retry = require "hubspot.associations.retry"
local rows = require "hubspot.associations.cli.rows"
local terminal = require "hubspot.associations.cli.terminal"
local types = require "hubspot.associations.types"

local create = {}

local MOST = 2000 -- rows of one call: HubSpot's limit

local FORMAT_OF = { csv = "csv", jsonl = "jsonl", ndjson = "jsonl" }

-- The command's names for the client's options, in what is said about them.
local FLAG_OF = { base_url = "--base-url", version = "--api-version" }

local SAFE_TO_REPEAT = "some rows may have been created; running this again is safe, "
  .. "for creating an association twice changes nothing"

-- What to say of a row without a type. A known type is named, not used: which is meant is the user's to say.
local function untyped(arguments)
  local advice = "the row has no association type; give it one, or give --type for all such rows"
  local id = types.id(arguments.from, arguments.to)
  if not id then return advice end
  return ("%s (%d is the unlabeled type from %s to %s)"):format(advice, id, arguments.from, arguments.to)
end

-- All rows: inputs | nil, lines that say what is wrong.
local function read_rows(handle, arguments)
  local next_row, why = rows.open(handle, {
    format = arguments.format or FORMAT_OF[(arguments.file:match "%.(%w+)$" or ""):lower()],
    type = arguments.type,
    category = arguments.category,
    untyped = untyped(arguments),
  })
  if not next_row then return nil, { why } end
  local inputs, problems = {}, {}
  local input, problem = next_row()
  while input or problem do
    inputs[#inputs + 1] = input
    problems[#problems + 1] = problem
    if #inputs + #problems > MOST then
      return nil, { ("has more than %d rows, the most that one call can take; split it"):format(MOST) }
    end
    input, problem = next_row()
  end
  if #problems > 0 then return nil, report.problems(problems) end
  if #inputs == 0 then return nil, { "has no rows" } end
  return inputs
end

local function read_file(arguments, environment)
  local name, handle, inputs, why = arguments.file
  if name == "-" then
    name, handle = "standard input", environment.stdin
  else
    handle, why = io.open(name, "rb")
    if not handle then return nil, { "cannot open " .. why } end
  end
  inputs, why = read_rows(handle, arguments)
  if handle ~= environment.stdin then handle:close() end
  if inputs then return inputs end
  for index, line in ipairs(why) do why[index] = name .. ": " .. line end
  why[#why + 1] = "nothing was sent"
  return nil, why
end

local function new_client(arguments, token, stderr)
  local done, client, err = pcall(associations.new, {
    token = token,
    base_url = arguments.base_url,
    version = arguments.api_version,
    max_attempts = arguments.max_attempts,
    on_event = function(event)
      if event.type ~= "retry" then return end
      terminal.say(stderr, ("%s: trying again in %.1f s"):format(event.kind, event.delay))
    end,
  })
  if done then return client, err and tostring(err) end
  -- The client raises on what a program got wrong; here, it is the user's argument.
  local option, complaint = tostring(client):match "associations%.new: option ([%w_]+): (.*)"
  if not option or not FLAG_OF[option] then error(client, 0) end
  return nil, FLAG_OF[option] .. ": " .. complaint
end

local function id_of(side)
  if type(side) == "table" then side = side.id end
  return type(side) == "number" and ("%d"):format(side) or side
end

local function contains(ids, id)
  for _, each in ipairs(ids) do
    if tostring(each) == id then return true end
  end
  return false
end

-- Whether an error's context names the ids of an input, as far as it names any.
local function concerns(context, input)
  local named = false
  for key, id in pairs { fromObjectId = id_of(input.from), toObjectId = id_of(input.to) } do
    if type(context[key]) == "table" then
      named = true
      if not contains(context[key], id) then return false end
    end
  end
  return named
end

local UNCONFIRMED = { message = "HubSpot neither listed nor refused it" }

-- Which row got which outcome. Errors come first: a pair may be there twice, with two types.
local function outcomes_of(inputs, batch)
  local outcomes = { rows = #inputs, created = 0, failed = 0, unconfirmed = 0, failures = {} }
  local claimed, listed = {}, {}
  for _, result in ipairs(batch.results or {}) do
    listed[tostring(result.fromObjectId) .. "/" .. tostring(result.toObjectId)] = true
  end
  for _, err in ipairs(batch.errors or {}) do
    local failure = { outcome = "failed", error = err }
    for index, input in ipairs(type(err.context) == "table" and inputs or {}) do
      if not claimed[index] and concerns(err.context, input) then
        claimed[index], failure.input = true, input
        outcomes.failed = outcomes.failed + 1
        break
      end
    end
    table.insert(outcomes.failures, failure)
  end
  for index, input in ipairs(inputs) do
    if listed[id_of(input.from) .. "/" .. id_of(input.to)] and not claimed[index] then
      outcomes.created = outcomes.created + 1
    elseif not claimed[index] then
      outcomes.unconfirmed = outcomes.unconfirmed + 1
      table.insert(outcomes.failures, { outcome = "unconfirmed", input = input, error = UNCONFIRMED })
    end
  end
  return outcomes
end

-- Why a call did not take place, or not to its end, with the inputs named by their lines.
local function refusal(err, inputs)
  if err.kind == "invalid_input" and err.index then
    local problems = {}
    for index, refused in ipairs(err.errors) do
      local line = inputs[refused.index].line
      problems[index] = { line = line, column = refused.field, message = refused.message }
    end
    local text = report.problems(problems)
    if err.count > #problems then text[#text + 1] = ("%d rows were refused in all"):format(err.count) end
    text[#text + 1] = "nothing was sent"
    return text
  end
  return { tostring(err), retry.may_have_been_done(err) and SAFE_TO_REPEAT or "nothing was created" }
end

---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@return integer|nil code 0 when all rows were created, 1 when some were not
---@return string|string[]|nil message why it could not run
function create.run(arguments, environment)
  local token, client, batch, why
  token, why = credential.read(arguments.token_file, environment)
  if not token then return nil, why end
  client, why = new_client(arguments, token, environment.stderr)
  if not client then return nil, why end
  local inputs
  inputs, why = read_file(arguments, environment)
  if not inputs then return nil, why end
  batch, why = client:create(arguments.from, arguments.to, inputs)
  client:close()
  if not batch then return nil, refusal(why, inputs) end
  if batch.status ~= "COMPLETE" then
    terminal.say(environment.stderr, "HubSpot says that the batch is " .. tostring(batch.status))
  end
  local outcomes = outcomes_of(inputs, batch)
  local written
  written, why = terminal.write(environment.stdout, report.text(outcomes))
  if not written then
    local created = ("%d of %d rows were created"):format(outcomes.created, outcomes.rows)
    return nil, { created, "the report cannot be written: " .. why }
  end
  return outcomes.created == outcomes.rows and 0 or 1
end

return create
