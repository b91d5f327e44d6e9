-- The sandbox in a child process, for specs: starts it, configures it, and gets what it holds. It uses
-- luasocket for that, not the module under test.

local cjson = require "cjson"
local http = require "socket.http"
local ltn12 = require "ltn12"
local process = require "support.process"

local LAUNCHER = debug.getinfo(1, "S").source:match("^@(.*)sandbox%.lua$") .. "sandbox_server.lua"

local sandbox = {}

---@class sandbox.Sandbox
---@field port integer
local Sandbox = {}
Sandbox.__index = Sandbox

--- Starts a sandbox on a port of its own.
---@param options? table the account's options, those that JSON can carry; and `faults`, a script of faults
---@return sandbox.Sandbox
function sandbox.start(options)
  local argv = { "lua5.4", LAUNCHER, cjson.encode(options or {}) }
  -- The sanitizer that is preloaded for the code under test is not for the server.
  local child = process.start(argv, { env = { LD_PRELOAD = false, LUA_INIT = false } })
  return setmetatable({ child = child, port = tonumber(child.line) }, Sandbox)
end

--- The sandbox's address, without a slash at the end.
---@return string
function Sandbox:url()
  return "http://127.0.0.1:" .. self.port
end

local function request(self, method, path, body)
  local parts = {}
  local done, status = http.request({
    method = method,
    url = self:url() .. "/sandbox/" .. path,
    headers = { ["content-type"] = "application/json", ["content-length"] = #body },
    source = ltn12.source.string(body),
    sink = ltn12.sink.table(parts),
    proxy = false,
  })
  local text = table.concat(parts)
  if not done or status >= 300 then
    error(("the sandbox did not do %s %s: %s %s"):format(method, path, tostring(status), text), 3)
  end
  return text
end

--- The associations that it holds, in order: fromObjectTypeId, fromObjectId, toObjectTypeId, toObjectId,
--- associationCategory, associationTypeId.
---@return table[]
function Sandbox:associations()
  return cjson.decode(request(self, "GET", "associations", ""))
end

---@return table requests, inputs, associations, status
function Sandbox:statistics()
  return cjson.decode(request(self, "GET", "statistics", ""))
end

---@param changes table the account's options
function Sandbox:configure(changes)
  request(self, "PATCH", "options", cjson.encode(changes))
end

--- Deletes all associations, and puts the options back as they were at the start.
function Sandbox:reset()
  request(self, "POST", "reset", "")
end

function Sandbox:close()
  self.child:close()
end

return sandbox
