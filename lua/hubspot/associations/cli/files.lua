-- The files that a command reads and writes: what can be said against them before it begins.

local core = require "hubspot.associations.core"
local part_files = require "hubspot.associations.part_file"

local files = {}

-- The file that a name or a descriptor stands for; nil for what may be shared, such as a pipe or a terminal.
local function file_id(of)
  local found = of and core.stat(of)
  return found and found.type == "file" and found.id or nil
end

-- What the command reads and writes. `of` is a path or a descriptor.
local function files_of(arguments, environment)
  local owns, list = environment.owns_process, {}
  for index, path in ipairs(arguments.files or {}) do
    list[index] = { name = "FILE", of = path ~= "-" and path or owns and 0 or nil }
  end
  for _, file in ipairs {
    { name = "--apply", of = arguments.apply },
    { name = "--token-file", of = arguments.token_file },
    { name = "--ca-file", of = arguments.ca_file },
    { name = "standard output", of = owns and 1 or nil },
    { name = "standard error", of = owns and 2 or nil },
    { name = "--failures", of = arguments.failures, is_written = true },
    { name = "--journal", of = arguments.journal, is_written = true },
    { name = "--output", of = arguments.output, is_written = true },
    { name = "--output, before it is complete", of = arguments.output and part_files.name(arguments.output),
      is_written = true },
    { name = "--plan", of = arguments.plan, is_written = true },
  } do
    list[#list + 1] = file
  end
  for _, file in ipairs(list) do file.id = file_id(file.of) end
  return list
end

local function is_same(one, other)
  if one.of == nil or other.of == nil then return false end
  return one.of == other.of or one.id ~= nil and one.id == other.id
end

-- A FILE that is given twice: its rows would be sent twice, and standard input has them only once.
local function repeated(arguments)
  local seen = {}
  for _, path in ipairs(arguments.files or {}) do
    local id = path ~= "-" and file_id(path) or path
    if seen[id] then
      return ("%s is given twice; give each FILE once"):format(path == "-" and "standard input (-)" or path)
    end
    seen[id] = true
  end
end

---Which two of the command's files are the same, where one of them is written or both are FILEs; nil when
---none are.
---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@return string|nil message
function files.conflict(arguments, environment)
  local twice = repeated(arguments)
  if twice then return twice end
  local list = files_of(arguments, environment)
  for index, one in ipairs(list) do
    for other_index = index + 1, #list do
      local other = list[other_index]
      if (one.is_written or other.is_written) and is_same(one, other) then
        local path = type(one.of) == "string" and one.of or other.of
        return ("%s and %s are the same file: %s"):format(one.name, other.name, path)
      end
    end
  end
end

---Whether the FILEs can be read more than once.
---@param arguments table as arguments.parse gives them
---@return boolean
function files.are_regular(arguments)
  for _, path in ipairs(arguments.files) do
    local found = path ~= "-" and core.stat(path)
    if not found or found.type ~= "file" then return false end
  end
  return true
end

---Whether standard input is one of the FILEs.
---@param arguments table as arguments.parse gives them
---@return boolean
function files.have_stdin(arguments)
  for _, path in ipairs(arguments.files or {}) do
    if path == "-" then return true end
  end
  return false
end

---Why a file that is given cannot be read; nil when it can, or when none is given. The first request would
---say so, too, but late.
---@param flag string
---@param path string|nil
---@return string|nil message
function files.unreadable(flag, path)
  if not path then return nil end
  local found, why = core.stat(path)
  if found and found.type ~= "file" then why = "is not a regular file" end
  local file = not why and io.open(path, "rb")
  if file then
    file:close()
    return nil
  end
  return ("%s: %s: %s"):format(flag, path, why or "cannot be read")
end

return files
