-- The requests that nginx handles, on LuaJIT.

local ngx = ngx -- luacheck: globals ngx
local associations = require "hubspot.associations"
local exercise = require "hosts.support.exercise"
local loop = require "hubspot.associations.loop.nginx"

local create, link = require "hosts.support.web"(loop)
local app = {}

-- A thread, and what kills it.
local function spawn(action)
  local thread = ngx.thread.spawn(action)
  return function() ngx.thread.kill(thread) end
end

function app.create()
  ngx.say(create())
end

function app.link()
  ngx.say(link())
end

local queue

-- Adds a link to a queue on Redis.
function app.add()
  local redis = require "hubspot.associations.redis"
  queue = queue or assert(redis.queue { url = os.getenv "REDIS_URL", name = "nginx", loop = loop })
  local id, err = queue:add("contacts", "companies", { from = ngx.var.arg_contact, to = 7, types = 279 })
  if not id then error(tostring(err), 0) end
  ngx.print(id)
end

-- Without a token, there is no client.
function app.refused()
  associations.check(associations.new { loop = loop })
end

function app.exercise()
  ngx.print(exercise.text(exercise.run {
    url = exercise.url(),
    loop = loop,
    spawn = spawn,
    sleep = ngx.sleep,
  }))
end

return app
