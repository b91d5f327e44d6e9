-- Writes the manual page, as mdoc(7), from the rows that --help is made of: one section for each command, and
-- the options that several commands share once.
-- usage: lua tools/manual.lua VERSION DATE   (DATE as in 2026-11-28), with this checkout in the search paths

local arguments = require "hubspot.associations.cli.arguments"
local help = require "hubspot.associations.cli.help"

local VERSION, DATE = arg[1], arg[2]
local WIDTH = 76

local PROXY = "https_proxy, HTTPS_PROXY, http_proxy, all_proxy, ALL_PROXY, no_proxy, NO_PROXY"
local ENVIRONMENT = {
  { "HUBSPOT_TOKEN", "The token, where --token-file is not given." },
  { PROXY, "Which proxy requests go through, as curl has it." },
  { "CURL_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR",
    "Which certificates are trusted, where --ca-file is not given." },
  { "COLUMNS", "The width of the terminal, where the terminal does not tell it." },
  { "NO_COLOR, TERM",
    "Whether there are colours on a terminal: none where NO_COLOR is set, or TERM is dumb." },
  { "TMPDIR", "Where sync keeps what does not fit into memory, instead of /tmp." },
}

local MONTHS = {
  "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
  "November", "December",
}

local out = {}

local function add(line) out[#out + 1] = line end

-- Text that roff takes as it is. A hyphen at the head of a word is one of an option: it is to be copied.
local function escaped(text)
  text = (" " .. text):gsub("\\", "\\e"):gsub("[%s\"'(]%-+", function(found)
    return (found:gsub("%-", "\\-"))
  end)
  return text:sub(2)
end

-- A word that a macro takes as an argument.
local function argument(text)
  text = escaped(text)
  return text:find "[%s\"]" and '"' .. text:gsub('"', '""') .. '"' or text
end

-- A line of text: what roff would take for a request is none.
local function add_text(line)
  add((line:find "^[.']" and "\\&" or "") .. line)
end

-- Prose: filled, each sentence on a line of its own, as mdoc wants it.
local function add_prose(text)
  local line
  for word in text:gmatch "%S+" do
    word = escaped(word)
    if line and #line + 1 + #word > WIDTH then
      add_text(line)
      line = nil
    end
    line = line and line .. " " .. word or word
    if word:find "[.?!][\"')]*$" and not word:find "%.%.%.$" then
      add_text(line)
      line = nil
    end
  end
  if line then add_text(line) end
end

-- Paragraphs, with lines that are indented as examples.
local function add_paragraphs(text)
  local is_first = true
  for paragraph in (text .. "\n\n"):gmatch "(.-)\n\n+" do
    local prose, examples = {}, {}
    for line in paragraph:gmatch "[^\n]+" do
      local example = line:match "^   (.*)"
      table.insert(example and examples or prose, example or line)
    end
    if not is_first then add ".Pp" end
    is_first = false
    if #prose > 0 then add_prose(table.concat(prose, " ")) end
    if #examples > 0 then
      add ".Bd -literal -offset indent"
      for _, line in ipairs(examples) do
        add_text((line:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("'", "\\(aq"):gsub("`", "\\(ga")))
      end
      add ".Ed"
    end
  end
end

-- "-q --quiet" with its argument, as macros.
local function macros(row)
  local names = {}
  for name in row.name:gmatch "%S+" do names[#names + 1] = "Fl " .. escaped(name:sub(2)) end
  local text = table.concat(names, " , ")
  if row.is_flag or not row.argname then return text end
  if not row.argname:find "|" then return text .. " Ar " .. argument(row.argname) end
  return text .. " Cm " .. row.argname:gsub("|", " | Cm ")
end

local function add_item(head, description)
  add(".It " .. head)
  add_prose(description)
end

-- Which commands have which row: a list of { row, commands }, in the order of their first appearance.
local function rows_of(commands)
  local list, by_text = {}, {}
  for _, command in ipairs(commands) do
    for _, row in ipairs(command.flags) do
      local text = row.name .. "\n" .. (row.description or "")
      if not row.never and not by_text[text] then
        by_text[text] = { row = row, commands = {} }
        list[#list + 1] = by_text[text]
      end
      if not row.never then table.insert(by_text[text].commands, command.name) end
    end
  end
  return list
end

local function add_synopsis(command)
  add(".Nm")
  add(".Cm " .. argument(command.name))
  local has_more = false
  for _, row in ipairs(command.flags) do
    if row.count == "1" then
      add("." .. macros(row))
    else
      has_more = true
    end
  end
  if has_more then add ".Op Ar option ..." end
  for _, row in ipairs(command.arguments or {}) do
    local macro = "Ar " .. argument(row.argname) .. (row.args and " ..." or "")
    add(row.args == "*" and ".Op " .. macro or "." .. macro)
  end
end

-- A command: what its own help says, but for the options that it shares.
local function add_command(command, rows)
  add(".Ss " .. argument(command.name))
  add_paragraphs(command.description)
  local own = {}
  for _, entry in ipairs(rows) do
    if #entry.commands == 1 and entry.commands[1] == command.name then own[#own + 1] = entry.row end
  end
  if command.arguments or #own > 0 then
    add ".Bl -tag -width indent"
    for _, row in ipairs(command.arguments or {}) do
      add_item("Ar " .. argument(row.argname), row.description)
    end
    for _, row in ipairs(own) do add_item(macros(row), row.description) end
    add ".El"
  end
  local epilog = command.epilog
  local first, last = epilog:find(help.TOKEN, 1, true) -- ENVIRONMENT has it
  if first then epilog = epilog:sub(1, first - 1) .. epilog:sub(last + 1) end
  add ".Pp"
  add_paragraphs((epilog:gsub("^\n+", "")))
end

-- "create, read and list", or "all but types"
local function names(entry, commands)
  local has, without = {}, {}
  for _, name in ipairs(entry.commands) do has[name] = true end
  for _, command in ipairs(commands) do
    if not has[command.name] then without[#without + 1] = command.name end
  end
  local listed = #without <= 3 and without or entry.commands
  local text = table.concat(listed, ", ", 1, #listed - 1) .. " and " .. listed[#listed]
  if #listed == 1 then text = listed[1] end
  return (#without <= 3 and "All but " or "Of ") .. text .. "."
end

local function add_shared(rows, commands)
  add ".Sh OPTIONS"
  add_prose "These are the options that several commands have."
  add ".Bl -tag -width indent"
  for _, entry in ipairs(rows) do
    if #entry.commands > 1 then
      add_item(macros(entry.row), entry.row.description .. " " .. names(entry, commands))
    end
  end
  add ".El"
end

local function add_head(all)
  local year, month, day = DATE:match "^(%d+)-(%d+)-(%d+)$"
  add '.\\" Generated by tools/manual.lua from what --help is made of.'
  add(".Dd " .. MONTHS[tonumber(month)] .. " " .. tonumber(day) .. ", " .. year)
  add(".Dt " .. all.program:upper() .. " 1")
  add ".Os"
  add ".Sh NAME"
  add(".Nm " .. all.program)
  add ".Nd link CRM records in HubSpot"
  add ".Sh SYNOPSIS"
  for _, command in ipairs(all.commands) do add_synopsis(command) end
  for _, row in ipairs(all.options) do
    add ".Nm"
    add("." .. macros(row))
  end
  add ".Sh DESCRIPTION"
  add_prose(all.description)
  add_prose "Each command has its own help, such as create --help."
  add ".Bl -tag -width indent"
  for _, row in ipairs(all.options) do add_item(macros(row), row.description) end
  add_item(macros(all.help), all.help.description)
  add ".El"
end

local function add_tail()
  add ".Sh ENVIRONMENT"
  add ".Bl -tag -width indent"
  for _, entry in ipairs(ENVIRONMENT) do
    add_item("Ev " .. entry[1]:gsub(", ", " , "), entry[2])
  end
  add ".El"
  add ".Sh EXIT STATUS"
  add_paragraphs((help.exit_status "created, archived or read":gsub("^Exit status: ", ""):gsub("^0 when",
    "The status is 0 when")))
  add ".Sh SEE ALSO"
  add_prose("The documentation of version " .. VERSION .. ": docs/command.md, docs/files.md, docs/sync.md.")
end

local all = arguments.table()
local rows = rows_of(all.commands)
add_head(all)
add ".Sh COMMANDS"
for _, command in ipairs(all.commands) do add_command(command, rows) end
add_shared(rows, all.commands)
add_tail()
assert(io.stdout:write(table.concat(out, "\n"), "\n"))
