-- Owns starting the sandbox as a child process of a spec: options as a JSON
-- object in arg[1] (optional), the port on the first line of standard output,
-- the end when standard input is at its end.
-- Never decides what the account answers.

local root = arg[0]:match("^(.*)/spec/support/[^/]*$") or "."
package.path = root .. "/lua/?.lua;" .. package.path

local cjson = require "cjson"
local account = require "hubspot.associations.sandbox.account"
local server = require "hubspot.associations.sandbox.server"

local options = cjson.decode(arg[1] or "{}")
options.now, options.random = server.now, math.random

local running = assert(server.listen { account = account.new(options), shutdown_on_eof = true })
print(running:port())
io.stdout:flush()
running:run()
