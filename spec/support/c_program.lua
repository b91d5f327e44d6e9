-- C for specs: the programs of spec/core, which check a file of src where Lua cannot reach, and libraries
-- that stand for the system's functions in another process.

local checkout = require "support.checkout"
local process = require "support.process"

local c_program = {}

-- A sanitizer that is preloaded for the code under test must not run in a compiler.
local CLEAN = { LD_PRELOAD = false }

local function run(argv)
  return process.run(argv, { env = CLEAN })
end

---Compiles sources, and runs the program. Raises if either fails.
---@param sources string[] from the checkout's folder
---@param flags string[] for the compiler
---@param arguments string[] for the program
---@return string|nil stdout nil if there is no compiler
function c_program.run(sources, flags, arguments)
  local compiler = os.getenv "CC" or "cc"
  if run({ "sh", "-c", "command -v " .. compiler }).code ~= 0 then return nil end
  local program = os.tmpname()
  local argv = { compiler, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program }
  for _, flag in ipairs(flags) do argv[#argv + 1] = flag end
  for _, source in ipairs(sources) do argv[#argv + 1] = checkout.ROOT .. source end
  local built = run(argv)
  local command = { program }
  for _, argument in ipairs(arguments) do command[#command + 1] = argument end
  local result = built.code == 0 and run(command)
  os.remove(program)
  assert(result, built.stderr)
  assert(result.code == 0, ("%s%s: exit code %d"):format(result.stdout, result.stderr, result.code))
  return result.stdout
end

---Compiles functions that a process may have in place of the system's.
---@param path string of the files to make, without an extension
---@param source string
---@return string|nil preload for the process's environment, LD_PRELOAD; nil if there is no compiler
function c_program.preload(path, source)
  process.write_file(path .. ".c", source)
  local built = run({ os.getenv "CC" or "cc", "-shared", "-fPIC", "-o", path .. ".so", path .. ".c" })
  if built.code ~= 0 then return nil end
  local others = os.getenv "LD_PRELOAD" or "" -- a sanitizer has to be the first
  return (others == "" and "" or others .. ":") .. path .. ".so"
end

return c_program
