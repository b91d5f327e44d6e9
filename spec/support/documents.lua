-- The pages of the documentation, and their fenced blocks, for the specs that check them.

local checkout = require "support.checkout"

local documents = {
  PAGES = checkout.files "README.md CONTRIBUTING.md SECURITY.md CHANGELOG.md docs -name '*.md'",
}

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
  for line in (checkout.read(document) .. "\n"):gmatch "([^\n]*)\n" do
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
