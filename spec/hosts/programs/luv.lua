-- The exercise in luv.

local exercise = require "hosts.support.exercise"
local loop = require "hubspot.associations.loop.luv" -- before luv itself, to see that it loads luv
local uv = require "luv"

local host = require "hosts.programs.uv_host"(uv)
host.url = exercise.url()
host.loop = loop
host.spawn(function()
  io.write(exercise.text(exercise.run(host)))
end)
uv.run()
