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

local function run(self, command, script, keys, ...)
  local words, given = { command, script, #keys }, { ... }
  for _, key in ipairs(keys) do words[#words + 1] = key end
  for index = 1, select("#", ...) do words[#words + 1] = given[index] end
  return self.connection:command(words)
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
