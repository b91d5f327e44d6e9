-- Starts hosts for specs: what is installed, the search paths of a build, a free port, a server that ends
-- with its spec. It judges nothing.

local process = require "support.process"
local raw_server = require "support.raw_server"
local socket = require "socket"

local hosts = {}

local function first_line(argv)
  return process.run(argv).stdout:match("[^\n]*")
end

local ROOT = first_line({ "pwd" })
local KEEPER = ROOT .. "/spec/hosts/support/keep"

hosts.root = ROOT

-- Each Lua, as builds are named: a host that is a library is tried with each.
hosts.versions = { "5.1", "5.2", "5.3", "5.4", "luajit" }

---@param version string "5.1" to "5.4", or "luajit"
---@return string command
function hosts.interpreter(version)
  return version == "luajit" and version or "lua" .. version
end

---Why a host cannot be tried here; nil when it can.
---@param needs { commands?: string[], files?: string[], build?: string, module?: string }
---@return string|nil
function hosts.missing(needs)
  for _, command in ipairs(needs.commands or {}) do
    if process.run({ "sh", "-c", 'command -v "$1"', "sh", command }).code ~= 0 then
      return command .. " is not installed"
    end
  end
  for _, file in ipairs(needs.files or {}) do
    if process.run({ "test", "-e", file }).code ~= 0 then
      return file .. " is not there"
    end
  end
  local interpreter = needs.build and hosts.interpreter(needs.build)
  if needs.module and process.run({ interpreter, "-l", needs.module, "-e", "" }).code ~= 0 then
    return needs.module .. " is not installed for " .. needs.build
  end
  if needs.build and process.run({ "test", "-e", hosts.library(needs.build) }).code ~= 0 then
    return "run make LUA_VERSION=" .. needs.build .. " first"
  end
end

---The core of a build.
---@param version string "5.1" to "5.4", or "luajit"
function hosts.library(version)
  return ROOT .. "/build/" .. version .. "/hubspot/associations/core.so"
end

---Lua's two search paths, for the module, its specs and a host's own files.
---@param version string
---@return string path
---@return string cpath
function hosts.paths(version)
  return ROOT .. "/lua/?.lua;" .. ROOT .. "/spec/?.lua;;", ROOT .. "/build/" .. version .. "/?.so;;"
end

---The environment of a host.
---@param version string
---@param changes table<string, string|false>
---@return table<string, string|false>
function hosts.environment(version, changes)
  local path, cpath = hosts.paths(version)
  local env = { LUA_PATH = path, LUA_CPATH = cpath, LUA_INIT = false, LD_PRELOAD = false }
  for name, value in pairs(changes) do
    env[name] = value
  end
  return env
end

---Reads the facts that a host printed. Raises if it did not reach its end.
---@param text string what exercise.text made, after whatever else the host said
---@param said? string what to show when it did not
---@return table<string, string|number>
function hosts.facts(text, said)
  if not ("\n" .. text):find("\nend\r?\n") then
    error("the host did not come to its end:\n" .. text .. (said or ""), 2)
  end
  local facts = {}
  for name, value in text:gmatch("([%w_]+)=([^\r\n]*)") do
    facts[name] = name:find("ids$") and value or tonumber(value) or value
  end
  return facts
end

---Runs a program of spec/hosts/programs to its end, and returns the facts that it printed.
---@param version string
---@param argv string[]
---@param env table<string, string|false>
---@return table<string, string|number>
function hosts.run(version, argv, env)
  local command = { "timeout", "30" }
  for _, word in ipairs(argv) do
    command[#command + 1] = word
  end
  local result = process.run(command, { env = hosts.environment(version, env) })
  if result.code ~= 0 then
    error(("%s ended with %d:\n%s%s"):format(argv[1], result.code, result.stdout, result.stderr), 2)
  end
  return hosts.facts(result.stdout, result.stderr)
end

---@param name string
---@return string
function hosts.program(name)
  return ROOT .. "/spec/hosts/programs/" .. name
end

---A file of spec/hosts, with @NAME@ replaced.
---@param name string
---@param values table<string, string|number>
---@return string
function hosts.filled(name, values)
  local text = process.read_file(ROOT .. "/spec/hosts/" .. name)
  return (text:gsub("@([%u_]+)@", function(word)
    return tostring(assert(values[word], word))
  end))
end

---@class hosts.Server
---@field port integer
---@field folder string its files; gone when it is closed
local Server = {}
Server.__index = Server

local function serves(port)
  local connection = socket.connect("127.0.0.1", port)
  if connection then
    connection:close()
  end
  return connection ~= nil
end

-- Another process may take the port before it is used.
local STARTS = 3

---Starts a server on a free port of loopback, and waits until it accepts connections.
---@param version string whose build it loads
---@param describe fun(folder: string, port: integer): string[] writes its configuration; returns its command
---@param env table<string, string|false>
---@return hosts.Server
function hosts.serve(version, describe, env)
  local said
  for _ = 1, STARTS do
    local folder, port = process.make_folder(), raw_server.free_port()
    local argv = describe(folder, port)
    table.insert(argv, 1, KEEPER)
    local child = process.start(argv, { env = hosts.environment(version, env) })
    local deadline = socket.gettime() + 10
    while socket.gettime() < deadline and process.lives(child.line) do
      if serves(port) then
        return setmetatable({ child = child, port = port, folder = folder }, Server)
      end
      socket.sleep(0.02)
    end
    said = child:close().stderr
    process.remove_folder(folder)
  end
  error("the server does not start: " .. said, 2)
end

---Sends a GET over a connection of its own.
---@param path string
---@return table|nil connection
---@return string|nil err
function Server:ask(path)
  local connection, err = socket.connect("127.0.0.1", self.port)
  if not connection then
    return nil, err
  end
  connection:settimeout(30)
  connection:send("GET " .. path .. " HTTP/1.0\r\nHost: localhost\r\n\r\n")
  return connection
end

---The response to what was asked.
---@param connection table from `ask`
---@return string|nil body
---@return string about the status, or why there is no response
function Server.answer(_, connection)
  local response = connection:receive("*a") or ""
  connection:close()
  local status, body = response:match("^HTTP/%S+ (%d+).-\r\n\r\n(.*)$")
  return body, status or "no response"
end

---GET over a connection of its own.
---@param path string
---@return string|nil body
---@return string about the status, or why there is no response
---@return number elapsed seconds
function Server:get(path)
  local began = socket.gettime()
  local connection, about = self:ask(path)
  local body
  if connection then
    body, about = self:answer(connection)
  end
  return body, about, socket.gettime() - began
end

---Sends several GETs at once over one connection.
---@param paths string[]
---@return string[] bodies as many as came
function Server:get_all(paths)
  local connection = assert(socket.connect("127.0.0.1", self.port))
  local bodies = {}
  connection:settimeout(5)
  for index, path in ipairs(paths) do
    paths[index] = "GET " .. path .. " HTTP/1.1\r\nHost: localhost\r\n\r\n"
  end
  connection:send(table.concat(paths))
  for index = 1, #paths do
    local length, line
    repeat
      line = connection:receive("*l")
      length = line and line:lower():match("^content%-length: *(%d+)") or length
    until not line or line == ""
    bodies[index] = length and connection:receive(tonumber(length))
  end
  connection:close()
  return bodies
end

---The facts that the server responds with at a path.
---@param path string
---@return table<string, string|number>
function Server:facts(path)
  local body, about = self:get(path)
  if about ~= "200" then
    error(("%s: %s\n%s%s"):format(path, about, body or "", self:close()), 2)
  end
  return hosts.facts(body)
end

---Ends it.
---@return string said what it said on stderr
function Server:close()
  local result = self.child:close()
  process.remove_folder(self.folder)
  return result.stderr
end

---Requests a path repeatedly while a command runs.
---@param path string
---@param argv string[]
---@return string output of the command
---@return number worst seconds that a response took
---@return integer count of responses
function Server:ask_during(path, argv)
  local file = self.folder .. "/output"
  local script = 'out=$1; shift; echo begun; "$@" >"$out" 2>&1; echo "ended $?" >>"$out"'
  local command = { "sh", "-c", script, "sh", file }
  for _, word in ipairs(argv) do
    command[#command + 1] = word
  end
  local child = process.start(command)
  local worst, count = 0, 0
  local text
  repeat
    local _, about, elapsed = self:get(path)
    if about ~= "200" then
      error(path .. ": " .. about, 2)
    end
    worst, count = math.max(worst, elapsed), count + 1
    socket.sleep(0.01)
    local output = io.open(file, "rb")
    text = output and output:read("*a") or ""
    if output then
      output:close()
    end
  until text:find("ended %d+\n$")
  child:close()
  return text, worst, count
end

---Prints a figure, below the output of the specs.
---@param text string
function hosts.tell(text)
  io.stderr:write("\n  ", text, "\n")
end

return hosts
