-- Owns starting the sandbox as a child process of a spec: options as a JSON
-- object in arg[1] (optional), among them `faults`, a script of sandbox/faults.lua;
-- the port on the first line of standard output, the end when standard input is at
-- its end.
-- Never decides what the account answers.

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
