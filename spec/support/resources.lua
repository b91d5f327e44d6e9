-- What this process holds: descriptors, Lua's memory, all memory. Linux's /proc tells.
-- It measures and changes nothing, but for a full garbage collection where its comment says so.

local process = require "support.process"

local resources = {}

--- Open descriptors.
---@return integer
function resources.descriptors()
  -- Not through a pipe: popen may still have both its ends open when the list is made.
  local path = os.tmpname()
  os.execute("ls /proc/$PPID/fd >" .. path)
  local count = 0
  for _ in io.lines(path) do
    count = count + 1
  end
  os.remove(path)
  return count
end

--- Collects all garbage; what finalizers let go of, too.
function resources.collect()
  for _ = 1, 3 do
    collectgarbage()
  end
end

--- KiB that Lua holds after a full collection.
---@return number
function resources.lua_memory()
  resources.collect()
  return collectgarbage("count")
end

--- KiB of this process in memory.
---@return integer
function resources.resident()
  return tonumber(process.read_file("/proc/self/status"):match("VmRSS:%s*(%d+) kB"))
end

--- Whether a preloaded checker (a sanitizer, valgrind) keeps freed memory, so that resident() tells nothing.
---@return boolean
function resources.is_checked()
  return (os.getenv("LD_PRELOAD") or "") ~= ""
end

return resources
