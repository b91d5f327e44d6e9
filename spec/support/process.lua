-- Child processes for specs: runs a command to its end, or starts a server that dies with the test. Plain Lua
-- and /bin/sh only, so that it works under Lua 5.1 to 5.4 and LuaJIT. The shell opens temporary files and
-- unlinks them before the program runs, so that none is left if the test is killed.

local process = {}

-- A child that neither prints nor ends for so long is killed: the test fails, instead of hanging.
local PATIENCE_SECONDS = 30

--- The text as one word of a shell command.
---@param text string
---@return string
function process.quote(text)
  if text:find("%z") then
    error("an argument of a program cannot hold a zero byte", 2)
  end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local quote = process.quote

-- A sanitizer that is preloaded for the code under test must not run in the tools used here: it would report
-- their leaks, and change their exit codes.
local WITHOUT_SANITIZER = "unset LD_PRELOAD\n"

local function output_of(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

--- A new, empty folder that only this user can read.
---@return string path
function process.make_folder()
  local folder = output_of(WITHOUT_SANITIZER .. 'mktemp -d "${TMPDIR:-/tmp}/hubspot-associations.XXXXXX"')
  folder = folder:gsub("\n$", "")
  if folder == "" then
    error("mktemp made no folder", 2)
  end
  return folder
end

--- Removes a folder that make_folder made, with all it holds.
---@param folder string
function process.remove_folder(folder)
  output_of(WITHOUT_SANITIZER .. "rm -rf -- " .. quote(folder))
end

--- The interpreter that runs this process, under whatever launcher.
---@return string
function process.interpreter()
  local index = 0
  while arg[index - 1] do
    index = index - 1
  end
  return arg[index]
end

--- Reads a file, byte for byte. Raises when it is not there.
---@param path string
---@return string
function process.read_file(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("*a")
  file:close()
  return bytes
end

--- Writes a file, byte for byte.
---@param path string
---@param bytes string
---@return string path
function process.write_file(path, bytes)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes))
  assert(file:close())
  return path
end

local function check_argv(argv)
  if type(argv) ~= "table" or #argv == 0 then
    error("a command is a list: the program, then its arguments", 3)
  end
end

-- The words of the command, with the changes to its environment in front.
local function command_line(argv, env)
  local words, names = {}, {}
  for name in pairs(env or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  if #names > 0 then
    words[1] = "env"
  end
  for _, name in ipairs(names) do -- env takes no -u after an assignment
    if not env[name] then
      words[#words + 1] = "-u " .. quote(name)
    end
  end
  for _, name in ipairs(names) do
    if env[name] then
      words[#words + 1] = quote(name .. "=" .. env[name])
    end
  end
  for _, argument in ipairs(argv) do
    words[#words + 1] = quote(tostring(argument))
  end
  return table.concat(words, " ")
end

local function read_to_end(file)
  local bytes = file:read("*a") or ""
  file:close()
  return bytes
end

---@class process.Result
---@field code integer exit code; 128 + n when signal n ended the program, 127 when there is no such program
---@field stdout string
---@field stderr string

--- Runs a command to its end.
---@param argv string[] the program and its arguments
---@param options? { stdin?: string, env?: table<string, string|false> } env: false removes a variable
---@return process.Result
function process.run(argv, options)
  check_argv(argv)
  options = options or {}
  local command = command_line(argv, options.env)
  local folder = process.make_folder()
  local function path(name)
    return quote(folder .. "/" .. name)
  end
  process.write_file(folder .. "/stdin", options.stdin or "")
  process.write_file(folder .. "/stdout", "")
  process.write_file(folder .. "/stderr", "")
  local stdout = assert(io.open(folder .. "/stdout", "rb"))
  local stderr = assert(io.open(folder .. "/stderr", "rb"))

  local code = output_of(table.concat({
    ("exec 3>&1 <%s >%s 4>%s 2>/dev/null"):format(path("stdin"), path("stdout"), path("stderr")),
    "LD_PRELOAD= rm -rf -- " .. quote(folder),
    "(exec " .. command .. ") 2>&4 3>&- 4>&-",
    "echo $? >&3", -- by our pipe, because popen in Lua 5.1 does not return the exit code
  }, "\n"))
  return { code = tonumber(code), stdout = read_to_end(stdout), stderr = read_to_end(stderr) }
end

--- Whether a process exists. By the shell's builtin kill: not every machine has the program.
---@param pid integer|string
---@return boolean
function process.lives(pid)
  return process.run({ "sh", "-c", 'kill -0 "$1"', "sh", tostring(pid) }).code == 0
end

---@class process.Child
---@field pid integer
---@field line string the first line that it wrote
local Child = {}
Child.__index = Child

-- Calls action; kills the process if that takes longer than PATIENCE_SECONDS.
local function guarded(pid, action)
  local guard = assert(io.popen(table.concat({
    WITHOUT_SANITIZER .. "timeout " .. PATIENCE_SECONDS .. " cat >/dev/null 2>&1",
    "[ $? -ne 124 ] || kill -s KILL " .. pid .. " 2>/dev/null",
  }, "\n"), "w"))
  local value = action()
  guard:close()
  return value
end

--- Starts a program and reads the first line of its output. Raises when there is none.
---
--- The program has to end when its stdin reaches its end, which happens in close(), and when this
--- process dies, however it dies.
---@param argv string[] the program and its arguments
---@param options? { env?: table<string, string|false> } env: false removes a variable
---@return process.Child
function process.start(argv, options)
  check_argv(argv)
  local command = command_line(argv, options and options.env)
  local folder = process.make_folder()
  local function path(name)
    return quote(folder .. "/" .. name)
  end
  process.write_file(folder .. "/stderr", "")
  process.write_file(folder .. "/code", "")
  output_of(WITHOUT_SANITIZER .. "mkfifo " .. path("stdout"))
  local stderr = assert(io.open(folder .. "/stderr", "rb"))
  local code = assert(io.open(folder .. "/code", "rb"))

  -- The inner shell prints its process id, and then becomes the program.
  local stdin = assert(io.popen(table.concat({
    ("exec 3>%s 4>%s >%s 2>/dev/null"):format(path("code"), path("stderr"), path("stdout")),
    "LD_PRELOAD= rm -rf -- " .. quote(folder),
    "(exec sh -c 'echo $$; exec \"$@\"' sh " .. command .. ") 2>&4 3>&- 4>&-",
    "echo $? >&3",
  }, "\n"), "w"))
  local stdout = assert(io.open(folder .. "/stdout", "rb")) -- waits until the shell has opened it, too

  local child = setmetatable({
    pid = tonumber(stdout:read("*l")),
    stdin = stdin,
    stdout = stdout,
    stderr = stderr,
    code = code,
  }, Child)
  child.line = guarded(child.pid, function()
    return child:read_line()
  end)
  if not child.line then
    local result = child:close()
    local said = result.stderr == "" and "nothing" or result.stderr:gsub("%s+$", "")
    error(("%s ended without a line of output (exit code %d); on stderr it said: %s")
      :format(tostring(argv[1]), result.code, said), 2)
  end
  return child
end

--- The next line that the program wrote, without its line end; waits for it. nil when there are no more.
---@return string?
function Child:read_line()
  return (self.stdout:read("*l"))
end

--- Sends a signal.
---@param signal? string such as "INT"; "TERM" by default
function Child:kill(signal)
  signal = signal or "TERM"
  self.signalled = signal
  output_of("kill -s " .. quote(signal) .. " " .. self.pid .. " 2>&1")
end

--- Closes the program's stdin and waits for its end. Calling it again gives the same result.
--- What is left on stdout must fit in a pipe (64 KiB); read lines first when there may be more.
---@return process.Result result stdout: what read_line has not taken
function Child:close()
  if self.result then
    return self.result
  end
  guarded(self.pid, function()
    return self.stdin:close()
  end)
  self.result = {
    code = tonumber(read_to_end(self.code)),
    stdout = read_to_end(self.stdout),
    stderr = read_to_end(self.stderr),
  }
  if self.result.code == 137 and self.signalled ~= "KILL" then
    error(("process %d had to be killed: it did not speak or end within %d s")
      :format(self.pid, PATIENCE_SECONDS), 2)
  end
  return self.result
end

return process
