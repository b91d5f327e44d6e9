-- The services of HAProxy, on Lua 5.3, which run tasks.

local haproxy = core -- luacheck: globals core
local exercise = require "hosts.support.exercise"
local loop = require "hubspot.associations.loop.haproxy"

local create = require "hosts.support.web"(loop, haproxy.thread)

local function service(name, respond)
  haproxy.register_service(name, "http", function(applet)
    local body = respond()
    applet:set_status(200)
    applet:add_header("content-length", tostring(#body))
    applet:start_response()
    applet:send(body)
  end)
end

service("create", create)

service("ping", function()
  return "pong\n"
end)

service("exercise", function()
  return exercise.text(exercise.run {
    url = exercise.url(),
    loop = loop,
    spawn = haproxy.register_task,
    sleep = function(seconds) haproxy.msleep(math.ceil(seconds * 1000)) end,
  })
end)
