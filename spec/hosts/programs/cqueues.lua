-- The exercise in cqueues; arg[1] names the loop, "cqueues" or, to see a host stall, "blocking".

local cqueues = require "cqueues"
local exercise = require "hosts.support.exercise"

local controller = cqueues.new()
controller:wrap(function()
  local facts = exercise.run {
    url = exercise.url(),
    loop = require("hubspot.associations.loop." .. arg[1]),
    spawn = function(action) controller:wrap(action) end,
    sleep = cqueues.sleep,
  }
  io.write(exercise.text(facts))
end)
assert(controller:loop())
