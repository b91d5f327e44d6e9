-- The module in nginx (lua-nginx-module), on LuaJIT.

local behaviour = require "hosts.support.behaviour"
local hosts = require "hosts.support.hosts"
local load = require "hosts.support.load"
local process = require "support.process"
local redis_server = require "support.redis_server"
local sandboxes = require "support.sandbox"
local socket = require "socket"

local LATENCY = 0.3 -- seconds, of every response of the sandbox

local missing = hosts.missing({
  commands = { "nginx", "ab" },
  files = { "/usr/lib/nginx/modules/ngx_http_lua_module.so" },
  build = "luajit",
})

local function start(sandbox, env)
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
  end, env or { SANDBOX_URL = sandbox:url() })
end

-- Each of 100 requests in flight adds to a queue on Redis. Returns what they were told, and what is there.
local function add_100()
  local redis = redis_server.start()
  local server = start(nil, { REDIS_URL = redis:url() })
  local asked, told, found = {}, {}, {}
  for contact = 1, 100 do asked[contact] = server:ask("/add?contact=" .. contact) end
  for contact, connection in ipairs(asked) do
    local id, status = server:answer(connection)
    told[contact] = status .. " " .. id
  end
  server:close()
  local queue = assert(require "hubspot.associations.redis".queue { url = redis:url(), name = "nginx" })
  for _, entry in ipairs(queue:read(assert(queue:hold("", {}, 10, false)).held, 100)) do
    found[tonumber(entry.input.from)] = ("200 %s-%s"):format(entry.id, entry.stream)
  end
  queue:close()
  redis:close()
  return told, found
end

describe("the loop for nginx", function()
  if missing then
    pending(missing)
    return
  end

  behaviour.of_server("nginx", start)

  it("is told in the log why there is no client", function()
    local server = start { url = function() return "http://127.0.0.1:1" end }
    local _, status = server:get("/refused")
    local said = server:close()
    assert.equal("500", status)
    assert.matches("token: no token: set the option `token`", said, 1, true)
  end)

  it("creates an association for each of 1,000 requests, and serves others within 50 ms", function()
    local got = load("nginx", start, LATENCY, 1000, 50)
    assert.is_false(got.stalled)
    assert.is_true(got.rate > 0.7 * 50 / LATENCY, got.rate)
  end)

  it("creates an association for each of 1,000 requests when HubSpot responds at once", function()
    load("nginx", start, 0, 1000, 50)
  end)

  it("links a pair for each of 5,000 requests, under a limit of 100 requests in 10 seconds", function()
    local got = load("nginx, links", start, 0.05, 5000, 100, {
      path = "/link",
      rate = { limit = 100, interval = 10 },
    })
    hosts.tell(("nginx, links: %.1f s, %d requests to HubSpot"):format(got.elapsed, got.asked))
    assert.is_true(got.elapsed < 20, got.elapsed)
  end)

  it("adds to a queue on Redis for each of 100 requests in flight, and responds to each", function()
    local lacks = redis_server.missing()
      or hosts.missing { files = { hosts.root .. "/build/luajit/hubspot/associations/redis_codec.so" } }
    if lacks then
      pending(lacks)
      return
    end
    local told, found = add_100()
    assert.same(told, found)
  end)

  it("loses no link of others when clients go away", function()
    local sandbox = sandboxes.start({ latency = LATENCY })
    local server = start(sandbox)
    local asked = {}
    for index = 1, 10 do
      asked[index] = server:ask("/link")
      socket.sleep(0.01)
    end
    for _, index in ipairs({ 1, 2, 5 }) do -- the first is in flight, the second leads those that wait
      asked[index]:close()
      asked[index] = nil
    end
    local answered = 0
    for _, connection in pairs(asked) do
      local _, status = server:answer(connection)
      assert.equal("200", status)
      answered = answered + 1
    end
    server:close()
    sandbox:close()
    assert.equal(7, answered)
  end)
end)
