-- Writes text to terminals and pipes: text from elsewhere is made safe to print, and a reader that is gone is
-- no error.

local one_line = require "hubspot.associations.text.one_line"
local shorten = require "hubspot.associations.text.shorten"

local terminal = {}

local PROGRAM = "hubspot-associations"
local LONGEST = 1000 -- bytes of a text from elsewhere
local BROKEN_PIPE = 32 -- EPIPE on Linux, macOS and the BSDs

---Text from elsewhere, as one line that is safe to print, cut when long.
---@param text any
---@return string
function terminal.one_line(text)
  return shorten.text(one_line(text), LONGEST, "...")
end

---Writes to a stream, and flushes it. A reader that is gone (`| head`) is no error.
---@param stream file*
---@param text string
---@return boolean|nil
---@return string|nil message
function terminal.write(stream, text)
  local written, why, code = stream:write(text)
  if written then
    written, why, code = stream:flush()
  end
  if written or code == BROKEN_PIPE then return true end
  return nil, tostring(why)
end

---Writes a message, in lines that begin with the name of the program. Never raises.
---@param stream file* stderr
---@param message string|string[] a line, or several
function terminal.say(stream, message)
  if type(message) == "string" then message = { message } end
  for _, line in ipairs(message) do
    terminal.write(stream, PROGRAM .. ": " .. terminal.one_line(line) .. "\n")
  end
end

return terminal
