-- Checks the commands of a fleet as their users run them: processes of their own, a real redis-server, and
-- the sandbox over real HTTP.

local checkout = require "support.checkout"
local command = require "support.command"
local exchange = require "support.exchange"
local redis_server = require "support.redis_server"
local sandbox = require "support.sandbox"

local missing = redis_server.missing()
if missing then
  describe("the commands of a fleet", function() pending(missing) end)
  return
end

local redis = require "hubspot.associations.redis"

local assert_found = command.assert_found

describe("the commands of a fleet", function()
  local server, account, queue

  before_each(function()
    server = redis_server.start { words = { "--appendonly", "yes", "--appendfsync", "always" } }
    account = sandbox.start {}
    queue = assert(redis.queue { url = server:url(), name = "links" })
  end)

  after_each(function()
    queue:close()
    account:close()
    server:close()
  end)

  local function words(name, more)
    local list = { name, "--redis", server:url(), "--queue", "links" }
    if name == "work" then
      list[#list + 1] = "--base-url"
      list[#list + 1] = account:url()
    end
    for _, word in ipairs(more or {}) do list[#list + 1] = word end
    return list
  end

  local function run(name, more, env) return command.run(words(name, more), { env = env }) end

  local function add(from, types)
    assert(queue:add("contacts", "companies", { from = from, to = 1, types = types or 279 }))
  end

  it("send what is in the queue, and show it", function()
    for index = 1, 20 do add(index) end
    local shown = run "queue"
    assert_found(shown.stdout, "depth,oldest,workers,dead,streams,held\n20,")
    local result = run("work", { "--until-empty", "--budget", "a" })
    assert.same({ 0, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "20 done, 0 failed\n")
    assert_found(result.stderr, " 1 request; ")
    assert.equal(20, #account:associations())
    assert_found(run("queue", { "--output-format", "jsonl" }).stdout,
      '{"depth":0,"workers":0,"dead":0,"streams":16,"held":0}\n')
  end)

  it("show what failed, and put it back", function()
    add(5, 280)
    local result = run("work", { "--until-empty" })
    assert.equal(1, result.code)
    assert_found(result.stderr, "0 done, 1 failed\n")
    local shown = run("queue", { "--failed" })
    assert_found(shown.stdout, "id,endpoint,from_type,from,to_type,to,types,outcome,kind,reason\n")
    assert.matches("\n%d+%-%d+,create,contacts,5,companies,1,280,failed,invalid_input,", shown.stdout)
    assert_found(run("retry-failed").stderr, "1 put back, 0 dropped\n")
    assert.equal(1, assert(queue:status()).depth)
    assert.equal(0, assert(queue:status()).dead)
  end)

  it("send nothing to another account", function()
    add(5, 280)
    add(6)
    run("work", { "--until-empty" })
    account:configure { hub_id = 11 }
    add(7)
    local result = run("work", { "--until-empty" })
    assert.equal(2, result.code)
    assert_found(result.stderr, "the queue is of the account 12345678, and this worker of 11: give it a "
      .. "token of that account, or a queue of its own")
    assert.equal(1, assert(queue:status()).depth)
  end)

  it("stop with too many that failed, which are discarded once somebody has looked at them", function()
    add(5, 280)
    add(6, 280)
    run("work", { "--until-empty" })
    add(7)
    local stopped = run("work", { "--until-empty", "--max-dead", "2" })
    assert.equal(2, stopped.code)
    assert_found(stopped.stderr, "busy: there are 2 dead letters, and a worker stops with 2")
    assert_found(stopped.stderr, "or discard them (discard-failed)")
    local id = run("queue", { "--failed" }).stdout:match "\n([%d-]+),[^\n]*\n$"
    assert_found(run "discard-failed".stderr, "say up to which dead letter: --last ID")
    assert_found(run("discard-failed", { "--last", "x" }).stderr, "expected an id as queue --failed shows it")
    assert_found(run("discard-failed", { "--last", id }).stderr, "2 discarded\n")
    assert.equal(0, run("work", { "--until-empty", "--max-dead", "2" }).code)
  end)

  it("work until they are interrupted", function()
    add(1)
    local child = command.start(words "work")
    command.wait_for_signals(child)
    exchange.eventually(function() return #account:associations() == 1 end, "the link")
    child:kill()
    assert.equal(143, command.check(child:close()).code)
    assert.equal(0, assert(queue:status()).workers)
  end)

  -- The `from` of all links, and of all entries that have no outcome: looked at first, as these only leave.
  local function pending_or_linked(connection)
    local found = {}
    for index = 0, 15 do
      for _, entry in ipairs(assert(connection:call("XRANGE",
        "hubspot-associations:queue:{links}:stream:" .. index, "-", "+"))) do
        found[entry[2][6]] = true -- pair, kind, from, each after its name
      end
    end
    for _, link in ipairs(account:associations()) do found[link.fromObjectId] = true end
    return found
  end

  it("lose nothing when workers are killed, and Redis is, while programs add", function()
    account:configure { latency = 0.05 }
    local workers, added, most = {}, 0, 3000
    local connection = assert(redis.new { url = server:url() })
    finally(function()
      connection:close()
      for _, worker in ipairs(workers) do worker:kill "KILL" end
    end)
    local function check_removed()
      local found = pending_or_linked(connection)
      for from = 1001, 1000 + added do
        if not found[("%d"):format(from)] then error("removed before its outcome: " .. from) end
      end
    end
    local function add_some(count)
      for _ = 1, count do
        local done
        local input = { from = 1001 + added, to = 1, types = 279 } -- the sandbox has no record 404
        repeat done = queue:add("contacts", "companies", input) until done
        added = added + 1
      end
    end
    for index = 1, 3 do workers[index] = command.start(words("work", { "--batch-size", "50" })) end
    for round = 1, 6 do
      add_some(most / 6)
      if round == 3 then
        server:kill()
        server:start()
      end
      local killed = workers[round % 3 + 1]
      killed:kill "KILL"
      killed:close()
      workers[round % 3 + 1] = command.start(words("work", { "--batch-size", "50" }))
      check_removed()
    end
    exchange.eventually(function()
      check_removed()
      return assert(queue:status()).depth == 0
    end, "an empty queue")
    for _, worker in ipairs(workers) do
      worker:kill()
      command.check(worker:close())
    end
    assert.same({}, assert(queue:dead_letters()))
    assert.equal(most, #account:associations())
  end)

  it("need no more of Redis than the user has whom the documentation makes", function()
    local line = assert(checkout.read "docs/fleet.md":match "\nuser (fleet on >PASSWORD %C+)\n")
    local rules = { "ACL", "SETUSER" }
    for word in line:gmatch "%S+" do rules[#rules + 1] = word end
    local connection = assert(redis.new { url = server:url() })
    finally(function() connection:close() end)
    assert(connection:command(rules))
    local url = server:url "fleet:PASSWORD@"
    local function run_as(...)
      return command.run({ ..., "--queue", "links" }, { env = { HUBSPOT_REDIS = url } })
    end
    local function work()
      return command.run({ "work", "--queue", "links", "--base-url", account:url(), "--until-empty",
        "--budget", "a" }, { env = { HUBSPOT_REDIS = url } })
    end
    queue:close()
    queue = assert(redis.queue { url = url, name = "links" })
    add(1)
    add(2, 280)
    local result = work()
    assert.equal(1, result.code)
    assert.is_nil(result.stderr:find("budget", 1, true))
    assert_found(run_as("queue").stdout, "\n0,,0,1,16,0\n")
    assert_found(run_as("retry-failed").stderr, "1 put back")
    work()
    local other = assert(redis.new { url = url })
    local _, err = other:call("GET", "of another program")
    assert.equal("NOPERM", err.code)
    _, err = other:call "FLUSHALL"
    assert.equal("NOPERM", err.code)
    other:close()
    assert.equal(1, assert(queue:discard_failed(assert(queue:dead_letters())[1].id)).discarded)
  end)

  it("warn of a Redis that loses what is in a queue, and of a name that no queue has", function()
    local connection = assert(redis.new { url = server:url() })
    finally(function() connection:close() end)
    assert_found(run("queue").stderr, "nothing was ever added to a queue of this name")
    add(1)
    assert.equal("", run("queue").stderr)
    assert(connection:call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"))
    assert_found(run("queue").stderr, "Redis has the maxmemory-policy allkeys-lru: when it is full")
    assert_found(run("work", { "--until-empty" }).stderr, "set noeviction")
    assert(connection:call("CONFIG", "SET", "maxmemory-policy", "noeviction"))
    assert(connection:call("CONFIG", "SET", "appendonly", "no"))
    for _, each in ipairs { { "queue" }, { "queue", { "--failed" } }, { "work", { "--until-empty" } } } do
      local said = run(each[1], each[2]).stderr
      assert_found(said, "Redis has no append-only file (appendonly no): a crash of it loses what")
      assert.is_nil(said:find("maxmemory", 1, true))
    end
  end)

  it("share a budget when they run jobs, too", function()
    local connection = assert(redis.new { url = server:url() })
    finally(function() connection:close() end)
    local function create(more, env)
      local list = { "create", "--from", "contacts", "--to", "companies", "--type", "279", "--base-url",
        account:url(), "-" }
      for _, word in ipairs(more) do table.insert(list, word) end
      return command.run(list, { env = env, stdin = "1,2\n" })
    end
    local result = create({ "--budget", "cron" }, { HUBSPOT_REDIS = server:url() })
    assert.same({ 0, false }, { result.code, result.stderr:find "budget" ~= nil })
    assert.equal(1, connection:call("EXISTS", "hubspot-associations:budget:{cron}:charges"))
    for rate, said in pairs { ["30"] = false, ["40"] = true } do
      assert.equal(0, create({ "--budget", "low", "--rate", "30" }, { HUBSPOT_REDIS = server:url() }).code)
      result = create({ "--budget", "low", "--rate", rate }, { HUBSPOT_REDIS = server:url() })
      local lowered = "another process gives the budget a lower rate: 30 requests in 10 s"
      assert.same({ 0, said }, { result.code, result.stderr:find(lowered, 1, true) ~= nil })
    end
    result = create { "--budget", "cron", "--redis", "redis://127.0.0.1:1" }
    assert.equal(0, result.code)
    assert_found(result.stderr, "no budget: network: no connection to Redis at 127.0.0.1:1")
    assert_found(create { "--redis", server:url() }.stderr, "'--redis': it has a use with --budget only")
    result = create({ "--budget", "cron" }, { HUBSPOT_REDIS = false })
    assert.equal(2, result.code)
    assert_found(result.stderr, "no Redis: name it")
  end)

  it("say when they lose the budget, and when it is back", function()
    local connection = assert(redis.new { url = server:url() })
    finally(function() connection:close() end)
    assert(connection:call("SET", "hubspot-associations:budget:{a}:state", "of another program"))
    add(1)
    local result = run("work", { "--until-empty", "--budget", "a" })
    assert.equal(0, result.code)
    assert_found(result.stderr, "no budget: redis: Redis at ")
    assert_found(result.stderr, ": going on alone, with 10 requests in 10 s\n")
  end)

  it("take the URL of the environment, which may have a password, and show it to nobody", function()
    add(1)
    local result = command.run({ "queue", "--queue", "links" }, { env = { HUBSPOT_REDIS = server:url() } })
    assert_found(result.stdout, "\n1,")
    result = command.run({ "queue" }, { env = { HUBSPOT_REDIS = server:url "user:secret-word@" } })
    assert.equal(2, result.code)
    assert_found(result.stderr, "WRONGPASS")
    assert.is_nil((result.stdout .. result.stderr):find("secret-word", 1, true))
  end)

  it("say why they could not run", function()
    local result = command.run { "queue", "--redis", "redis://:secret-word@127.0.0.1" }
    assert.equal(2, result.code)
    assert_found(result.stderr, "environment variable HUBSPOT_REDIS")
    assert.is_nil(result.stderr:find("secret-word", 1, true))
    server:signal "STOP"
    local hanging = run "queue"
    server:signal "CONT"
    assert.equal(2, hanging.code)
    assert.matches(" did not reply within 5000 ms\n$", hanging.stderr)
    assert_found(command.run({ "queue" }, { env = { HUBSPOT_REDIS = false } }).stderr, "no Redis: name it")
    assert_found(command.run { "queue", "--redis", "redis://127.0.0.1:1" }.stderr, "no connection to Redis")
    assert.equal("", command.run { "queue", "--redis", "redis://127.0.0.1:1" }.stdout)
    assert_found(command.run({ "queue" }, { env = { HUBSPOT_REDIS = "http://x" } }).stderr,
      "HUBSPOT_REDIS: the URL cannot be used: it has to begin with redis://")
    assert_found(run("work", { "--queue", "a b" }).stderr, "1 to 100 letters")
  end)
end)
