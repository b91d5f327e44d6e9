-- Asks before something is removed: says how much, after reading FILE as the job will read it.

local core = require "hubspot.associations.core"
local counts_of = require("hubspot.associations.cli.output.counts").of
local files = require "hubspot.associations.cli.files"
local question = require "hubspot.associations.cli.question"
local screen = require "hubspot.associations.cli.output.screen"
local source = require "hubspot.associations.cli.input.source"
local terminal = require "hubspot.associations.cli.output.terminal"

local confirmation = {}

local TICK = 0.1 -- seconds

-- The pair that an input names by two record ids; nil for any other input.
local function pair_of(input)
  local is_pair = input and core.is_record_id(input.from) and core.is_record_id(input.to)
  return is_pair and input.from .. ">" .. input.to or nil
end

-- The counts of a dry run, with `repeats`: the rows that have the pair of the row before, as in what `read`
-- writes. Nil and why when FILE cannot be read.
local function count(context, options)
  local arguments = context.arguments
  local rows, why, advice = source.open(arguments, context.environment, context.caught, options)
  if not rows then return nil, { why, advice } end
  local repeats, last = 0, nil
  local job = assert(context.client:start(context.command.endpoint, arguments.from, arguments.to, function()
    local input = rows:next()
    local pair = pair_of(input)
    if pair and pair == last then repeats = repeats + 1 end
    last = pair
    return input
  end, {
    from_property = arguments.from_property, to_property = arguments.to_property,
    dry_run = true, on_failure = function() return true end,
  }))
  while not job:step() do core.poll(job:fd(), math.min(job:timeout() or TICK, TICK)) end
  local counts, err = job:result()
  rows:close()
  if err then return nil, rows.broken or err.message end
  counts.repeats = repeats
  return counts
end

-- What the job would remove, in words.
local function removal_text(command, counts)
  local number = counts.not_sent - (command.removes.unit == "pair" and counts.repeats or 0)
  local text = command.removes.text:format(counts_of(number, command.removes.unit))
  if counts.failed == 0 then return text end
  return ("%s (and %s)"):format(text, counts_of(counts.failed, "bad row"))
end

---@param context hubspot.associations.cli.Context
---@param options table how rows are read: see rows.lua
---@return boolean|nil true when the job may run
---@return string|string[]|nil message
function confirmation.ask(context, options)
  local arguments, environment, command = context.arguments, context.environment, context.command
  if not command.removes or arguments.dry_run or arguments.yes then return true end
  local can_ask = screen.can_ask(environment)
  if not can_ask or not files.are_regular(arguments) then
    local why = can_ask and "FILE can be read only once, so that it cannot ask first" or
      "there is no terminal on which it could ask"
    return nil, { ("%s: %s; give --yes to remove without a question, or --dry-run to see what it would do")
      :format(command.name, why), "nothing was removed" }
  end
  local counts, why = count(context, options)
  if not counts then return nil, why end
  if counts.not_sent == 0 then return true end -- the report says why
  local text = ("This removes %s, from %s to %s. Go on?"):format(removal_text(command, counts),
    terminal.one_line(arguments.from), terminal.one_line(arguments.to))
  if question.ask(context, text) then return true end
  return nil, "nothing was removed"
end

return confirmation
