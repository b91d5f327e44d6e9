-- Checks of arguments. Each takes the text of one, and returns its value, or nil and what was expected.
-- What depends on a file, the environment or another argument is checked elsewhere.

local association_types = require "hubspot.associations.cli.association_types"
local core = require "hubspot.associations.core"
local library_options = require "hubspot.associations.options"
local one_line = require "hubspot.associations.text.one_line"
local redis_names = require "hubspot.associations.text.redis_names"

local checks = {}

local MOST_SECONDS = 1000000

---@alias hubspot.associations.cli.Check fun(text: string): any, string|nil

local function integer_of(text)
  return #text <= 15 and text:find "^%d+$" and tonumber(text)
end

---@param least integer
---@param most integer
---@return hubspot.associations.cli.Check
function checks.integer(least, most)
  local expected = ("expected a whole number from %d to %d"):format(least, most)
  return function(text)
    local value = integer_of(text)
    if value and value >= least and value <= most then return value end
    return nil, expected
  end
end

function checks.seconds(text)
  local value = text:find "^[%d.]+$" and tonumber(text)
  if value and value <= MOST_SECONDS then return value end
  return nil, ("expected a number of seconds, %d at most"):format(MOST_SECONDS)
end

function checks.positive_seconds(text)
  local value, expected = checks.seconds(text)
  if value and value > 0 then return value end
  return nil, expected or "expected a positive number of seconds"
end

-- "100" -> 100, "5%" -> "5%"
function checks.max_removals(text)
  return checks.option "max_removals"(integer_of(text) or text)
end

-- The value stays text: --category says which category a number has.
function checks.association_type(text)
  local types, expected = association_types.read(text, "HUBSPOT_DEFINED")
  return types and text, expected
end

function checks.category(text)
  if core.is_category(text) then return text end
  return nil, "expected a category in upper case, such as USER_DEFINED"
end

-- A file that cannot be a standard stream: for FILE, "-" means one, so that as a name it is a mistake.
function checks.file_name(text)
  if text == "" then return nil, "expected the name of a file" end
  if text ~= "-" then return text end
  return nil, "expected the name of a file (./- is one)"
end

local IS_FORMAT = { table = true, csv = true, jsonl = true, text = true }

-- A word that says how, in place of where, would become the name of a file.
function checks.output_file(text)
  if not IS_FORMAT[text] then return checks.file_name(text) end
  return nil, ("expected the name of a file (./%s is one; --output-format %s says how to write)"):format(
    text, text)
end

function checks.record_id(text)
  if core.is_record_id(text) then return text end
  return nil, "expected a record id (1 to 19 digits)"
end

function checks.file_or_stream(text)
  if text ~= "" then return text end
  return nil, "expected the name of a file, or - for standard input"
end

function checks.column_name(text)
  if text:find "[^ \t-\r]" then return text end
  return nil, "expected the name of a column"
end

-- Arguments can be read by other users of the machine.
function checks.redis_url(text)
  if text:find("@", 1, true) then
    return nil, "a URL with a password belongs in the environment variable HUBSPOT_REDIS, as arguments can "
      .. "be read by others"
  end
  if text:find "^[Rr][Ee][Dd][Ii][Ss][Ss]?://." then return text end
  return nil, "expected redis[s]://host[:port][/database]"
end

-- The name of a queue or a budget.
function checks.shared_name(text)
  if redis_names.is_shared(text) then return text end
  return nil, "expected " .. redis_names.SHARED
end

function checks.letter_id(text)
  if redis_names.is_entry_id(text) then return text end
  return nil, "expected an id as queue --failed shows it, such as 1764364800000-0"
end

-- What separates values in one cell: nothing that an id, an email or a domain may have.
function checks.separator(text)
  if text:find "^[;,|/ \t\n]$" then return text end
  return nil, "expected one of ; , | / or a space, a tab or a newline"
end

-- An object type becomes part of a path of HubSpot's, of a journal, and of messages.
function checks.object_type(text)
  local is_dots = text == "." or text == ".."
  local has_margin = text:find "^[ \t-\r]" or text:find "[ \t-\r]$"
  if text ~= "" and not is_dots and not has_margin and one_line(text) == text then return text end
  return nil, "expected an object type, such as contacts or 0-1"
end

---The check of the library's option of this name.
---@param name string
---@return hubspot.associations.cli.Check
function checks.option(name)
  return function(value)
    local expected = library_options.expected(name, value)
    if expected then return nil, "expected " .. expected end
    return value
  end
end

---The same for an option that is a whole number.
---@param name string
---@return hubspot.associations.cli.Check
function checks.integer_option(name)
  local check = checks.option(name)
  return function(text)
    return check(integer_of(text) or text)
  end
end

---The same for an option that names a file.
---@param name string
---@return hubspot.associations.cli.Check
function checks.option_file(name)
  local check = checks.option(name)
  return function(text)
    local path, expected = checks.file_name(text)
    if not path then return nil, expected end
    return check(text)
  end
end

-- A made-up token of the sandbox: one that a client can send.
function checks.token(text)
  if text:find "^[A-Za-z0-9%-%._~%+/=]+$" then return text end
  return nil, "expected a token (letters, digits and - . _ ~ + / =)"
end

-- "3:secondly,6:lost_response" -> { [3] = "secondly", [6] = "lost_response" }
function checks.faults(text)
  local kinds, is_kind, script = require "hubspot.associations.sandbox.faults".kinds(), {}, {}
  for _, kind in ipairs(kinds) do is_kind[kind] = true end
  for entry in (text .. ","):gmatch "([^,]*)," do
    local number, kind = entry:match "^(%d+):([A-Za-z0-9_]+)$"
    if not is_kind[kind] then
      return nil, "expected N:KIND,..., KIND one of " .. table.concat(kinds, ", ")
    end
    script[tonumber(number)] = kind
  end
  return script
end

return checks
