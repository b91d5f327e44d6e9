-- The files of the checkout, for specs that read them.

local process = require "support.process"

local checkout = {}

--- The checkout's folder, with a slash at its end.
checkout.ROOT = debug.getinfo(1, "S").source:match "^@(.*)spec/support/[^/]*$"
if checkout.ROOT == "" then checkout.ROOT = "./" end

--- The text of a file.
---@param path string
---@return string
function checkout.read(path) return process.read_file(checkout.ROOT .. path) end

--- What a shell command prints, run in the checkout: a list of its lines. Fails when the command does.
---@param command string
---@return string[]
function checkout.lines(command)
  local lines = {}
  local result = process.run { "sh", "-c", "cd " .. process.quote(checkout.ROOT) .. " && " .. command }
  assert(result.code == 0, result.stderr)
  for line in result.stdout:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end

--- The paths of files, in order.
---@param find string arguments of find, the folder first
---@return string[]
function checkout.files(find)
  local paths = checkout.lines("find " .. find .. " -type f")
  table.sort(paths)
  return paths
end

return checkout
