-- A question that is answered by yes or no, in a terminal.

local core = require "hubspot.associations.core"
local terminal = require "hubspot.associations.cli.output.terminal"

local question = {}

local TICK = 0.1 -- seconds
local STDIN = 0 -- its descriptor

-- What is typed; nil when nothing is, as after Ctrl-C. A read alone would not end for a signal that comes
-- just before it.
local function read(context)
  while not core.poll(STDIN, TICK) do
    if context.caught() then return nil end
  end
  return context.environment.stdin:read "*l"
end

---@param context hubspot.associations.cli.Context
---@param text string
---@return boolean
function question.ask(context, text)
  local stream = context.environment.stderr
  terminal.write(stream, text .. " [y/N] ")
  local answer = read(context)
  if not answer then terminal.write(stream, "\n") end
  return answer ~= nil and answer:find "^[ \t]*[yY]" ~= nil
end

return question
