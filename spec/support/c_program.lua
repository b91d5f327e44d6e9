-- The C programs of spec/core, which check a file of src where Lua cannot reach: compiles one as the core is
-- compiled, and runs it.

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

return c_program
