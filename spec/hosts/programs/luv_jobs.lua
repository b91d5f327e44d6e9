-- Two jobs with one client, without coroutines and without a loop of the module: stepped whenever a poll
-- handle of this program reports the descriptor readable, while a timer ticks.

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"
local exercise = require "hosts.support.exercise"
local uv = require "luv"

local TICK = 10 -- milliseconds

local client = assert(associations.new { token = "secret", base_url = exercise.url(), batch_size = 10 })
local jobs, facts = {}, { worst = 0, ticks = 0, steps = 0 }

for number = 1, 2 do
  local inputs = {}
  for index = 1, 40 do inputs[index] = { from = number * 1000 + index, to = 7, types = 279 } end
  jobs[number] = assert(client:start("contacts", "companies", inputs))
end

local timer, due = uv.new_timer(), core.now() + TICK / 1000
timer:start(TICK, TICK, function()
  local now = core.now()
  facts.worst = math.max(facts.worst, now - due)
  facts.ticks = facts.ticks + 1
  due = now + TICK / 1000
end)

local handle
local function step()
  facts.steps = facts.steps + 1
  local first, second = jobs[1]:step(), jobs[2]:step()
  if not (first and second) then return end
  for number, job in ipairs(jobs) do
    local report, err = job:result()
    assert(report, err)
    facts["created_" .. number], facts["inputs_" .. number] = report.created, report.inputs
  end
  handle:close()
  timer:close()
  client:close()
  io.write(exercise.text(facts))
end

handle = assert(uv.new_poll(jobs[1]:fd()))
assert(handle:start("r", step))
step()
uv.run()
