-- A script that runs in Redis: sent once, and then called by its digest. Redis forgets scripts when it
-- restarts, or is told to; then it is sent again.

local scripts = {}

---@class hubspot.associations.RedisScript
local Script = {}
Script.__index = Script

---@param connection hubspot.associations.RedisConnection
---@param source string
---@return hubspot.associations.RedisScript
function scripts.new(connection, source)
  return setmetatable({ connection = connection, source = source, digest = nil }, Script)
end

---The words of a command that runs a script.
---@param command "EVAL"|"EVALSHA"
---@param script string its source, or its digest
---@param keys string[]
---@param arguments (string|number)[]
---@param count integer|nil of the arguments
---@return (string|number)[]
function scripts.words(command, script, keys, arguments, count)
  local words = { command, script, #keys }
  for _, key in ipairs(keys) do words[#words + 1] = key end
  for index = 1, count or #arguments do words[#words + 1] = arguments[index] end
  return words
end

local function run(self, command, script, keys, ...)
  return self.connection:command(scripts.words(command, script, keys, { ... }, select("#", ...)))
end

---Runs the script.
---@param keys string[] all keys that it uses
---@param ... string|number its other arguments
---@return any reply
---@return hubspot.associations.Error|nil
function Script:call(keys, ...)
  if not self.digest then
    local digest, err = self.connection:call("SCRIPT", "LOAD", self.source)
    if err then return nil, err end
    self.digest = digest
  end
  local reply, err = run(self, "EVALSHA", self.digest, keys, ...)
  if err and err.code == "NOSCRIPT" then return run(self, "EVAL", self.source, keys, ...) end
  return reply, err
end

return scripts
