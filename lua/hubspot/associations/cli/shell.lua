-- What plain Lua cannot ask of the system, asked of the shell. Asks only: changes nothing.

local shell = {}

---A text as one word of a shell command.
---@param text string without NUL
---@return string
function shell.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

---Whether a condition of `test` holds.
---@param condition string
---@return boolean
function shell.test(condition)
  local result = os.execute("test " .. condition)
  return result == true or result == 0 -- Lua 5.1 gives the exit status
end

---Whether two names are of one file that exists.
---@param one string
---@param other string
---@return boolean
function shell.same_file(one, other)
  return shell.test(("%s -ef %s"):format(shell.quote(one), shell.quote(other)))
end

return shell
