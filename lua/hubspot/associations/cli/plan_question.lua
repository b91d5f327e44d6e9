-- Asks before a sync changes anything: says what its plan would do.

local files = require "hubspot.associations.cli.files"
local question = require "hubspot.associations.cli.question"
local screen = require "hubspot.associations.cli.output.screen"
local sync_report = require "hubspot.associations.cli.output.sync_report"
local terminal = require "hubspot.associations.cli.output.terminal"

local plan_question = {}

-- Whether the run changes something, and nobody has said yet that it may.
local function is_open(arguments)
  return not (arguments.yes or arguments.dry_run or arguments.plan)
end

---Why the command cannot ask, when it has to.
---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@return string|nil message
function plan_question.problem(arguments, environment)
  if not is_open(arguments) then return nil end
  local why
  if not screen.can_ask(environment) then
    why = "there is no terminal on which it could ask"
  elseif files.have_stdin(arguments) then
    why = "FILE is standard input, where it would read the answer"
  else
    return nil
  end
  return ("sync: %s; give --yes to change HubSpot without a question, or --plan FILE to see what it would do")
    :format(why)
end

---The function for on_plan.
---@param context hubspot.associations.cli.Context
---@return (fun(planned: table): boolean)|nil
function plan_question.ask(context)
  local arguments = context.arguments
  if not is_open(arguments) then return nil end
  return function(planned)
    if planned.creations + planned.removals == 0 then return true end -- the report says that all is there
    context.progress:clear()
    context.is_declined = not question.ask(context, ("%s, from %s to %s. Go on?"):format(
      sync_report.plan(planned), terminal.one_line(arguments.from), terminal.one_line(arguments.to)))
    return not context.is_declined
  end
end

return plan_question
