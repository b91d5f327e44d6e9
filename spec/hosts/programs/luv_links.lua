-- A daemon that links one pair at a time: 1,000 links a second, from 200 coroutines, for some seconds.

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"
local exercise = require "hosts.support.exercise"
local uv = require "luv"

local COROUTINES, RATE, EACH = 200, 1000, 15

local host = require "hosts.programs.uv_host"(uv)
local client = assert(associations.new {
  token = "secret",
  base_url = exercise.url(),
  loop = require "hubspot.associations.loop.luv",
})
local facts = { links = COROUTINES * EACH, linked = 0, slowest = 0 }
local started = core.now()

local function link_at(number)
  local due = started + number / RATE
  host.sleep(math.max(0, due - core.now()))
  local began = core.now()
  if client:link("contacts", "companies", { from = 10000 + number, to = 7, types = 279 }) then
    facts.linked = facts.linked + 1
  end
  facts.slowest = math.max(facts.slowest, core.now() - began)
end

for coroutine_number = 1, COROUTINES do
  host.spawn(function()
    for turn = 1, EACH do link_at((turn - 1) * COROUTINES + coroutine_number) end
  end)
end
uv.run() -- ends when no link waits
facts.elapsed = core.now() - started
io.write(exercise.text(facts))
