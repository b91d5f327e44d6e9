-- The machine and the versions that figures belong to.

local function first_line(command)
  local output = io.popen(command .. " 2>&1")
  local line = output and output:read "*l"
  if output then output:close() end
  return line or "unknown"
end

local function version(module)
  local found, loaded = pcall(require, module)
  return found and tostring(loaded._VERSION) or "not installed"
end

---Prints one fact to a line.
return function()
  local core = require "hubspot.associations.core"
  local socket = version "socket"
  local facts = {
    { "CPU", first_line "sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo" },
    { "cores", first_line "getconf _NPROCESSORS_ONLN" },
    { "system", first_line "uname -sr" },
    { "Lua", first_line(('"%s" -v'):format(os.getenv "LUA" or "lua")) },
    { "this module", core.VERSION },
    { "libcurl", core.LIBCURL_VERSION },
    { "lua-cjson", version "cjson" },
    { "LuaSocket", (socket:gsub("^LuaSocket ", "")) },
  }
  for _, fact in ipairs(facts) do print(("  %-12s %s"):format(fact[1], fact[2])) end
end
