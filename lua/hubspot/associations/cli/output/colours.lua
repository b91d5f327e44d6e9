-- Colours of the report, on a terminal that has them: sparing, and never the only sign of something.

local colours = {}

local CODES = { red = 31, green = 32 }

local function plain(text)
  return text
end

local function painted(text, colour)
  return ("\27[%dm%s\27[0m"):format(CODES[colour], text)
end

---@param has_colours boolean
---@return fun(text: string, colour: "red"|"green"): string
function colours.painter(has_colours)
  return has_colours and painted or plain
end

return colours
