-- A debug hook of a host, which raises in the midst of the code under test.

local raising_hook = {}

local RAISED = "a hook of the host raised"

--- Turns LuaJIT's compiler off: compiled code calls no hook.
---@return fun() restore for busted's `finally`
function raising_hook.without_jit()
  local jit = rawget(_G, "jit")
  if not jit or not jit.status() then return function() end end
  jit.off()
  jit.flush()
  return jit.on
end

--- Calls a function, and raises at an instruction of some files.
---@param number integer which of their instructions, from 1
---@param is_counted fun(source: string): any whether those of a file count
---@param action function
---@return boolean has_raised false if so many were not run
---@return boolean called as pcall returns it
---@return any result
function raising_hook.call(number, is_counted, action, ...)
  local count = 0
  debug.sethook(function()
    if not is_counted(debug.getinfo(2, "S").source) then return end
    count = count + 1
    if count < number then return end
    debug.sethook()
    error(RAISED, 0)
  end, "", 1)
  local called, result = pcall(action, ...)
  debug.sethook()
  return count == number, called, result
end

return raising_hook
