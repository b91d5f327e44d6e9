-- The doctor's page: its findings as text to paste into a ticket, or as JSON Lines. Nothing in it is a
-- secret: every text goes through `clean`.

local destinations = require "hubspot.associations.cli.output.destination"
local one_line = require "hubspot.associations.text.one_line"
local redact = require "hubspot.associations.text.redact"
local row_writer = require "hubspot.associations.cli.output.row_writer"
local shorten = require "hubspot.associations.text.shorten"
local terminal = require "hubspot.associations.cli.output.terminal"

local page = {}

local TITLE = "hubspot-associations doctor"

local COLUMNS = { "status", "check", "found", "advice" }

local LONGEST = 8000 -- bytes of a text: an app may have hundreds of scopes

-- The tokens of private apps, also those that nobody gave as a token: as the name of a file, say.
local PRIVATE_APP = "pat%-[A-Za-z0-9]+%-" .. ("[0-9A-Fa-f]"):rep(8) .. "[A-Za-z0-9%-]*"

-- Tokens go first: one that is cut might not be recognized.
local function clean(text, secrets)
  text = redact.text(text:gsub(PRIVATE_APP, "[token]"), secrets)
  return shorten.text(one_line(text), LONGEST, "...")
end

local function count(findings, status)
  local number = 0
  for _, finding in ipairs(findings) do
    if finding.status == status then number = number + 1 end
  end
  return number
end

local function conclusion(findings)
  local wrong, unknown = count(findings, "wrong"), count(findings, "unknown")
  local text = wrong == 0 and "Nothing is wrong" or wrong == 1 and "1 thing is wrong"
    or ("%d things are wrong"):format(wrong)
  return text .. (unknown > 0 and (", %d could not be checked.\n"):format(unknown) or ".\n")
end

local function text_of(findings)
  local lines = { TITLE .. os.date "!, %Y-%m-%d %H:%M:%S UTC\n" }
  for _, finding in ipairs(findings) do
    lines[#lines + 1] = ("%-8s %-13s %s"):format(finding.status, finding.check, finding.found)
    if finding.advice then lines[#lines + 1] = (" "):rep(9) .. ("%-13s -> %s"):format("", finding.advice) end
  end
  return table.concat(lines, "\n") .. "\n\n" .. conclusion(findings)
end

local function write_rows(arguments, environment, findings)
  local writer, why = row_writer.open(arguments, environment, COLUMNS)
  if not writer then return nil, why end
  for _, finding in ipairs(findings) do writer:add(finding) end
  local code, message = writer:finish()
  return code == 0, message
end

local function write_text(arguments, environment, findings)
  local target, why = destinations.open(arguments, environment, { TITLE })
  if not target then return nil, why end
  local written, problem = terminal.write(target.stream, text_of(findings))
  local closed, flaw = target:close(written == true)
  if written and closed then return true end
  return nil, ("%s cannot be written: %s"):format(target.name, problem or flaw)
end

---Writes the page.
---@param arguments table as arguments.parse gives them: output, output_format
---@param environment hubspot.associations.cli.Environment
---@param findings hubspot.associations.cli.Finding[]
---@param secrets string[]
---@return integer code 0 when nothing is wrong, 1 when something is, 2 when the page could not be written
---@return string|nil message
function page.write(arguments, environment, findings, secrets)
  local code = count(findings, "wrong") > 0 and 1 or 0
  for _, finding in ipairs(findings) do
    finding.found = clean(finding.found, secrets)
    finding.advice = finding.advice and clean(finding.advice, secrets)
  end
  local write = arguments.output_format == "jsonl" and write_rows or write_text
  local written, why = write(arguments, environment, findings)
  if written then return code end
  return 2, why
end

return page
