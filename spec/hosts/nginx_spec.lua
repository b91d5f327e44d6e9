-- The module in nginx (lua-nginx-module), on LuaJIT.

local behaviour = require "hosts.support.behaviour"
local hosts = require "hosts.support.hosts"
local load = require "hosts.support.load"
local process = require "support.process"
local sandboxes = require "support.sandbox"

local LATENCY = 0.3 -- seconds, of every answer of the sandbox

local missing = hosts.missing({
  commands = { "nginx", "ab" },
  files = { "/usr/lib/nginx/modules/ngx_http_lua_module.so" },
  build = "luajit",
})

local function start(sandbox)
  local path, cpath = hosts.paths("luajit")
  local is_root = process.run({ "id", "-u" }).stdout == "0\n"
  return hosts.serve("luajit", function(folder, port)
    process.write_file(folder .. "/nginx.conf", hosts.filled("nginx/nginx.conf", {
      PATH = path,
      CPATH = cpath,
      PORT = port,
      USER = is_root and "user root;" or "", -- the worker has to read this checkout
    }))
    return { "nginx", "-p", folder, "-c", folder .. "/nginx.conf", "-e", "stderr" }
  end, { SANDBOX_URL = sandbox:url() })
end

describe("the loop for nginx", function()
  if missing then
    pending(missing)
    return
  end

  behaviour.of_host("nginx", function(sandbox)
    local server = start(sandbox)
    local facts = server:facts("/exercise")
    server:close()
    return facts
  end)

  -- 1,000 requests, 50 at a time, with so many seconds of latency.
  local function try(latency)
    local sandbox = sandboxes.start({ latency = latency })
    local server = start(sandbox)
    local got = load("nginx", server, sandbox, 1000, 50)
    server:close()
    sandbox:close()
    assert.same({ 1000, 0, 1000 }, { got.complete, got.failed, got.created }, got.text)
    return got
  end

  it("creates an association for each of 1,000 requests, and serves others within 50 ms", function()
    local got = try(LATENCY)
    assert.is_false(got.stalled)
    assert.is_true(got.rate > 0.7 * 50 / LATENCY, got.rate)
  end)

  it("creates an association for each of 1,000 requests when HubSpot answers at once", function()
    try(0)
  end)
end)
