-- The command `hubspot-associations` as a process, for specs: under the interpreter that runs the spec, with
-- this checkout's modules. Whatever it says, it may say no token and show no traceback.

local process = require "support.process"

local command = {}

command.TOKEN = "pat-na1-0123456789-secret"

local ROOT = debug.getinfo(1, "S").source:match("^@(.*)spec/support/[^/]*$")

--- The launcher.
command.PATH = ROOT .. "bin/hubspot-associations"

---@param changes? table<string, string|false> false removes a variable
---@return table<string, string|false>
function command.environment(changes)
  local env = { LUA_PATH = package.path, LUA_CPATH = package.cpath, HUBSPOT_TOKEN = command.TOKEN }
  for _, version in ipairs { "5_2", "5_3", "5_4" } do
    env["LUA_PATH_" .. version], env["LUA_CPATH_" .. version] = false, false
  end
  for name, value in pairs(changes or {}) do env[name] = value end
  return env
end

--- The words of a command line.
---@param arguments string[]
---@param script? string a shell's, in which "$@" is the command
---@return string[]
function command.argv(arguments, script)
  local list = script and { "sh", "-c", script, "sh" } or {}
  list[#list + 1] = process.interpreter()
  list[#list + 1] = command.PATH
  for _, argument in ipairs(arguments) do list[#list + 1] = argument end
  return list
end

--- The arguments of a `create` from contacts to companies.
---@param url string where the service is
---@param more string[] further arguments
---@param association_type? string its --type
---@return string[]
function command.create(url, more, association_type)
  local list = { "create", "--from", "contacts", "--to", "companies", "--base-url", url }
  if association_type then
    list[#list + 1], list[#list + 2] = "--type", association_type
  end
  for _, argument in ipairs(more) do list[#list + 1] = argument end
  return list
end

--- Raises when the text does not have the part.
---@param text string
---@param part string
function command.assert_found(text, part)
  if not text:find(part, 1, true) then error(("expected %q in:\n%s"):format(part, text), 2) end
end

--- Raises when a result shows what nobody may see.
---@param result process.Result
---@return process.Result
function command.check(result)
  local said = result.stdout .. result.stderr
  assert(not said:find(command.TOKEN, 1, true), "the token was shown")
  assert(not said:find("traceback", 1, true), said)
  return result
end

--- Runs the command to its end.
---@param arguments string[]
---@param options? { stdin?: string, env?: table }
---@return process.Result
function command.run(arguments, options)
  options = options or {}
  return command.check(process.run(command.argv(arguments), {
    stdin = options.stdin,
    env = command.environment(options.env),
  }))
end

--- Starts the command, which need not say anything; its result is that of process.start's child.
---@param arguments string[]
---@return process.Child
function command.start(arguments)
  return process.start(command.argv(arguments, 'echo started; exec "$@"'), { env = command.environment() })
end

return command
