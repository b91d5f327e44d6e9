-- The program of the child process that support/sandbox.lua starts. arg[1] has options as a JSON object, with
-- a script of faults in `faults`. The first line of output is the port. It ends when its standard input ends.

local root = arg[0]:match("^(.*)/spec/support/[^/]*$") or "."
package.path = root .. "/lua/?.lua;" .. package.path

local cjson = require "cjson"
local account = require "hubspot.associations.sandbox.account"
local faults = require "hubspot.associations.sandbox.faults"
local server = require "hubspot.associations.sandbox.server"

local options = cjson.decode(arg[1] or "{}")
local script = {}
for number, kind in pairs(options.faults or {}) do script[tonumber(number)] = kind end
options.now, options.random, options.faults = server.now, math.random, nil

local service = faults.new(account.new(options), { random = math.random, script = script })
local running = assert(server.listen { account = service, shutdown_on_eof = true })
print(running:port())
io.stdout:flush()
running:run()
