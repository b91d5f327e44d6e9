-- Holds the shape of the source: calls go downward only, without a circle; files and functions stay short.
-- The tables at the head are the rule; docs/design.md shows them as a picture.

local checkout = require "support.checkout"

-- The layers of the Lua code, the highest first. A file may require files of its own part and of lower
-- layers. Parts that share a layer know nothing of each other. Names with a slash are folders.
local LAYERS = {
  { cli = { "cli/" } },
  { face = { "" }, sandbox = { "sandbox", "sandbox/" } },
  { client = { "client", "links", "arguments" } },
  { sync = { "sync/" }, collector = { "collector/" }, work = { "work/" } },
  { job = { "job/" }, redis = { "redis", "redis/" } },
  { session = { "session/" } },
  { api = { "api/" }, policy = { "policy/" }, loop = { "loop/" } },
  {
    words = { "errors", "options", "types", "version", "error_kinds", "explanation", "type_data", "meta" },
    files = { "part_file" },
  },
  { text = { "text/" } },
  { core = { "core", "redis_codec" } },
}

-- The command and the sandbox are users of the library: they reach it through the face, and share only its
-- words, texts and C with it, and the table of endpoints, which is data.
local USERS = { cli = true, sandbox = true }
local INSIDE = {
  client = true, sync = true, collector = true, work = true, job = true, redis = true, session = true,
  api = true, policy = true, loop = true,
}
local SHARED = { ["api/endpoints"] = true, ["redis"] = true }

-- The C code. Files that match LUA may include lua.h (by compat.h, which alone names it, but for the header
-- that is installed), those that match CURL may include curl.h; no file matches both. All others include
-- neither: specs can feed those bytes.
local LUA = {
  "^core$", "^compat$", "^hubspot%-associations$", "^body", "^bytes$", "^decode", "^file$", "^notifier$",
  "^seen$", "^signal$", "^system$", "^transport", "^redis_codec$",
}
local CURL = { "^http", "^proxy$", "^url$" }
local LUA_HEADER, CURL_HEADER = "^<l[ua][ua]%w*%.h", "^<curl/"

local LONGEST_FILE, LONGEST_FUNCTION = 500, 60
local GENERATED = {
  ["lua/hubspot/associations/meta.lua"] = true,
  ["lua/hubspot/associations/type_data.lua"] = true,
}

local MODULES = "lua/hubspot/associations"

local read = checkout.read

-- The name of a module below hubspot.associations, as a path: "api/path"; "" for the face.
local function module_of(path) return path:match("^" .. MODULES .. "/?(.*)%.lua$") end

-- The part that a module belongs to, and its layer.
local function part_of(name)
  for layer, parts in ipairs(LAYERS) do
    for part, prefixes in pairs(parts) do
      for _, prefix in ipairs(prefixes) do
        if prefix == name or prefix == name:match "^.-/" then return part, layer end
      end
    end
  end
end

-- What a Lua source requires of this library. Every string that names a module counts, so that a table of
-- names to require hides nothing; a class has such a name, too, and is left out.
local function required_by(text)
  local names, seen = {}, {}
  for name in text:gsub('__name = "[^"]*"', ""):gmatch '"hubspot%.associations%.?([%w_.]*)"' do
    local path = name:gsub("%.", "/")
    if not seen[path] then names[#names + 1] = path end
    seen[path] = true
  end
  return names
end

local function is_allowed(from, to)
  local part, layer = part_of(from)
  local other, lower = part_of(to)
  if part == nil or other == nil then return false end
  if USERS[part] and INSIDE[other] and not SHARED[to] then return false end
  return part == other or lower > layer
end

-- The circles among nodes, given what each leads to; each as "a -> b -> a".
local function circles_in(edges)
  local found, state, trail = {}, {}, {}
  local function visit(node)
    state[node] = "open"
    trail[#trail + 1] = node
    for _, next_node in ipairs(edges[node] or {}) do
      if state[next_node] == "open" then
        local first = 1
        while trail[first] ~= next_node do first = first + 1 end
        found[#found + 1] = table.concat(trail, " -> ", first) .. " -> " .. next_node
      elseif not state[next_node] then
        visit(next_node)
      end
    end
    trail[#trail] = nil
    state[node] = "done"
  end
  local nodes = {}
  for node in pairs(edges) do nodes[#nodes + 1] = node end
  table.sort(nodes)
  for _, node in ipairs(nodes) do
    if not state[node] then visit(node) end
  end
  return found
end

-- The functions of the Lua files that are too long, by the first line of each. One file at a time: luac5.4 of
-- Debian 12 crashes when it is given many.
local function long_lua_functions()
  local found = {}
  local listing = checkout.lines "find lua -name '*.lua' -exec luac5.4 -l -p {} ';' | grep '^function'"
  assert(#listing > 0)
  for _, line in ipairs(listing) do
    local path, first, last = line:match "^function <(.-):(%d+),(%d+)>"
    if last - first + 1 > LONGEST_FUNCTION then
      local count, start = 0, nil
      for source_line in (read(path) .. "\n"):gmatch "(.-)\n" do
        count = count + 1
        if count == tonumber(first) then start = source_line:match "^%s*(.-)%s*$" end
      end
      found[#found + 1] = ("%s: over 60 lines: %s"):format(path, start)
    end
  end
  return found
end

-- The functions of a C file that are too long. clang-format puts the braces around a function's body at the
-- beginning of a line, and no others.
local function long_c_functions(path)
  local found, count, start, before = {}, 0, nil, nil
  for line in (read(path) .. "\n"):gmatch "(.-)\n" do
    count = count + 1
    if line == "{" then
      start = { line = count, name = before:match "([%w_]+)%(" or before }
    elseif line:find "^}" and start then
      local is_long = count - start.line + 1 > LONGEST_FUNCTION
      if is_long then found[#found + 1] = path .. ": over 60 lines: " .. start.name end
      start = nil
    end
    if line:find "^[%a_].*%(" then before = line end
  end
  return found
end

local lua_files = checkout.files "lua -name '*.lua'"
local c_files = checkout.files "src -name '*.[ch]'"

describe("the layers", function()
  it("have each Lua file in one of them", function()
    local violations = {}
    for _, path in ipairs(lua_files) do
      if not part_of(module_of(path)) then violations[#violations + 1] = path .. ": of no layer" end
    end
    assert.same({}, violations)
  end)

  it("are called downward only", function()
    local violations = {}
    for _, path in ipairs(lua_files) do
      for _, name in ipairs(required_by(read(path))) do
        if not is_allowed(module_of(path), name) then
          violations[#violations + 1] = module_of(path) .. " -> " .. name
        end
      end
    end
    assert.same({}, violations)
  end)

  it("leave all requests to session/, and connections to redis/, which alone open transports", function()
    local violations, may_open = {}, { session = true, redis = true }
    for _, path in ipairs(lua_files) do
      local part = part_of(module_of(path))
      if read(path):find("core%.transport") and not may_open[part] then violations[#violations + 1] = path end
    end
    assert.same({}, violations)
  end)

  it("have no circle within a part", function()
    local edges = {}
    for _, path in ipairs(lua_files) do edges[module_of(path)] = required_by(read(path)) end
    assert.same({}, circles_in(edges))
  end)
end)

describe("the C files", function()
  local includes = {} -- file name -> what it includes, with " or < in front
  for _, path in ipairs(c_files) do
    local list = {}
    for name in ("\n" .. read(path)):gmatch '\n%s*#%s*include%s+(["<][^">\n]+)' do list[#list + 1] = name end
    includes[path:match "[^/]+$"] = list
  end

  local function matches(file, patterns)
    for _, pattern in ipairs(patterns) do
      if file:gsub("%.[ch]$", ""):find(pattern) then return true end
    end
    return false
  end

  -- Whether a file includes what is wanted, itself or by its headers.
  local function reaches(file, wanted, seen)
    seen = seen or {}
    seen[file] = true
    for _, name in ipairs(includes[file] or {}) do
      if name:find(wanted) then return true end
      local header = name:match '^"(.*)'
      if header and not seen[header] and reaches(header, wanted, seen) then return true end
    end
    return false
  end

  it("know Lua or libcurl only where they may", function()
    local violations = {}
    local function forbid(is_wrong, file, what)
      if is_wrong then violations[#violations + 1] = file .. " includes " .. what end
    end
    for file, list in pairs(includes) do
      forbid(reaches(file, LUA_HEADER) and not matches(file, LUA), file, "lua.h")
      forbid(reaches(file, CURL_HEADER) and not matches(file, CURL), file, "curl.h")
      for _, name in ipairs(list) do
        forbid(name:find(LUA_HEADER) and file ~= "compat.h" and file ~= "hubspot-associations.h", file, name)
      end
    end
    assert.same({}, violations)
  end)

  it("include each other in no circle", function()
    local function unit_of(file) return (file:gsub("%.[ch]$", ""):gsub("_private$", "")) end
    local edges = {} -- between units: a .c file with its headers
    for file, list in pairs(includes) do
      local unit = unit_of(file)
      edges[unit] = edges[unit] or {}
      for _, name in ipairs(list) do
        local other = name:match '^"(.*)'
        if other and unit_of(other) ~= unit then table.insert(edges[unit], unit_of(other)) end
      end
    end
    assert.same({}, circles_in(edges))
  end)
end)

describe("the length", function()
  it("of a file is 500 lines at most", function()
    local violations = {}
    for _, list in ipairs { lua_files, c_files } do
      for _, path in ipairs(list) do
        local _, count = read(path):gsub("\n", "")
        if count > LONGEST_FILE and not GENERATED[path] then
          violations[#violations + 1] = path .. ": over 500 lines"
        end
      end
    end
    assert.same({}, violations)
  end)

  it("of a function is 60 lines at most", function()
    local violations = long_lua_functions()
    for _, path in ipairs(c_files) do
      for _, found in ipairs(long_c_functions(path)) do violations[#violations + 1] = found end
    end
    assert.same({}, violations)
  end)
end)
