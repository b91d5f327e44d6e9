-- The requests that nginx handles, on LuaJIT.

local ngx = ngx -- luacheck: globals ngx
local associations = require "hubspot.associations"
local exercise = require "hosts.support.exercise"
local loop = require "hubspot.associations.loop.nginx"

local create = require "hosts.support.web"(loop)
local app = {}

function app.create()
  ngx.say(create())
end

-- Without a token, there is no client.
function app.refused()
  associations.check(associations.new { loop = loop })
end

function app.exercise()
  ngx.print(exercise.text(exercise.run {
    url = exercise.url(),
    loop = loop,
    spawn = ngx.thread.spawn,
    sleep = ngx.sleep,
  }))
end

return app
