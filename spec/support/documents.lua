-- Reads README.md and the pages of docs/: their fenced blocks, for the specs that run them. Judges nothing.

local process = require "support.process"

local documents = {}

local ROOT = debug.getinfo(1, "S").source:match "^@(.*)spec/support/[^/]*$"

---The text of a file of the checkout.
---@param path string
---@return string
function documents.read(path)
  return process.read_file(ROOT .. path)
end

---The paths of files of the checkout.
---@param find string arguments of find, the folder first
---@return string[]
function documents.files(find)
  local script = "cd " .. process.quote(ROOT == "" and "." or ROOT) .. " && find " .. find .. " -type f"
  local paths = {}
  for path in process.run({ "sh", "-c", script }).stdout:gmatch "[^\n]+" do paths[#paths + 1] = path end
  table.sort(paths)
  return paths
end

---@class documents.Block
---@field document string
---@field section string the heading of rank 2 that it stands below
---@field language string
---@field text string without a line end at its end
---@field line integer
---@field output string|nil of the text block that stands right behind, with nothing between
---@field file string|nil the name of the file that it is, when its first line is a comment of just that

-- "-- /etc/nginx/crm.lua", "# nginx.conf", "/* link.c */"
local function file_of(text)
  local first = text:match "^[^\n]*"
  local name = first:match "^%-%- (%S+)$" or first:match "^# (%S+)$" or first:match "^/%* (%S+) %*/$"
  return name and name:match "^.*%.%w+$"
end

---The fenced blocks of a document, in order.
---@param document string
---@return documents.Block[]
function documents.blocks(document)
  local blocks, open, number, last, section = {}, nil, 0, nil, ""
  for line in (documents.read(document) .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    local language = line:match "^```(.*)$"
    if language and not open then
      open = { language = language, document = document, section = section, line = number, lines = {} }
    elseif language then
      open.text = table.concat(open.lines, "\n")
      open.file = file_of(open.text)
      if open.language == "text" and last then
        last.output = open.text .. "\n"
      else
        blocks[#blocks + 1] = open
      end
      last, open = open, nil
    elseif open then
      open.lines[#open.lines + 1] = line
    elseif line:find "%S" then
      last, section = nil, line:match "^## (.*)$" or section
    end
  end
  assert(not open, document .. ": a block is not closed")
  return blocks
end

return documents
