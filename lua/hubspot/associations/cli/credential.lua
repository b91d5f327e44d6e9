-- Where the command's token comes from: the environment, or a file that its user protects.
-- Never from an argument, which other users of the machine can read; never repeats it.

local shell = require "hubspot.associations.cli.shell"
local terminal = require "hubspot.associations.cli.terminal"

local credential = {}

local LARGEST = 16 * 1024

-- The permissions of a file as `ls` writes them ("-rw-------"). Plain Lua cannot ask; nil when ls cannot.
local function permissions(path)
  local opened, pipe = pcall(io.popen, "LC_ALL=C ls -ldL -- " .. shell.quote(path) .. " 2>/dev/null")
  if not opened or not pipe then return nil end
  local line = pipe:read "*l"
  pipe:close()
  return line
end

local function warn_if_exposed(path, stderr)
  local mode = permissions(path)
  if mode and mode:find "^....r" or mode and mode:find "^.......r" then
    terminal.say(stderr, ("warning: %s can be read by others; run: chmod 600 %s"):format(path, path))
  end
end

local function from_file(path, stderr)
  local file, why = io.open(path, "rb")
  if not file then return nil, "the token file cannot be opened: " .. why end
  warn_if_exposed(path, stderr)
  local text
  text, why = file:read(LARGEST + 1)
  file:close()
  if not text and why then return nil, ("the token file %s cannot be read: %s"):format(path, why) end
  if text and #text > LARGEST then return nil, ("the token file %s is too large for a token"):format(path) end
  local token = (text or ""):gsub("[\r\n]+$", "")
  if token == "" then return nil, ("the token file %s is empty"):format(path) end
  return token
end

---@param path string|nil a file that holds the token; by default, HUBSPOT_TOKEN is asked
---@param environment hubspot.associations.cli.Environment
---@return string|nil token
---@return string|nil message
function credential.read(path, environment)
  if path then return from_file(path, environment.stderr) end
  local token = environment.getenv "HUBSPOT_TOKEN"
  if token and token ~= "" then return token end
  return nil, "no token: set the environment variable HUBSPOT_TOKEN, or name a file by --token-file"
end

return credential
