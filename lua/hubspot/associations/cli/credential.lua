-- The command's token: from the environment, or from a file that its user protects. Never from an argument,
-- which other users of the machine can read. No message shows the token, or text of the file.

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"
local terminal = require "hubspot.associations.cli.output.terminal"

local credential = {}

local LARGEST = 16 * 1024

-- Whether a file's group or all users may read it.
local function is_exposed(mode)
  local group, others = math.floor(mode / 32) % 2, math.floor(mode / 4) % 2 -- 0040, 0004
  return group + others > 0
end

-- A function that looks at the file, and warns once when other users may read it.
local function exposure_warning(path, stderr)
  local warned = false
  return function()
    local found = core.stat(path)
    if warned or not (found and found.type == "file" and is_exposed(found.mode)) then return end
    warned = true
    terminal.say(stderr, ("warning: %s can be read by other users; run: chmod 600 %s"):format(path, path))
  end
end

-- Why a client does not take a token; nil when it does.
local function token_problem(token)
  local client, err = associations.new { token = token }
  if not client then return err.message end
  client:close()
end

-- The token of a file; or nil and a message.
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
---@field problem string|nil after a 401: why reading the token file again did not help

-- Reads a file that may have been replaced since. A pipe is not read again: it has nothing more, or makes the
-- job wait for ever.
local function read_again(path, warn, rejected)
  local found = core.stat(path)
  if found and found.type ~= "file" then
    return nil, ("the token file %s is not a regular file: it is not read again"):format(path)
  end
  local token, why = read_file(path, warn)
  if token == rejected then
    return nil, ("the token file %s was read again: it still holds the token that was rejected"):format(path)
  end
  return token, why
end

-- The file is read at once, so that a bad one stops the command before anything is done; and after a 401.
local function from_file(path, stderr)
  local warn = exposure_warning(path, stderr)
  local token, why = read_file(path, warn)
  if not token then return nil, why end
  local self = {}
  function self.token(reason)
    if reason ~= "unauthorized" then return token end
    local renewed, problem = read_again(path, warn, token)
    token = renewed or token
    -- Shown only when the job stops for its token: then the new one was rejected.
    self.problem = problem
      or ("the token file %s was read again: its new token was rejected as well"):format(path)
    return renewed, problem
  end
  return self
end

---@param path string|nil a file that holds the token; by default, it is in HUBSPOT_TOKEN
---@param environment hubspot.associations.cli.Environment
---@return hubspot.associations.cli.Credential|nil
---@return string|nil message
function credential.read(path, environment)
  if path then return from_file(path, environment.stderr) end
  local token = environment.getenv "HUBSPOT_TOKEN"
  if token and token ~= "" then return { token = token } end
  return nil, "no token: set the environment variable HUBSPOT_TOKEN, or name a file by --token-file"
end

---The same for a dry run, which needs a token only for the names of types that the account has: it is read
---when it is asked for.
---@param path string|nil
---@param environment hubspot.associations.cli.Environment
---@return hubspot.associations.cli.Credential
function credential.read_when_asked(path, environment)
  local self, found, problem = {}, nil, nil
  function self.token(reason)
    if not found then found, problem = credential.read(path, environment) end
    if not found then return nil, problem end
    if type(found.token) == "function" then
      local token, why = found.token(reason)
      self.problem = found.problem
      return token, why
    end
    if reason == "unauthorized" then return nil, "the token was rejected" end
    return found.token
  end
  return self
end

return credential
