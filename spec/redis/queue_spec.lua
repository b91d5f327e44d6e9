-- Checks the queue with a real redis-server: what it takes, its ceiling, who holds its streams, and dead
-- letters.

local redis_server = require "support.redis_server"

local missing = redis_server.missing()
if missing then
  describe("a queue", function() pending(missing) end)
  return
end

local redis = require "hubspot.associations.redis"

local unpack = table.unpack or unpack -- luacheck: ignore

describe("a queue", function()
  local server, queue, connection

  setup(function() server = redis_server.start() end)
  teardown(function() server:close() end)

  before_each(function()
    connection = assert(redis.new { url = server:url() })
    assert(connection:call "FLUSHALL")
    queue = assert(redis.queue { url = server:url(), name = "q", streams = 4 })
  end)

  after_each(function()
    queue:close()
    connection:close()
  end)

  local function add(from, to, given)
    return queue:add("contacts", "companies", { from = from, to = to, types = 279 }, given)
  end

  local function read(held)
    return assert(queue:read(held, 100))
  end

  describe("that is added to", function()
    it("has the input when add returns", function()
      local types = { { associationCategory = "USER_DEFINED", associationTypeId = 12 }, "primary" }
      local id = assert(queue:add("contacts", "2-123", { from = { id = "101" }, to = 202, types = types }))
      assert.matches("^%d+%-%d+%-%d$", id)
      local got = assert(queue:hold("", {}, 10, false))
      local entries = read(got.held)
      assert.equal(1, #entries)
      local entry = entries[1]
      assert.same({ id, "create", "contacts", "2-123" },
        { entry.id .. "-" .. entry.stream, entry.endpoint, entry.from_type, entry.to_type })
      assert.same({ from = "101", to = "202", types = types }, entry.input)
    end)

    it("keeps numbers, names and no types as they are", function()
      add(1, 2)
      queue:add("contacts", "companies", { from = 1, to = 2, types = "Decision maker" })
      queue:add("contacts", "companies", { from = 1, to = 2 }, { endpoint = "archive" })
      local got = assert(queue:hold("", {}, 10, false))
      local found = {}
      for index, entry in ipairs(read(got.held)) do
        found[index] = { entry.endpoint, entry.input.types }
      end
      assert.same({ { "create", 279 }, { "create", "Decision maker" }, { "archive" } }, found)
    end)

    it("has the two directions of a pair in one stream, in order", function()
      for round = 1, 10 do
        assert(queue:add("contacts", "companies", { from = 7, to = 8, types = 279 }))
        assert(queue:add("companies", "contacts", { from = 8, to = 7, types = 280 }))
        assert(add(round + 100, 1))
      end
      local got = assert(queue:hold("", {}, 10, false))
      local streams, count = {}, 0
      for _, entry in ipairs(read(got.held)) do
        if entry.input.from == "7" or entry.input.from == "8" then
          streams[entry.stream] = true
          count = count + 1
          assert.equal(count % 2 == 1 and "contacts" or "companies", entry.from_type)
        end
      end
      assert.equal(20, count)
      assert.is_nil(next(streams, (next(streams))))
    end)

    it("knows a pair by any spelling of HubSpot's own object types", function()
      local function add_as(from_type, to_type, given)
        local input = { from = 7, to = 8, types = not given and 279 or nil }
        assert(queue:add(from_type, to_type, input, given))
      end
      add_as("contacts", "companies")
      add_as("0-1", "company")
      add_as("Contact", "0-2", { endpoint = "archive" })
      add_as("p_pets", "0-2")
      local got = assert(queue:hold("", {}, 10, false))
      local pairs_of, kinds = {}, {}
      for _, entry in ipairs(read(got.held)) do
        if entry.from_type ~= "p_pets" then kinds[#kinds + 1] = entry.from_type .. " " .. entry.to_type end
        pairs_of[entry.pair] = true
      end
      assert.same({ "contacts companies", "0-1 company", "Contact 0-2" }, kinds)
      assert.same({ ["companies:8 contacts:7"] = true, ["companies:8 p_pets:7"] = true }, pairs_of)
    end)

    it("reads what somebody else has written there, as a problem", function()
      assert(add(1, 1))
      local kind = "create contacts companies"
      local good = { "pair", "p", "kind", kind, "from", "1", "to", "2", "types", "279" }
      local wrong = {
        kind = { "create contacts", "read contacts companies", "" }, from = { "x", "" }, to = { "01" },
        types = { "[1", "x", '{"a":1' },
      }
      local count = 0
      local function write(words)
        assert(connection:command { "XADD", "hubspot-associations:queue:{q}:stream:0", "*", unpack(words) })
        count = count + 1
      end
      write { "a", "b" }
      for at = 1, #good, 2 do
        for _, value in ipairs(wrong[good[at]] or {}) do
          local words = { unpack(good) }
          words[at + 1] = value
          write(words)
        end
        local words = { unpack(good) }
        table.remove(words, at)
        table.remove(words, at)
        write(words)
      end
      local got, problems = assert(queue:hold("", {}, 10, false)), 0
      for _, entry in ipairs(read(got.held)) do
        if entry.problem then
          problems = problems + 1
          local settled = { { entry = entry, reason = { message = entry.problem } } }
          assert.is_true(queue:settle(got.worker, entry.stream, got.held[entry.stream], settled))
        end
      end
      assert.equal(15, count)
      assert.equal(count, problems)
      assert.same({ 1, count }, { assert(queue:status()).depth, assert(queue:status()).dead })
      assert.equal(count, #assert(queue:dead_letters()))
    end)

    it("rejects what is no input", function()
      local function kind(...)
        local added, err = queue:add("contacts", "companies", ...)
        assert.is_nil(added)
        return err.kind .. " " .. err.field
      end
      assert.equal("invalid_input from", kind { from = "x", to = 1, types = 1 })
      assert.equal("invalid_input to", kind { from = 1, types = 1 })
      assert.equal("invalid_input types", kind { from = 1, to = 1 })
      assert.equal("invalid_input types", kind { from = 1, to = 1, types = true })
      assert.equal("invalid_input types", kind { from = 1, to = 1, types = 1.5 })
      assert.equal("invalid_input types", kind { from = 1, to = 1, types = ("x"):rep(4095) })
      assert.equal("invalid_input from.id", kind { from = { id = "0" }, to = 1, types = 1 })
      assert.equal("invalid_input from.id", kind { from = {}, to = 1, types = 1 })
      assert.equal(0, assert(queue:status()).depth)
    end)

    it("says what it found in place of an id", function()
      local function message(from)
        return select(2, queue:add("contacts", "companies", { from = from, to = 1, types = 1 })).message
      end
      assert.matches("or a whole number%), found nothing$", message(nil))
      assert.matches(', found "a@b.example"$', message "a@b.example")
      assert.matches(', found "x+%.%.%."$', message(("x"):rep(1000)))
      assert.matches(", found 1.5$", message(1.5))
      assert.matches(", found a boolean$", message(true))
    end)

    it("rejects types of an endpoint that has none, as calls do", function()
      for _, endpoint in ipairs { "archive", "create_default" } do
        local added, err = add(1, 2, { endpoint = endpoint })
        assert.is_nil(added)
        assert.same({ "invalid_input", "types" }, { err.kind, err.field })
        assert.matches("^expected no types: ", err.message)
      end
      assert.equal(0, assert(queue:status()).depth)
    end)

    it("raises for what is a mistake", function()
      local function raised(...) return select(2, pcall(queue.add, queue, ...)) end
      assert.matches("from: expected an object type", raised(nil, "companies", {}))
      assert.matches("to: expected an object type", raised("contacts", "a b", {}))
      assert.matches("to: expected an object type", raised("contacts", ("x"):rep(201), {}))
      assert.matches("input: expected a table.* found nothing", raised("contacts", "companies", nil))
      assert.matches("expected one input, found a list", raised("contacts", "companies", { {}, {} }))
      assert.matches('option endpoint: expected create, .* archive_labels, found "read"',
        raised("contacts", "companies", {}, { endpoint = "read" }))
    end)

    it("never takes a slip in its options for the default", function()
      local function raised(given) return select(2, pcall(add, 1, 2, given)) end
      assert.matches('options: expected a table such as .*, found "archive"', raised "archive")
      assert.matches("option endpont is unknown; there is endpoint", raised { endpont = "archive" })
      assert.matches("found a boolean", raised { endpoint = false })
      assert.equal(0, assert(queue:status()).depth)
    end)

    it("says busy beyond its ceiling, and drops nothing", function()
      queue:close()
      queue = assert(redis.queue { url = server:url(), name = "q", max_pending = 3 })
      for index = 1, 3 do assert(add(index, 1)) end
      local added, err = add(4, 1)
      assert.is_nil(added)
      assert.same({ "busy", "the queue is full: it has 3 entries", true, false },
        { err.kind, err.message, err.retryable, err.sent })
      assert.equal(3, assert(queue:status()).depth)
    end)

    it("says so when Redis is full", function()
      assert(connection:call("CONFIG", "SET", "maxmemory", "1"))
      local added, err = add(1, 1)
      assert(connection:call("CONFIG", "SET", "maxmemory", "0"))
      assert.is_nil(added)
      assert.equal("OOM", err.code)
    end)

    it("has as many streams as it began with", function()
      assert(add(1, 1))
      local other = assert(redis.queue { url = server:url(), name = "q", streams = 64 })
      for index = 1, 20 do
        assert(other:add("contacts", "companies", { from = index, to = 1, types = 279 }))
      end
      assert.equal(4, assert(other:status()).streams)
      other:close()
    end)
  end)

  describe("that is held", function()
    local function count(held)
      local number = 0
      for _ in pairs(held) do number = number + 1 end
      return number
    end

    before_each(function() assert(add(1, 1)) end)

    it("is shared by its workers", function()
      local first = assert(queue:hold("", {}, 10, false))
      assert.equal(4, count(first.held))
      local second = assert(queue:hold("", {}, 10, false))
      assert.same({ 0, 2 }, { count(second.held), second.workers })
      local working = assert(queue:hold(first.worker, first.held, 10, true))
      assert.equal(4, count(working.held))
      first = assert(queue:hold(first.worker, first.held, 10, false))
      second = assert(queue:hold(second.worker, {}, 10, false))
      assert.same({ 2, 2 }, { count(first.held), count(second.held) })
      for index in pairs(first.held) do assert.is_nil(second.held[index]) end
      local status = assert(queue:status())
      assert.same({ 2, 4 }, { status.workers, status.held })
    end)

    it("goes to another worker when the lease is over, and the first can remove nothing", function()
      local first = assert(queue:hold("", {}, 0.001, false))
      local second, entries
      repeat
        second = assert(queue:hold(second and second.worker or "", {}, 10, false))
        entries = read(second.held)
      until #entries == 1
      local entry = entries[1]
      local stream, settled = entry.stream, { { entry = entry } }
      assert.is_false(queue:settle(first.worker, stream, first.held[stream], settled))
      assert.equal(0, count(assert(queue:hold(first.worker, first.held, 10, true)).held))
      assert.equal(1, assert(queue:status()).depth)
      assert.is_true(queue:settle(second.worker, stream, second.held[stream], settled))
      assert.equal(0, assert(queue:status()).depth)
    end)

    it("is free at once when its worker leaves", function()
      local first = assert(queue:hold("", {}, 10, false))
      queue:leave(first.worker, first.held)
      assert.same({ 0, 0 }, { assert(queue:status()).workers, assert(queue:status()).held })
      assert.equal(4, count(assert(queue:hold("", {}, 10, false)).held))
    end)

    it("has new names for workers when Redis has lost its last writes", function()
      local first = assert(queue:hold("", {}, 10, false))
      assert(connection:call "FLUSHALL")
      assert(add(1, 1))
      local second = assert(queue:hold("", {}, 10, false))
      assert.not_equal(first.worker, second.worker)
      local index, fence = next(second.held)
      assert.equal(fence, first.held[index]) -- which counts from the beginning again
      assert.is_false(queue:settle(first.worker, index, fence, {}))
      assert.equal(0, count(assert(queue:hold(first.worker, first.held, 10, true)).held))
    end)

    it("removes no entry of another pair that has the id of one that Redis has lost", function()
      local got = assert(queue:hold("", {}, 10, false))
      local entry = read(got.held)[1]
      local lost = { id = entry.id, pair = "companies:9 contacts:9" }
      assert.is_true(queue:settle(got.worker, entry.stream, got.held[entry.stream], { { entry = lost } }))
      assert.equal(1, assert(queue:status()).depth)
    end)

    it("is taken from a dead worker also when the clock of Redis was set back", function()
      local dead = assert(queue:hold("", {}, 10, false))
      local later = ("%.0f"):format(assert(connection:call "TIME")[1] * 1000 + 3600000)
      for index in pairs(dead.held) do
        connection:call("HSET", "hubspot-associations:queue:{q}:lease:" .. index, "ends", later)
      end
      connection:call("ZADD", "hubspot-associations:queue:{q}:workers", later, dead.worker)
      local got = assert(queue:hold("", {}, 10, false))
      assert.same({ 4, 1 }, { count(got.held), got.workers })
    end)

    it("says whether Redis has an append-only file, where it may be asked", function()
      finally(function()
        connection:call("CONFIG", "SET", "appendonly", "no")
        connection:call("ACL", "DELUSER", "shy")
      end)
      assert.is_false(assert(queue:status()).appendonly)
      assert(connection:call("CONFIG", "SET", "appendonly", "yes"))
      assert.is_true(assert(queue:status()).appendonly)
      assert(connection:call("ACL", "SETUSER", "shy", "on", ">secret", "~*", "+@all", "-info"))
      local other = assert(redis.queue { url = server:url "shy:secret@" })
      local status = assert(other:status())
      other:close()
      assert.is_nil(status.appendonly)
      assert.equal(0, status.depth)
    end)

    it("says how old the oldest entry is", function()
      local status = assert(queue:status())
      assert.is_true(status.oldest >= 0 and status.oldest < 60)
      connection:call "FLUSHALL"
      assert.is_nil(assert(queue:status()).oldest)
    end)
  end)

  describe("with dead letters", function()
    local got

    -- Adds an entry, and lets it fail. Returns its id.
    local function fail(from)
      local id = assert(add(from, 1))
      got = assert(queue:hold(got and got.worker or "", got and got.held or {}, 10, false))
      for _, entry in ipairs(read(got.held)) do
        if entry.id .. "-" .. entry.stream == id then
          assert(queue:settle(got.worker, entry.stream, got.held[entry.stream], {
            { entry = entry, reason = { message = "no such record", kind = "http" } },
          }))
        end
      end
      return id
    end

    before_each(function() got = nil end)

    it("has the input, by the id that add returned, and the reason", function()
      local id = fail(5)
      local letters = assert(queue:dead_letters())
      assert.equal(1, #letters)
      assert.equal(id, letters[1].entry.id)
      assert.same({ message = "no such record", kind = "http" }, letters[1].reason)
      assert.same({ from = "5", to = "1", types = 279 }, letters[1].entry.input)
      assert.same({ 0, 1 }, { assert(queue:status()).depth, assert(queue:status()).dead })
      assert.same({}, assert(queue:dead_letters(letters[1].id)))
    end)

    it("puts them back", function()
      fail(5)
      fail(6)
      assert.same({ retried = 2, dropped = 0 }, assert(queue:retry_failed()))
      assert.same({ 2, 0 }, { assert(queue:status()).depth, assert(queue:status()).dead })
      assert.same({ retried = 0, dropped = 0 }, assert(queue:retry_failed()))
    end)

    it("drops those whose pair has a newer entry, also one that is done", function()
      fail(5)
      assert(add(5, 1))
      fail(6)
      fail(6)
      fail(7)
      assert(add(7, 1))
      for _, entry in ipairs(read(got.held)) do
        if entry.input.from == "7" then
          queue:settle(got.worker, entry.stream, got.held[entry.stream], { { entry = entry } })
        end
      end
      assert.same({ retried = 1, dropped = 3 }, assert(queue:retry_failed()))
      assert.equal(2, assert(queue:status()).depth)
    end)

    it("puts none back beyond the ceiling", function()
      fail(5)
      fail(6)
      queue:close()
      queue = assert(redis.queue { url = server:url(), name = "q", max_pending = 1 })
      local done, err = queue:retry_failed()
      assert.same({ nil, "busy" }, { done, err.kind })
      assert.same({ 1, 1 }, { assert(queue:status()).depth, assert(queue:status()).dead })
    end)

    it("discards those that somebody has looked at, and no later ones", function()
      fail(5)
      fail(6)
      local letters = assert(queue:dead_letters())
      fail(7)
      assert.same({ discarded = 2 }, assert(queue:discard_failed(letters[2].id)))
      assert.equal("7", assert(queue:dead_letters())[1].entry.input.from)
      assert.same({ discarded = 0 }, assert(queue:discard_failed(letters[2].id)))
      assert.equal(1, assert(connection:call("HLEN", "hubspot-associations:queue:{q}:last")))
    end)

    it("keeps what a discarded one must not undo", function()
      fail(5)
      fail(5)
      local letters = assert(queue:dead_letters())
      assert(queue:discard_failed(letters[1].id))
      assert.same({ retried = 1, dropped = 0 }, assert(queue:retry_failed()))
    end)

    it("raises when it is to discard what is no id", function()
      assert.matches("discard_failed: expected the id of a dead letter",
        select(2, pcall(queue.discard_failed, queue, "+")))
      assert.matches("expected the id", select(2, pcall(queue.discard_failed, queue)))
    end)

    it("shows what somebody else has written, and does not put it back", function()
      assert(connection:call("XADD", "hubspot-associations:queue:{q}:dead", "*", "a", "b"))
      assert(connection:call("XADD", "hubspot-associations:queue:{q}:dead", "*", "pair", "x", "reason", "[1"))
      fail(5)
      assert.same({ retried = 1, dropped = 0 }, assert(queue:retry_failed()))
      local letters = assert(queue:dead_letters())
      assert.equal(2, #letters)
      assert.equal("no worker has written why", letters[2].reason.message)
      assert.matches("no entry of queue:add: its field pair is missing", letters[1].entry.problem)
      assert.same({ discarded = 2 }, assert(queue:discard_failed(letters[2].id)))
    end)

    it("leaves nothing behind when all is done", function()
      fail(5)
      assert.same({ retried = 1, dropped = 0 }, assert(queue:retry_failed()))
      local entries = read(got.held)
      local stream = entries[1].stream
      assert(queue:settle(got.worker, stream, got.held[stream], { { entry = entries[1] } }))
      assert.equal(0, assert(connection:call("HLEN", "hubspot-associations:queue:{q}:last")))
    end)
  end)
end)
