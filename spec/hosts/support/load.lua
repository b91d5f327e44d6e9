-- Load on a host that is a web server: ab makes requests, each of which creates an association, while others
-- request something else. Each has to create its own association; the caller judges how fast.

local assert = require "luassert"
local hosts = require "hosts.support.hosts"
local sandboxes = require "support.sandbox"

-- Seconds that a response of the host may take while calls are under way. On a busy machine it may take
-- longer now and then; a loop that stalls its host does so each time.
local MOST_STALL = 0.05
local ATTEMPTS = 3

local function run(server, path, requests, concurrency)
  local url = "http://127.0.0.1:" .. server.port .. path
  local output, worst, pings =
    server:ask_during("/ping", { "ab", "-q", "-l", "-n", requests, "-c", concurrency, url })
  local function figure(label)
    return tonumber(output:match(label .. ":%s+([%d.]+)"))
  end
  if not figure("Complete requests") then
    error("ab did not come to its end:\n" .. output, 3)
  end
  return {
    complete = figure("Complete requests"),
    failed = figure("Failed requests") + (figure("Non%-2xx responses") or 0),
    rate = figure("Requests per second"),
    elapsed = figure("Time taken for tests"),
    worst = worst,
    pings = pings,
    text = output,
  }
end

---@param name string the host's, for the figures
---@param start fun(sandbox: sandbox.Sandbox): hosts.Server
---@param latency number seconds, of every response of the sandbox
---@param requests integer
---@param concurrency integer
---@param options? { path?: string, rate?: table } path: what is requested; rate: the sandbox's limit
---@return table { rate per second; elapsed: seconds; worst: seconds; stalled; asked: of the sandbox }
return function(name, start, latency, requests, concurrency, options)
  options = options or {}
  local sandbox = sandboxes.start({ latency = latency, rate = options.rate })
  local server = start(sandbox)
  local best
  for _ = 1, ATTEMPTS do
    sandbox:reset()
    local latest = run(server, options.path or "/create", requests, concurrency)
    latest.asked = sandbox:statistics().requests
    latest.created = #sandbox:associations()
    best = best and best.worst < latest.worst and best or latest
    if best.worst < MOST_STALL then
      break
    end
  end
  server:close()
  sandbox:close()
  assert.same({ requests, 0, requests }, { best.complete, best.failed, best.created }, best.text)
  hosts.tell(("%s: %d requests, %d at a time: %.0f/s; of %d others the slowest took %.1f ms"):format(
    name, requests, concurrency, best.rate, best.pings, best.worst * 1000))
  best.stalled = best.worst >= MOST_STALL
  return best
end
