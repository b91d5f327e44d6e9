-- Where the command's token comes from: the environment, or a file that its user protects.
-- Never from an argument, which other users of the machine can read; never repeats it.

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"
local terminal = require "hubspot.associations.cli.output.terminal"

local credential = {}

local LARGEST = 16 * 1024

-- Whether a file's group, or everyone, may read it.
local function is_exposed(mode)
  local group, others = math.floor(mode / 32) % 2, math.floor(mode / 4) % 2 -- 0040, 0004
  return group + others > 0
end

-- Says so of a file that others may read, the first time that it is seen: the function looks at it.
local function exposure_warning(path, stderr)
  local told = false
  return function()
    local found = core.stat(path)
    if told or not (found and found.type == "file" and is_exposed(found.mode)) then return end
    told = true
    terminal.say(stderr, ("warning: %s can be read by other users; run: chmod 600 %s"):format(path, path))
  end
end

-- Why no client takes a token; nil when one does. The message does not repeat the token.
local function token_problem(token)
  local client, err = associations.new { token = token }
  if not client then return err.message end
  client:close()
end

-- The token of a file: or nil and a message that does not repeat what the file holds.
local function read_file(path, warn)
  local file, why = io.open(path, "rb")
  if not file then return nil, "the token file cannot be opened: " .. why end
  warn()
  local text
  text, why = file:read(LARGEST + 1)
  file:close()
  if not text and why then return nil, ("the token file %s cannot be read: %s"):format(path, why) end
  if text and #text > LARGEST then return nil, ("the token file %s is too large for a token"):format(path) end
  local token = (text or ""):gsub("[\r\n]+$", "")
  if token == "" then return nil, ("the token file %s is empty"):format(path) end
  local problem = token_problem(token)
  if problem then return nil, ("the token file %s: %s"):format(path, problem) end
  return token
end

---@class hubspot.associations.cli.Credential
---@field token string|fun(reason: "first"|"unauthorized"): string|nil, string|nil the client's option `token`
---@field problem string|nil after a 401: what came of reading the token file again

-- What may have been replaced since: a pipe would give nothing more, or make the job wait for ever.
local function read_again(path, warn, refused)
  local found = core.stat(path)
  if found and found.type ~= "file" then
    return nil, ("the token file %s is not a regular file: it is not read again"):format(path)
  end
  local token, why = read_file(path, warn)
  if token == refused then
    return nil, ("the token file %s was read again: it still holds the token that was refused"):format(path)
  end
  return token, why
end

-- The file is read at once, so that a bad one is refused before anything else is done, and again after a 401.
local function from_file(path, stderr)
  local warn = exposure_warning(path, stderr)
  local token, why = read_file(path, warn)
  if not token then return nil, why end
  local self = {}
  function self.token(reason)
    if reason ~= "unauthorized" then return token end
    local renewed, problem = read_again(path, warn, token)
    token = renewed or token
    self.problem = problem
      or ("the token file %s was read again: its new token was refused as well"):format(path) -- if it is
    return renewed, problem
  end
  return self
end

---@param path string|nil a file that holds the token; by default, HUBSPOT_TOKEN is asked
---@param environment hubspot.associations.cli.Environment
---@return hubspot.associations.cli.Credential|nil
---@return string|nil message
function credential.read(path, environment)
  if path then return from_file(path, environment.stderr) end
  local token = environment.getenv "HUBSPOT_TOKEN"
  if token and token ~= "" then return { token = token } end
  return nil, "no token: set the environment variable HUBSPOT_TOKEN, or name a file by --token-file"
end

return credential
