-- What this process holds: descriptors, Lua's memory, all memory; from Linux's /proc. Some functions run a
-- full garbage collection, as their comments say.

local process = require "support.process"

local resources = {}

--- Open descriptors.
---@return integer
---@return string what they are, for a failure
function resources.descriptors()
  -- Not by a pipe: popen may have both of its ends open while the list is made.
  local path = os.tmpname()
  os.execute("find /proc/$PPID/fd -mindepth 1 -printf '%f %l\\n' >" .. path)
  local count, list = 0, {}
  for line in io.lines(path) do
    count, list[count + 1] = count + 1, line
  end
  os.remove(path)
  return count, table.concat(list, "\n")
end

--- Collects all garbage, including what finalizers release.
function resources.collect()
  for _ = 1, 3 do
    collectgarbage()
  end
end

--- KiB that Lua holds after a full collection, without the traces that LuaJIT has compiled: how many these
--- are depends on the machine's load.
---@return number
function resources.lua_memory()
  local jit = rawget(_G, "jit")
  if jit then jit.flush() end
  resources.collect()
  return collectgarbage("count")
end

--- Resident memory of this process, in KiB.
---@return integer
function resources.resident()
  return tonumber(process.read_file("/proc/self/status"):match("VmRSS:%s*(%d+) kB"))
end

--- Whether a preloaded checker (a sanitizer, valgrind) keeps freed memory, so that resident() means nothing.
---@return boolean
function resources.is_checked()
  return (os.getenv("LD_PRELOAD") or "") ~= ""
end

return resources
