-- Checks the limiter in a long job, against an account that allows a number of requests per interval: what
-- share of them is used, and how many are answered with 429. In virtual time, alone and beside another
-- program.

local random = require "support.random"
local simulation = require "support.simulation"

-- Known to fail, with the figures measured; run with KNOWN_BUGS=1.
local function known_bug(name, reason, body)
  it(name, function()
    if not os.getenv "KNOWN_BUGS" then pending(reason .. "; KNOWN_BUGS=1 runs it") end
    body()
  end)
end

local PATH = "/crm/associations/2025-09/contacts/companies/batch/create"
local HEADERS = { authorization = "Bearer another", ["content-type"] = "application/json" }
local BODY = '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":'
  .. '[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}]}]}'

-- Another program that uses a share of the account's requests, evenly.
local function add_program(world, rate, share)
  local every = rate.interval / (rate.limit * share)
  local function send()
    world.account:handle { method = "POST", path = PATH, body = BODY, headers = HEADERS }
    world:after(every, send)
  end
  world:after(every / 2, send)
end

-- Counts the job's own requests and those that got a 429, and records when each of the others was accepted.
local function watch(world)
  local service, seen = world.service, { requests = 0, limited = 0, times = {} }
  world.service = {
    handle = function(_, request)
      local response = service:handle(request)
      seen.requests = seen.requests + 1
      if response.status == 429 then
        seen.limited = seen.limited + 1
      else
        seen.times[#seen.times + 1] = world.now
      end
      return response
    end,
  }
  return seen
end

-- A job of one input per request, which ends about `intervals` intervals later.
local function run(given)
  local rate = { limit = given.limit, interval = given.interval, retry_after = given.retry_after }
  local world = simulation.world {
    random = random.new(given.seed or 11), account = { rate = rate },
    latency = given.latency, base = given.base,
  }
  if given.others then add_program(world, rate, given.others) end
  local seen, count, index = watch(world), given.limit * given.intervals, 0
  local report, err = simulation.run(world, {
    source = function()
      index = index + 1
      if index <= count then return { from = "1" .. index, to = "1", types = 279 } end
    end,
    batch_size = 1,
    concurrency = given.concurrency,
    requests = count * 3,
  })
  assert.is_nil(err)
  assert.equal(count, report.created)
  -- The steady part: from the end of the first interval, in which nothing limits, to the last response. Only
  -- whole intervals: requests come in bursts, and a burst at the end of a partial one would count too much.
  local began, taken = given.interval, 0
  local intervals = math.floor((seen.times[#seen.times] - began) / given.interval)
  for _, time in ipairs(seen.times) do
    if time > began and time <= began + intervals * given.interval then taken = taken + 1 end
  end
  local allowed = given.limit * (1 - (given.others or 0))
  return taken / (allowed * intervals), seen.limited / seen.requests
end

-- The network does not limit: concurrency / round_trip is well above the limit.
local CASES = {
  { limit = 100, interval = 10, intervals = 12, round_trip = 0.05, concurrency = 4 },
  { limit = 100, interval = 10, intervals = 12, round_trip = 0.05, concurrency = 8 },
  { limit = 100, interval = 10, intervals = 12, round_trip = 0.2, concurrency = 4 },
  { limit = 100, interval = 10, intervals = 12, round_trip = 0.2, concurrency = 8 },
  { limit = 100, interval = 10, intervals = 12, round_trip = 0.5, concurrency = 8 },
  { limit = 190, interval = 10, intervals = 12, round_trip = 0.05, concurrency = 4 },
  { limit = 190, interval = 10, intervals = 12, round_trip = 0.1, concurrency = 8 },
  { limit = 190, interval = 10, intervals = 12, round_trip = 0.2, concurrency = 8 },
  { limit = 19, interval = 1, intervals = 60, round_trip = 0.05, concurrency = 4 },
  { limit = 19, interval = 1, intervals = 60, round_trip = 0.1, concurrency = 8 },
  { limit = 19, interval = 1, intervals = 60, round_trip = 0.2, concurrency = 8 },
}

local SEEDS = 3

-- Round trips: realistically, a fixed time and up to a quarter more; or anything up to twice that, as a
-- service under load may take.
local NETWORKS = {
  realistic = function(round_trip) return round_trip / 2, round_trip / 2 * 1.25 end,
  erratic = function(round_trip) return 0, round_trip end,
}

local measured = {} -- a run takes a while, and several specs use the same

-- The shares that got through and that got a 429, averaged over the seeds; and the case in words.
local function measure(case, network, others)
  local name = ("%d per %d s, %d in flight, %.2f s round trip, %s"):format(
    case.limit, case.interval, case.concurrency, case.round_trip, network
  )
  local key = name .. (others or 0)
  if not measured[key] then
    local given = { others = others }
    for field, value in pairs(case) do given[field] = value end
    given.base, given.latency = NETWORKS[network](case.round_trip)
    local all_through, all_limited = 0, 0
    for seed = 1, SEEDS do
      given.seed = seed
      local through, limited = run(given)
      all_through, all_limited = all_through + through, all_limited + limited
    end
    measured[key] = { through = all_through / SEEDS, limited = all_limited / SEEDS }
  end
  return measured[key].through, measured[key].limited, name
end

-- Checks that at least a share of what is allowed gets through, and at most a share gets a 429.
local function assert_measures(given)
  for _, case in ipairs(CASES) do
    for network in pairs(NETWORKS) do
      if case.interval == given.interval and (not given.network or given.network == network) then
        local through, limited, name = measure(case, network, given.others)
        assert.is_true(through >= given.through, ("%s: %.3f got through"):format(name, through))
        assert.is_true(limited <= given.limited, ("%s: %.4f got a 429"):format(name, limited))
      end
    end
  end
end

describe("a long job that has the account to itself", function()
  it("gets 0.95 of what is allowed in ten seconds through, and is hardly ever answered 429", function()
    assert_measures { interval = 10, through = 0.95, limited = 0.01 }
  end)

  it("gets most of what is allowed in a second through, and is seldom answered 429", function()
    assert_measures { interval = 1, network = "realistic", through = 0.88, limited = 0.04 }
    assert_measures { interval = 1, network = "erratic", through = 0.82, limited = 0.05 }
  end)

  -- Measured, for round trips of 0.05, 0.1 and 0.2 s: 0.99, 0.97 and 0.90 got through; 0.031, 0.019 and
  -- 0.020 got a 429.
  known_bug("gets 0.95 of what is allowed in a second through, and is hardly ever answered 429",
    "0.90 to 0.99 get through, 0.2 to 1.3 % are answered 429", function()
    assert_measures { interval = 1, network = "realistic", through = 0.95, limited = 0.01 }
  end)
end)

describe("a long job beside a program that uses 0.3 of the account's requests", function()
  it("gets 0.95 of the rest of what is allowed in ten seconds through", function()
    assert_measures { interval = 10, others = 0.3, through = 0.95, limited = 0.07 }
  end)

  it("gets 0.85 of the rest of what is allowed in a second through", function()
    assert_measures { interval = 1, network = "realistic", others = 0.3, through = 0.85, limited = 0.2 }
    assert_measures { interval = 1, network = "erratic", others = 0.3, through = 0.82, limited = 0.2 }
  end)

  -- Measured: up to 0.039 got a 429 where the interval is ten seconds (0.5 s round trip), and up to 0.155
  -- where it is one (0.05 s).
  known_bug("is hardly ever answered 429", "0.5 to 4 % are: nobody knows the other's next request", function()
    for _, interval in ipairs { 10, 1 } do
      assert_measures {
        interval = interval, network = "realistic", others = 0.3, through = 0.85, limited = 0.02,
      }
    end
  end)
end)
