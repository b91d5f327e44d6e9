-- The C programs of spec/hosts, for specs: builds one with make, and runs it with this spec's search paths.
-- It builds for the Lua that runs the spec, into the folder of that build, and judges nothing.

local checkout = require "support.checkout"
local process = require "support.process"

local c_host = {}

-- A program that runs longer is ended, with exit code 124.
local PATIENCE_SECONDS = 120

-- The make that runs the specs may pass on variables for another build, and a sanitizer that is preloaded for
-- the code under test must not run in a compiler.
local CLEAN = { LD_PRELOAD = false, MAKEFLAGS = false, MAKEOVERRIDES = false, MFLAGS = false, BUILD = false }

local VERSION = rawget(_G, "jit") and "luajit" or _VERSION:match("[%d.]+$")

-- Flags to build programs and core with a sanitizer, each into a folder of its own.
local VARIANTS = {
  thread = {
    "VARIANT=thread-", "CC=gcc", "CFLAGS=-O1 -g -fsanitize=thread", "LDFLAGS=-fsanitize=thread",
  },
}

local function has(command)
  return process.run({ "sh", "-c", "command -v " .. command .. " >/dev/null" }, { env = CLEAN }).code == 0
end

c_host.has = has

--- What is missing to build a program, or nil.
---@return string|nil
function c_host.missing()
  for _, command in ipairs({ "make", "gcc", "pkg-config" }) do
    if not has(command) then
      return "no " .. command
    end
  end
  local package = VERSION == "luajit" and VERSION or "lua" .. VERSION
  local found = process.run({ "pkg-config", "--exists", package, "libcurl" }, { env = CLEAN })
  return found.code ~= 0 and "no headers of " .. package .. " or libcurl" or nil
end

--- Builds spec/hosts/NAME.c. Raises with the compiler's output if that fails.
---@param name string
---@param variant? "thread"
---@return string path of the program
function c_host.build(name, variant)
  local program = ("build/%s%s/hosts/%s"):format(variant and variant .. "-" or "", VERSION, name)
  local argv = { "make", "--no-print-directory", "-C", checkout.ROOT, "LUA=", "LUA_VERSION=" .. VERSION,
    program }
  for _, word in ipairs(VARIANTS[variant] or {}) do
    argv[#argv + 1] = word
  end
  local result = process.run(argv, { env = CLEAN })
  if result.code ~= 0 then
    error(name .. ".c was not built:\n" .. result.stdout .. result.stderr, 2)
  end
  return checkout.ROOT .. program
end

--- Runs a command that hosts Lua.
---@param argv string[]
---@param options? { env?: table<string, string|false>, stdin?: string }
---@return process.Result
function c_host.run(argv, options)
  options = options or {}
  local env = { LUA_PATH = package.path, LUA_CPATH = package.cpath, LUA_INIT = false, LD_PRELOAD = false }
  for _, version in ipairs({ "5_2", "5_3", "5_4" }) do
    env["LUA_PATH_" .. version], env["LUA_CPATH_" .. version] = false, false
  end
  for name, value in pairs(options.env or {}) do
    env[name] = value
  end
  -- luasocket ignores SIGPIPE in this process, and a child would inherit that.
  local all = { "timeout", PATIENCE_SECONDS, "env", "--default-signal=PIPE" }
  for _, word in ipairs(argv) do
    all[#all + 1] = word
  end
  return process.run(all, { env = env, stdin = options.stdin })
end

return c_host
