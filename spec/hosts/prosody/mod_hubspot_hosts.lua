-- A module of Prosody: the requests that its HTTP server handles, on Lua 5.4.

local module = module -- luacheck: globals module
local async = require "util.async"
local exercise = require "hosts.support.exercise"
local loop = require "hubspot.associations.loop.prosody"

local create = require "hosts.support.web"(loop)

local function spawn(action)
  async.runner(action):run(true)
end

module:depends "http"
module:provides("http", {
  default_path = "/",
  route = {
    ["GET /create"] = create,
    ["GET /ping"] = function() return "pong\n" end,
    ["GET /exercise"] = function()
      return exercise.text(exercise.run {
        url = exercise.url(),
        loop = loop,
        spawn = spawn,
        sleep = async.sleep,
      })
    end,
  },
})
