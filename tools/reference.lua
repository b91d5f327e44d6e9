-- The reference: what the annotations (LuaCATS) of the source say of the public classes and functions, as
-- tables in the pages of docs/, and as lua/hubspot/associations/meta.lua for language servers. The
-- annotations are the one source. `make reference` writes both; spec/documents/reference_spec.lua compares.
--
-- In a page, a table stands between <!-- reference: NAME --> and <!-- end of reference -->, where NAME is a
-- class, `NAME methods`, `calls` or `jobs`.

local PREFIX = "hubspot.associations."
local SOURCE = "lua/hubspot/associations/"
local META = SOURCE .. "meta.lua"

-- The files with the public classes and functions, in the order of meta.lua.
local FILES = {
  "options.lua", "client.lua", "api/response.lua", "api/rate_limit.lua", "session/call.lua",
  "session/session.lua", "session/events.lua", "job/job.lua", "job/runner.lua", "sync/tally.lua",
  "sync/runner.lua", "collector/collector.lua", "redis/budget.lua",
  "redis/queue.lua", "work/worker.lua", "errors.lua",
}

local PUBLIC = {}
for name in ([[
  Options JobOptions SyncOptions Failure BatchReport RecordPage SyncPlan Loop Id Type Types Input Inputs
  Source Client BatchResponse RateLimit CallInfo Connection Event Report Runner SyncReport SyncRunner
  CollectorOptions Collector Budget SharedQueue WorkOptions WorkReport Error
]]):gmatch "%S+" do PUBLIC[PREFIX .. name] = true end

-- Classes whose methods are public, by the name that they have in their file.
local METHODS_OF = {
  ["client.lua"] = { Client = "Client" },
  ["job/runner.lua"] = { Runner = "Runner" },
  ["sync/runner.lua"] = { Runner = "SyncRunner" },
  ["collector/collector.lua"] = { Collector = "Collector" },
}
-- Functions of the module itself.
local FUNCTIONS = { ["client.lua"] = { new = true }, ["errors.lua"] = { ["errors.check"] = true } }

local reference = { META = META }

-- ---- reading the annotations ----

-- Divides "TYPE text" behind the type: at a space that stands in no bracket and behind no comma or colon.
local function divide(text)
  local depth, last = 0, ""
  for at = 1, #text do
    local byte = text:sub(at, at)
    if byte:find "[%(%[{<]" then depth = depth + 1 end
    if byte:find "[%)%]}>]" then depth = depth - 1 end
    if byte == " " and depth == 0 and not last:find "[,:|]" then
      return text:sub(1, at - 1), text:sub(at + 1)
    end
    if byte ~= " " then last = byte end
  end
  return text, ""
end

-- The lines of a comment, each tag with its continuation lines as one.
local function joined(lines)
  local whole = {}
  for _, line in ipairs(lines) do
    if line:find "^  " and #whole > 0 and whole[#whole]:find "^@" then
      whole[#whole] = whole[#whole] .. line:gsub("^ +", " ")
    else
      whole[#whole + 1] = line
    end
  end
  return whole
end

-- What a comment says: its text, its class or aliases, and the fields, params and returns with their types.
local function comment_of(lines)
  local read = { text = {}, fields = {}, params = {}, returns = {}, aliases = {}, generics = {} }
  for _, line in ipairs(joined(lines)) do
    local tag, rest = line:match "^@(%a+) (.*)$"
    if tag == "class" then
      local name, text = rest:match "^([%w_%.]+)(.*)$"
      read.class = { name = name, text = text ~= "" and { text:match "^ ?(.*)$" } or read.text, fields = {} }
      read.text = {}
    elseif tag == "alias" then
      local name, what = rest:match "^(%S+) (.*)$"
      if name then
        local kind, text = divide(what)
        read.aliases[#read.aliases + 1] = { name = name, type = kind, text = text }
      end
    elseif tag == "field" and read.class then
      local name, what = rest:match "^(%S+) (.*)$"
      local kind, text = divide(what)
      table.insert(read.class.fields, { name = name, type = kind, text = text })
    elseif tag == "param" then
      local name, what = rest:match "^(%S+) (.*)$"
      local kind, text = divide(what)
      table.insert(read.params, { name = name, type = kind, text = text })
    elseif tag == "return" then
      table.insert(read.returns, rest)
    elseif tag == "generic" then
      table.insert(read.generics, rest)
    elseif not tag then
      table.insert(read.text, line)
    end
  end
  return read
end

local function read_file(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- Adds what a comment and the line of code behind it declare.
local function declare(all, file, read, code)
  for _, alias in ipairs(read.aliases) do
    if PUBLIC[alias.name] then table.insert(all.types, alias) end
  end
  if read.class and PUBLIC[read.class.name] then
    local known = all.classes[read.class.name]
    if known then
      for _, field in ipairs(read.class.fields) do table.insert(known.fields, field) end
      if #known.text == 0 then known.text = read.class.text end
    else
      all.classes[read.class.name] = read.class
      read.class.methods = {}
      table.insert(all.types, read.class)
    end
  end
  read.code = code
  local owner, name = code:match "^function ([%w_]+):([%w_]+)%("
  local class = owner and (METHODS_OF[file] or {})[owner]
  if class then
    read.name = name
    table.insert(all.classes[PREFIX .. class].methods, read)
    return
  end
  name = code:match "^local function ([%w_]+)%(" or code:match "^function ([%w_%.]+)%("
  if name and (FUNCTIONS[file] or {})[name] then
    read.name = name:match "[%w_]+$"
    table.insert(all.functions, read)
  end
end

---All public classes, aliases and functions, as the sources declare them.
---@param root string the project's folder, with a slash
---@return table { types (classes and aliases in order), classes (by name), functions }
function reference.read(root)
  local all = { types = {}, classes = {}, functions = {} }
  for _, file in ipairs(FILES) do
    local lines = {}
    for line in (read_file(root .. SOURCE .. file) .. "\n"):gmatch "([^\n]*)\n" do
      local comment = line:match "^%-%-%-(.*)$"
      if comment then
        lines[#lines + 1] = comment
      else
        if #lines > 0 then declare(all, file, comment_of(lines), line) end
        lines = {}
      end
    end
  end
  return all
end

-- ---- writing meta.lua ----

local function add(lines, text) lines[#lines + 1] = text end

-- Text as comment lines of at most 110 columns.
local function add_text(lines, text)
  local line = "---"
  for word in text:gmatch "%S+" do
    if #line + #word + 1 > 110 then
      add(lines, line)
      line = "---"
    end
    line = line .. (line == "---" and "" or " ") .. word
  end
  if line ~= "---" then add(lines, line) end
end

local function add_function(lines, owner, separator, declared)
  local names = {}
  add_text(lines, table.concat(declared.text, " "))
  for _, generic in ipairs(declared.generics) do add(lines, "---@generic " .. generic) end
  for _, param in ipairs(declared.params) do
    add(lines, (("---@param %s %s %s"):format(param.name, param.type, param.text):gsub(" +$", "")))
    names[#names + 1] = param.name:match "^[^?]+"
  end
  for _, one in ipairs(declared.returns) do add(lines, "---@return " .. one) end
  add(lines, ("function %s%s%s(%s) end"):format(owner, separator, declared.name, table.concat(names, ", ")))
  add(lines, "")
end

local function add_class(lines, class)
  add_text(lines, table.concat(class.text, " "))
  add(lines, "---@class " .. class.name)
  for _, field in ipairs(class.fields) do
    add_text(lines, field.text)
    add(lines, ("---@field %s %s"):format(field.name, field.type))
  end
  if #class.methods > 0 then
    local name = class.name:match "%w+$"
    add(lines, ("local %s = {}"):format(name))
    add(lines, "")
    for _, method in ipairs(class.methods) do add_function(lines, name, ":", method) end
  else
    add(lines, "")
  end
end

---The text of meta.lua.
---@param all table what `read` returns
---@return string
function reference.meta(all)
  local lines = {
    "---@meta hubspot.associations",
    "-- For language servers: never loaded. Made by `make reference` from the annotations of the source.",
    "-- luacheck: no max line length, no unused",
    "",
  }
  for _, declared in ipairs(all.types) do
    if declared.fields then
      add_class(lines, declared)
    else
      add_text(lines, declared.text)
      add(lines, ("---@alias %s %s"):format(declared.name, declared.type))
      add(lines, "")
    end
  end
  add(lines, "local associations = {}")
  add(lines, "")
  add(lines, "---The module's version.")
  add(lines, "---@type string")
  add(lines, 'associations.VERSION = ""')
  add(lines, "")
  for _, declared in ipairs(all.functions) do add_function(lines, "associations", ".", declared) end
  add(lines, "return associations")
  return table.concat(lines, "\n") .. "\n"
end

-- ---- writing the tables ----

local function cell(text)
  return (text:gsub(PREFIX:gsub("%.", "%%."), ""):gsub("|", "\\|"))
end

local function code(text)
  return "`" .. cell(text) .. "`"
end

-- A default as a table shows it.
local function shown(value)
  if value == nil then return "none" end
  return "`" .. (type(value) == "string" and ("%q"):format(value) or tostring(value):gsub("%.0$", "")) .. "`"
end

local function table_of(head, rows)
  local lines = { "| " .. table.concat(head, " | ") .. " |", "|" .. (" --- |"):rep(#head) }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = ("| " .. table.concat(row, " | ") .. " |"):gsub(" +|", " |")
  end
  return table.concat(lines, "\n")
end

local function fields_table(class, defaults)
  local rows = {}
  for _, field in ipairs(class.fields) do
    if defaults then
      local kind = field.type:find "fun%(" and field.type or field.type:gsub("|nil$", "")
      local is_required = field.text:find "^required: " ~= nil
      local default = is_required and "required" or shown(defaults[field.name])
      rows[#rows + 1] = { code(field.name), default, code(kind), cell((field.text:gsub("^required: ", ""))) }
    else
      rows[#rows + 1] = { code(field.name), code(field.type), cell(field.text) }
    end
  end
  local head = defaults and { "option", "default", "type", "meaning" } or { "field", "type", "meaning" }
  return table_of(head, rows)
end

-- The arguments of "fun(self, from: string, …)", by their names.
local function arguments_of(kind)
  local list, names = kind:match "^fun(%b())", {}
  repeat
    local count
    list, count = list:sub(1, 1) .. list:sub(2):gsub("%b{}", ""):gsub("%b()", ""), 0
  until count == 0
  for name in list:gmatch "([%w_]+):" do names[#names + 1] = name end
  return table.concat(names, ", ")
end

local function calls_table(all, is_wanted)
  local rows = {}
  for _, field in ipairs(all.classes[PREFIX .. "Client"].fields) do
    if is_wanted(field.name) then
      local call = ("client:%s(%s)"):format(field.name, arguments_of(field.type))
      rows[#rows + 1] = { code(call), cell(field.text) }
    end
  end
  return table_of({ "method", "what it does" }, rows)
end

local function methods_table(class)
  local rows = {}
  for _, method in ipairs(class.methods) do
    local names = {}
    for _, param in ipairs(method.params) do names[#names + 1] = param.name end
    local returns = {}
    for _, one in ipairs(method.returns) do returns[#returns + 1] = code((divide(one))) end
    local signature = ("%s(%s)"):format(method.name, table.concat(names, ", "))
    rows[#rows + 1] = { code(signature), table.concat(returns, ", "), cell(table.concat(method.text, " ")) }
  end
  return table_of({ "method", "returns", "what it does" }, rows)
end

local function is_job(name) return name:find "_all$" ~= nil and name ~= "list_all" end

---The table of a name in a page.
---@param all table what `read` returns
---@param name string
---@return string
function reference.table(all, name)
  local options = require "hubspot.associations.options"
  local defaults = {
    Options = function() return options.read {} end,
    JobOptions = function() return options.read_job {} end,
    SyncOptions = function() return options.read_sync({}, "", 1) end,
    CollectorOptions = function() return options.read_collector {} end,
  }
  if name == "calls" then return calls_table(all, function(method) return not is_job(method) end) end
  if name == "jobs" then return calls_table(all, is_job) end
  local methods = name:match "^(%w+) methods$"
  local class = assert(all.classes[PREFIX .. (methods or name)], "there is no class " .. name)
  if methods then return methods_table(class) end
  return fields_table(class, defaults[name] and defaults[name]())
end

---A page with its tables made anew.
---@param all table what `read` returns
---@param text string
---@return string
function reference.page(all, text)
  return (text:gsub("(<!%-%- reference: ([%w ]-) %-%->\n).-(<!%-%- end of reference %-%->)",
    function(first, name, last)
      return first .. "\n" .. reference.table(all, name) .. "\n\n" .. last
    end))
end

return reference
