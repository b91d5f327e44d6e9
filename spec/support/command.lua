-- The command `hubspot-associations` as a process, for specs: under the interpreter that runs the spec, with
-- this checkout's modules. Whatever it says, it may say no token and show no traceback.

local exchange = require "support.exchange"
local process = require "support.process"
local raw_server = require "support.raw_server"
local responses = require "support.responses"
local sandbox = require "support.sandbox"

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

--- A result without the time that the job took, which differs from run to run.
---@param result process.Result
---@return process.Result
function command.steady(result)
  result.stdout = result.stdout:gsub("; %d+%.%d s[^\n]*", "; T")
  return result
end

--- How many lines a file has; 0 when it is not there.
---@param path string
---@return integer
function command.lines_in(path)
  local handle = io.open(path, "rb")
  if not handle then return 0 end
  local text = handle:read "*a"
  handle:close()
  return select(2, text:gsub("\n", ""))
end

--- A stream for cli.main, in this process, that keeps what is written in `text`.
---@param failure? { [1]: string, [2]: integer } why each write fails: a message and an errno
---@return table
function command.stream(failure)
  local kept = { text = "", flush = function() return true end }
  function kept.write(_, text)
    if failure then return nil, failure[1], failure[2] end
    kept.text = kept.text .. text
    return kept
  end
  return kept
end

--- Waits until the command handles signals.
---@param child process.Child
function command.wait_for_signals(child)
  local SIGTERM = 15
  exchange.eventually(function()
    local caught = process.read_file(("/proc/%d/status"):format(child.pid)):match "SigCgt:%s*%x*(%x%x%x%x)\n"
    return math.floor(tonumber(caught, 16) / 2 ^ (SIGTERM - 1)) % 2 == 1
  end, "the command to handle signals")
end

--- CSV of pairs without a header: row n links n + 1000000 to n + 2000000.
---@param count integer
---@param changed? table<integer, string> other rows
---@return string
function command.pairs_csv(count, changed)
  local lines = {}
  for row = 1, count do
    lines[row] = changed and changed[row] or ("%d,%d"):format(row + 1000000, row + 2000000)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function has(list, wanted)
  for _, value in ipairs(list) do
    if value == wanted then return true end
  end
  return false
end

--- A name that acts on a terminal, and how it is shown instead.
command.HOSTILE_NAME, command.SHOWN_NAME = "f\27]0;x\7\226\128\174.csv", "f ]0;x"

---@class command.Fixture
---@field server sandbox.Sandbox
---@field folder string

--- What the specs of a block share: a folder, a sandbox, and servers that follow a script. Its functions
--- `open`, `reset` and `close` are for setup, before_each and teardown.
---@return command.Fixture
function command.fixture()
  local fixture, servers = {}, {}

  local function close_servers()
    for _, server in ipairs(servers) do server:close() end
    servers = {}
  end

  function fixture.open()
    fixture.server = sandbox.start()
    fixture.folder = process.make_folder()
  end

  function fixture.reset()
    close_servers()
    fixture.server:reset()
    os.execute("rm -rf -- " .. process.quote(fixture.folder) .. "/*")
  end

  function fixture.close()
    close_servers()
    fixture.server:close()
    process.remove_folder(fixture.folder)
  end

  function fixture.path(name) return fixture.folder .. "/" .. name end

  function fixture.file(name, text) return process.write_file(fixture.path(name), text) end

  --- A file that other users cannot read.
  function fixture.secret_file(name, text)
    local path = fixture.file(name, text)
    process.run { "chmod", "600", path }
    return path
  end

  --- A server that follows these scripts of connections: see raw_server.
  function fixture.raw(connections, tls)
    local server = raw_server.start { connections = connections, tls = tls }
    servers[#servers + 1] = server
    return server
  end

  --- The arguments of a create against the sandbox, of type 1 where they name none. Type false: of none.
  function fixture.arguments(more, association_type)
    if association_type == nil and not has(more, "--type") then association_type = "1" end
    return command.create(fixture.server:url(), more, association_type or nil)
  end

  --- Runs that create. Options: stdin, env, type.
  function fixture.create(more, options)
    return command.run(fixture.arguments(more, options and options.type), options)
  end

  --- Runs another command against the sandbox.
  function fixture.run(name, more, options)
    local arguments = { name, "--base-url", fixture.server:url() }
    for _, word in ipairs(more) do arguments[#arguments + 1] = word end
    return command.steady(command.run(arguments, options))
  end

  --- Runs a command from contacts to companies.
  function fixture.run_on(name, more, options)
    local arguments = { "--from", "contacts", "--to", "companies" }
    for _, word in ipairs(more) do arguments[#arguments + 1] = word end
    return fixture.run(name, arguments, options)
  end

  --- Runs a create that cannot run, and says why.
  function fixture.assert_cannot_run(more, part, options)
    local result = fixture.create(more, options)
    if result.code ~= 2 or result.stdout ~= "" then error("it ran: " .. result.stdout, 2) end
    command.assert_found(result.stderr, part)
    for line in result.stderr:gmatch "[^\n]*\n" do
      command.assert_found(line, "hubspot-associations: ")
    end
  end

  --- Runs a create of these rows, one attempt a request, against a server that sends these responses in turn
  --- on one connection.
  function fixture.create_against(bytes, more, rows, options)
    local server = fixture.raw { responses.script(bytes) }
    local arguments = { "--max-attempts", "1", "--concurrency", "1" }
    for _, word in ipairs(more or {}) do arguments[#arguments + 1] = word end
    arguments[#arguments + 1] = "-"
    return command.run(command.create(server:url(), arguments, "1"), {
      stdin = rows or "101,202\n", env = options and options.env,
    }), server
  end

  --- What the sandbox's account holds, as "from/to/type", sorted.
  function fixture.held()
    local list = {}
    for number, made in ipairs(fixture.server:associations()) do
      list[number] = ("%s/%s/%d"):format(made.fromObjectId, made.toObjectId, made.associationTypeId)
    end
    table.sort(list)
    return list
  end

  function fixture.wait_for_requests(count)
    exchange.eventually(function()
      return fixture.server:statistics().requests >= count
    end, count .. " requests")
  end

  return fixture
end

return command
