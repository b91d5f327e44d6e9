-- The program of the process that hubspot.associations.sandbox starts: serves an account, and answers
-- questions about it. A question is a line of JSON on standard input, the response a line on standard output.
-- The first line has the options, and its response the address. It ends when standard input ends.

local account = require "hubspot.associations.sandbox.account"
local faults = require "hubspot.associations.sandbox.faults"
local json = require "hubspot.associations.sandbox.json"

local METHODS = {
  associations = true, configure = true, count = true, has = true, reset = true, statistics = true,
}

local function respond(value)
  io.stdout:write(json.encode(value), "\n")
  io.stdout:flush()
end

-- JSON has no number as a name of a field.
local function with_text_keys(statistics)
  local by_status = {}
  for status, count in pairs(statistics.status) do by_status[("%d"):format(status)] = count end
  statistics.status = by_status
  return statistics
end

local function with_defaults(changes)
  for name, value in pairs(changes) do
    if value == json.null then changes[name] = account.DEFAULT end
  end
  return changes
end

local function answer(subject, line)
  local question = json.decode(line)
  local method, given = question.method, question.arguments
  if not METHODS[method] then return { message = "no such method: " .. tostring(method) } end
  if method == "configure" then given[1] = with_defaults(given[1]) end
  local called, result = pcall(subject[method], subject,
    given[1], given[2], given[3], given[4], given[5], given[6])
  if not called then return { message = (tostring(result):gsub("^[^:]*:%d+: ", "")) } end
  if method == "statistics" then result = with_text_keys(result) end
  return { result = result }
end

local function serve(server)
  local first = json.decode(io.read "*l")
  local given, script = with_defaults(first.options), {}
  given.now, given.random = server.now, math.random
  for number, kind in pairs(first.faults or {}) do script[tonumber(number)] = kind end
  local subject = account.new(given)
  local service = faults.new(subject, { random = math.random, script = script })
  local running = assert(server.listen { account = service })
  respond { result = running:url() }
  running:on_line(function(line) respond(answer(subject, line)) end)
  running:run()
end

return function()
  math.randomseed(os.time())
  local loaded, server = pcall(require, "hubspot.associations.sandbox.server")
  print "running"
  io.stdout:flush()
  if not loaded then return respond { message = (tostring(server):match "^[^\n]*") } end
  local served, why = pcall(serve, server)
  if not served then respond { message = tostring(why) } end
end
