-- Checks journal.lua, journal_record.lua and journal_file.lua: what is recorded, what is read back, and which
-- journals cannot be used. The bytes are in memory; in a real file where locks and paths are checked.

local cjson = require "cjson"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local batches = require "hubspot.associations.job.batch"
local journals = require "hubspot.associations.job.journal"
local journal_files = require "hubspot.associations.job.journal_file"
local records = require "hubspot.associations.job.journal_record"
local process = require "support.process"
local random = require "support.random"
local simulation = require "support.simulation"

local JOB = { from = "contacts", to = "companies" }

local function holding(text)
  local store = simulation.memory()
  store.text = text
  return store
end

local function open(store, identity)
  return journals.new(store, "links.journal", identity or JOB, "created")
end

-- A batch of `count` inputs from index `first` on, all settled: they succeeded, except those in `failures`,
-- a list of { position, outcome, error }.
local function landed(first, count, failures)
  local batch = batches.new(first, {})
  for index = first, first + count - 1 do
    batch:add(index, { from = tostring(index), to = "1", types = 279 })
  end
  for _, failure in ipairs(failures or {}) do batch:settle(failure[1], failure[2], failure[3]) end
  for position = 1, count do
    if not (batch.settled and batch.settled[position]) then batch:settle(position, "succeeded") end
  end
  return batch
end

local function unusable(store, identity)
  local opened, err = open(store, identity)
  assert.is_nil(opened)
  assert.equal("journal", err.kind)
  assert.is_false(err.retryable)
  assert.truthy(err.message:find("links.journal", 1, true))
  return err.message, err.reason
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  return lines
end

-- A journal with a header and three records, as text.
local function written()
  local store = simulation.memory()
  local book = assert(open(store))
  for first = 1, 7, 3 do assert(book:record(landed(first, 3))) end
  return store.text
end

describe("a new journal", function()
  it("begins with a header that identifies the job", function()
    local store = simulation.memory()
    assert(open(store))
    local lines = lines_of(store.text)
    assert.equal(1, #lines)
    local header = cjson.decode(lines[1])
    assert.equal("contacts", header.from)
    assert.equal("companies", header.to)
    assert.equal(1, header.version)
    assert.truthy(header.format:find("hubspot-associations", 1, true))
  end)

  it("names its endpoint, but not create, which the first journals do not name either", function()
    local plain, create, archive = simulation.memory(), simulation.memory(), simulation.memory()
    assert(open(plain))
    assert(open(create, { from = "contacts", to = "companies", endpoint = "create" }))
    assert(open(archive, { from = "contacts", to = "companies", endpoint = "archive" }))
    assert.equal(plain.text, create.text)
    assert.equal("archive", cjson.decode(archive.text).endpoint)
  end)

  it("has one line for each batch", function()
    local text = written()
    local lines = lines_of(text)
    assert.equal(4, #lines)
    assert.equal("\n", text:sub(-1))
    for i, first in ipairs { 1, 4, 7 } do
      local record = cjson.decode(lines[i + 1])
      assert.equal(first, record.first)
      assert.equal(3, record.inputs)
      assert.equal(3, record.created)
      assert.equal(landed(first, 3).body:digest(), record.digest)
    end
  end)

  it("has the same batches whichever is complete first, and no invalid one at the end", function()
    local function bad(first)
      local batch = batches.new(first, {})
      assert(batch:add(first, { from = "x", to = "1", types = 279 }))
      return batch
    end
    local order = { { 1, 4, 5, 8 }, { 4, 8, 1, 5 }, { 4, 5, 8, 1 } }
    for _, firsts in ipairs(order) do
      local store = simulation.memory()
      local book = assert(open(store))
      for _, first in ipairs(firsts) do
        assert(book:record((first == 4 or first == 8) and bad(first) or landed(first, 3)))
      end
      local found = {}
      for number, line in ipairs(lines_of(store.text)) do
        if number > 1 then found[#found + 1] = cjson.decode(line).first end
      end
      table.sort(found)
      assert.same({ 1, 4, 5 }, found)
    end
  end)

  it("is an error where it cannot be written", function()
    local store = simulation.memory()
    function store.append() return nil, "disk full" end
    assert.truthy(unusable(store):find("disk full", 1, true))
    store = simulation.memory()
    function store.read() return nil, "no such device" end
    assert.truthy(unusable(store):find("no such device", 1, true))
  end)
end)

describe("a journal that is reopened", function()
  it("has the recorded batches, and no others", function()
    local book = assert(open(holding(written())))
    for index = 1, 12 do
      local record = book:record_at(index)
      if index == 1 or index == 4 or index == 7 then
        assert.equal(3, record.inputs)
      else
        assert.is_nil(record)
      end
    end
  end)

  it("is not changed by opening it", function()
    local store = holding(written())
    local before = store.text
    assert(open(store))
    assert(open(store))
    assert.equal(before, store.text)
  end)

  it("accepts more batches, in any order", function()
    local store = holding(written())
    local book = assert(open(store))
    assert(book:record(landed(20, 2)))
    assert(book:record(landed(10, 4)))
    book = assert(open(store))
    assert.equal(2, book:record_at(20).inputs)
    assert.equal(4, book:record_at(10).inputs)
    assert.equal(3, book:record_at(1).inputs)
  end)

  it("has the failures, with the recorded fields of their errors", function()
    local store = simulation.memory()
    local book = assert(open(store))
    local err = {
      kind = "http", message = "no \"such\"\n record \195\169", status = 400, category = "VALIDATION_ERROR",
      subCategory = "x", correlationId = "aaaa", context = { fromObjectId = { "5" } }, policyName = "P",
      retryable = true, attempts = 3,
      body = ("long"):rep(1000), links = { a = "b" },
    }
    assert(book:record(landed(5, 4, {
      { 3, "unconfirmed", { kind = "timeout", message = "late" } }, { 1, "failed", err },
      { 2, "failed", { message = "HubSpot's own", status = "error" } },
    })))
    local record = assert(open(store)):record_at(5)
    assert.equal(1, record.created)
    local failures = records.failures(record)
    local found = {}
    for _, failure in ipairs(failures) do
      assert.is_true(errors.is(failure.error))
      found[failure.index] = failure
    end
    assert.equal(3, #failures)
    assert.equal("unconfirmed", found[7].outcome)
    assert.equal("failed", found[5].outcome)
    assert.equal("error", found[6].error.status)
    assert.equal("HubSpot's own", found[6].error.message)
    for _, name in ipairs {
      "kind", "message", "status", "category", "subCategory", "correlationId", "policyName", "retryable",
      "attempts",
    } do
      assert.equal(err[name], found[5].error[name], name)
    end
    assert.same(err.context, found[5].error.context)
    assert.is_nil(found[5].error.body)
    assert.same({ [5] = true, [6] = true, [7] = true }, records.failures_by_index(record))
  end)

  it("has the kind and message of errors that JSON cannot represent", function()
    local store = simulation.memory()
    local book = assert(open(store))
    local cycle = {}
    cycle.itself = cycle
    local contexts = { cycle, { print }, { [{}] = 1 }, { 0 / 0 }, { math.huge }, { [1] = "a", x = "b" },
      { io.stdout }, { [1e9] = "far" } }
    for i, context in ipairs(contexts) do
      local err = { kind = "http", message = "odd " .. i, context = context }
      assert(book:record(landed(i, 1, { { 1, "failed", err } })))
    end
    book = assert(open(store))
    for i = 1, #contexts do
      local failure = records.failures(book:record_at(i))[1]
      assert.equal("odd " .. i, failure.error.message)
      assert.equal("http", failure.error.kind)
    end
  end)

  it("keeps messages that are not UTF-8, and control characters", function()
    local store = simulation.memory()
    local book = assert(open(store))
    local odd = { "\255\254", "a\0b", "\n\r\t", "\226\128\168", "" }
    for i, message in ipairs(odd) do
      assert(book:record(landed(i, 1, { { 1, "failed", { kind = "http", message = message } } })))
    end
    book = assert(open(store))
    for i, message in ipairs(odd) do
      assert.equal(message, records.failures(book:record_at(i))[1].error.message)
    end
  end)
end)

describe("a journal with an incomplete last line", function()
  it("loses this line and nothing else, wherever it ends", function()
    local text = written()
    local lines = lines_of(text)
    local ends, at = {}, 0
    for i, line in ipairs(lines) do
      at = at + #line + 1
      ends[i] = at
    end
    for length = 0, #text do
      local store = holding(text:sub(1, length))
      local book = assert(open(store))
      local complete = 0
      for i, stop in ipairs(ends) do
        if stop <= length then complete = i end
      end
      for i, first in ipairs { 1, 4, 7 } do
        assert.equal(i + 1 <= complete, book:record_at(first) ~= nil)
      end
      if complete > 0 then assert.equal(text:sub(1, length), store.text) end -- as it was, until it is used
      assert(book:record(landed(10, 2)))
      local kept = text:sub(1, ends[math.max(1, complete)])
      assert.equal(kept, store.text:sub(1, #kept))
      assert.equal(math.max(1, complete) + 1, #lines_of(store.text))
    end
  end)

  it("is continued in place of this line", function()
    local text = written()
    local store = holding(text:sub(1, -5))
    local book = assert(open(store))
    assert(book:record(landed(7, 3)))
    assert.equal(text, store.text)
  end)

  it("accepts no record when this line cannot be removed", function()
    local store = holding(written() .. "torn")
    local text = store.text
    function store.truncate() return nil, "read-only" end
    local recorded, err = assert(open(store)):record(landed(10, 2))
    assert.is_nil(recorded)
    assert.truthy(err.message:find("read-only", 1, true))
    assert.equal(text, store.text)
  end)
end)

describe("a journal that this job cannot use", function()
  it("has other object types", function()
    local message = unusable(holding(written()), { from = "contacts", to = "deals" })
    for _, word in ipairs { "another job", "companies", "deals" } do
      assert.truthy(message:find(word, 1, true), message)
    end
    unusable(holding(written()), { from = "companies", to = "contacts" })
    unusable(holding(written()), { from = "contacts", to = "companies", version = "v4" })
  end)

  it("is any other file", function()
    for _, text in ipairs {
      "from,to\n1,2\n", "{}\n", "[]\n", "null\n", "5\n", "\n", "\n\n\n", '{"format":"something else"}\n',
      "\0\0\0\0\n", '{"first":1,"inputs":3,"digest":"x","created":3}\n', ("x"):rep(100000) .. "\n",
    } do
      local message, reason = unusable(holding(text))
      assert.truthy(message:find("not a journal", 1, true), text:sub(1, 40))
      assert.equal("other_file", reason)
    end
  end)

  it("has a later version", function()
    assert.truthy(unusable(holding((written():gsub('"version":1', '"version":2')))):find("version", 1, true))
  end)

  it("is damaged in the middle; the error names the line", function()
    local lines = lines_of(written())
    for _, junk in ipairs {
      "", "{", "{}", "null", "[1]", "\0\0\0", "true", '{"first":1}',
      '{"first":"1","inputs":3,"digest":"","created":3}',
      '{"first":1,"inputs":0,"digest":"x","created":0}', '{"first":1,"inputs":3,"created":3}',
      lines[2]:sub(1, -2), lines[2] .. "}", lines[2] .. lines[3],
    } do
      local text = lines[1] .. "\n" .. lines[2] .. "\n" .. junk .. "\n" .. lines[4] .. "\n"
      assert.truthy(unusable(holding(text)):find("line 3 is damaged", 1, true), junk)
    end
  end)

  it("is not changed", function()
    local ours = written()
    for _, text in ipairs {
      "from,to\n1,2", "my only notes", "[1,2]\n[3,4]", '{"format":"another"}\n{"a":1}', '{"form"}', "\0",
      (ours:gsub("companies", "deals")):sub(1, -5), (ours:gsub('"version":1', '"version":2')) .. "torn",
      (ours:gsub('"inputs":3', '"inputs":0')) .. "torn",
    } do
      local store = holding(text)
      unusable(store)
      assert.equal(text, store.text)
    end
  end)

  local function assert_damaged(failures)
    local header = lines_of(written())[1]
    local line = ('{"first":1,"inputs":3,"digest":"x","created":2,"failures":%s}'):format(failures)
    local store = holding(header .. "\n" .. line .. "\n")
    local text = store.text
    assert.truthy(unusable(store):find("line 2 is damaged", 1, true), failures)
    assert.equal(text, store.text)
  end

  it("has damaged failures", function()
    for _, junk in ipairs { '"x"', "5", "true", "[5]", '["x"]', "[[]]", '[{"index":1}]',
      '[{"index":"1","outcome":"failed","error":{}}]', '[{"index":1,"outcome":"failed"}]',
      '[{"index":1,"outcome":5,"error":{}}]', '[{"index":1,"outcome":"failed","error":"x"}]',
      '[{"index":1,"outcome":"failed","error":{}},5]' } do
      assert_damaged(junk)
    end
  end)

  -- If any string were accepted as an outcome, a resumed job would raise, and blame the source.
  it("has an unknown outcome", function()
    for _, outcome in ipairs { "lost", "created", "", "inputs", "not_sent" } do
      assert_damaged(('[{"index":1,"outcome":"%s","error":{}}]'):format(outcome))
    end
  end)

  -- If it were accepted, a resumed job would account for more or fewer inputs than there are.
  it("has counts that do not add up", function()
    for _, failures in ipairs {
      "null", "[]", "[null]",
      '[{"index":1,"outcome":"failed","error":{}},{"index":2,"outcome":"failed","error":{}}]',
    } do
      assert_damaged(failures)
    end
  end)

  local function assert_damaged_line(line, ...)
    local header = lines_of(written())[1]
    local text = header .. "\n" .. table.concat({ ... }, "\n") .. "\n"
    local store = holding(text)
    assert.truthy(unusable(store):find(("line %d is damaged"):format(line), 1, true), text)
    assert.equal(text, store.text)
  end

  local function record_line(first, inputs, created, more)
    return ('{"first":%s,"inputs":%s,"digest":"x","created":%s%s}'):format(first, inputs, created, more or "")
  end

  local function failing(...)
    local entries = {}
    for number, index in ipairs { ... } do
      entries[number] = ('{"index":%s,"outcome":"failed","error":{}}'):format(index)
    end
    return ',"failures":[' .. table.concat(entries, ",") .. "]"
  end

  it("has numbers that are out of range or not integers", function()
    for _, line in ipairs {
      record_line(0, 3, 3), record_line(-1, 3, 3), record_line(1.5, 3, 3), record_line("1e300", 3, 3),
      record_line(1, 2.5, 2.5), record_line(1, -3, -3), record_line(1, "1e15", "1e15"), record_line(1, 3, -1),
      record_line(1, 3, 4), record_line(1, 3, 2.5), record_line(9007199254740992, 3, 3),
      record_line(1, 3, "true"),
      record_line(1, 3, 4, failing()), record_line(1, 3, 1.5, failing(1.5)),
      record_line(1, 3, 2, ',"refused":1'), record_line(1, 3, 2, ',"refused":0.5,"refused_digest":"x"'),
      record_line(1, 3, 3, ',"refused":0,"refused_digest":"x"'),
      record_line(1, 3, 4, ',"refused":-1,"refused_digest":"x"'),
      record_line(1, 3, 2, ',"refused":2,"refused_digest":"x"'),
      record_line(1, 3, 2, ',"refused":1,"refused_digest":5'),
      record_line(1, 3, 2, ',"refused":"1","refused_digest":"x"'),
    } do
      assert_damaged_line(2, line)
    end
  end)

  it("has failures of other inputs, or two of one input", function()
    for _, indices in ipairs { { 4 }, { 8 }, { 0 }, { -5 }, { "5.5" }, { "1e300" } } do
      assert_damaged_line(2, record_line(5, 3, 2, failing(indices[1])))
    end
    assert_damaged_line(2, record_line(5, 3, 1, failing(6, 6)))
    assert_damaged_line(2, record_line(5, 3, 3, ',"failures":{"a":1}'))
    local object = ',"failures":{"1":{"index":5,"outcome":"failed","error":{}}}'
    assert_damaged_line(2, record_line(5, 3, 2, object))
  end)

  it("has an input in two records", function()
    assert_damaged_line(3, record_line(1, 3, 3), record_line(1, 3, 3))
    assert_damaged_line(3, record_line(1, 3, 3), record_line(3, 3, 3))
    assert_damaged_line(3, record_line(4, 3, 3), record_line(2, 3, 3))
    assert_damaged_line(4, record_line(1, 10, 10), record_line(20, 2, 2), record_line(5, 1, 1))
    local lines = { lines_of(written())[1], record_line(4, 3, 3), record_line(1, 3, 3), "" }
    assert(open(holding(table.concat(lines, "\n"))))
  end)

  it("has another endpoint; none means create", function()
    local text = written()
    assert(open(holding(text), { from = "contacts", to = "companies", endpoint = "create" }))
    local message = unusable(holding(text), { from = "contacts", to = "companies", endpoint = "archive" })
    assert.truthy(message:find("its endpoint is create, not archive", 1, true), message)
    local archive = simulation.memory()
    assert(open(archive, { from = "contacts", to = "companies", endpoint = "archive" }))
    assert(open(archive, { from = "contacts", to = "companies", endpoint = "archive" }))
    assert.truthy(unusable(archive):find("its endpoint is archive, not create", 1, true))
  end)

  it("has header fields that this module does not know", function()
    local text = written():gsub('"version":1', '"version":1,"portal":"5"')
    assert.truthy(unusable(holding(text)):find("its portal is 5", 1, true))
  end)

  it("may contain any bytes, and never raises", function()
    local text = written()
    random.check(500, function(luck)
      local at = luck:integer(1, #text)
      local strange, behind = luck:bytes(luck:integer(0, 3)), at + luck:integer(0, 3)
      local spoilt = text:sub(1, at - 1) .. strange .. text:sub(behind)
      local opened, err = open(holding(spoilt))
      assert(opened or err.kind == "journal")
    end)
  end)

  it("has another digest; the error names the inputs", function()
    local book = assert(open(holding(written())))
    local err = book:mismatch(book:record_at(4))
    assert.equal("journal", err.kind)
    assert.truthy(err.message:find("inputs 4 to 6", 1, true))
  end)
end)

describe("a large journal", function()
  it("is read in portions, wherever they end", function()
    local store = simulation.memory()
    local book = assert(open(store))
    local messages = {}
    for number, length in ipairs { 10, 65000, 65536, 65537, 200000, 3 } do
      messages[number] = ("x"):rep(length)
      local err = { kind = "http", message = messages[number] }
      assert(book:record(landed(number, 1, { { 1, "failed", err } })))
    end
    for shift = 0, 3 do
      local shifted = holding((store.text:gsub('"version":1,', '"version":1,' .. (" "):rep(shift))))
      book = assert(open(shifted))
      for number, message in ipairs(messages) do
        assert.equal(message, records.failures(book:record_at(number))[1].error.message)
      end
    end
  end)

  it("is invalid at a line that is too long, without reading on", function()
    local text, read = written(), 0
    local store = simulation.memory()
    function store.read(_, offset, count)
      read = math.max(read, offset + count)
      local part = text:sub(offset + 1, offset + count)
      return part .. ("x"):rep(count - #part)
    end
    assert.truthy(unusable(store):find("line 5 is damaged", 1, true))
    assert.is_true(read < 70 * 1024 * 1024)
    text = ""
    assert.truthy(unusable(store):find("not a journal", 1, true))
  end)

  it("is invalid if there are more inputs between records than a job keeps", function()
    local store = simulation.memory()
    assert(assert(open(store)):record(landed(2000000, 1)))
    local record, err = assert(open(store)):next_record()
    assert.is_nil(record)
    assert.equal("journal", err.kind)
  end)

  it("that becomes unreadable is an error when a record is read", function()
    local store = holding(written())
    local book = assert(open(store))
    function store.read() return nil, "input/output error" end
    local record, err = book:next_record()
    assert.is_nil(record)
    assert.truthy(tostring(err):find("input/output error", 1, true))
    function store.read() return "nonsense" end
    record, err = book:next_record()
    assert.is_nil(record)
    assert.truthy(tostring(err):find("line 2 is damaged", 1, true))
  end)
end)

describe("recording", function()
  it("writes only lines that it can read", function()
    local store = simulation.memory()
    local book = assert(open(store))
    local many = {}
    for number = 1, 20000 do many[number] = number end
    local failures = {}
    for position = 1, 60 do
      local err = { kind = "http", message = "m" .. position, context = { ids = many } }
      failures[position] = { position, "failed", err }
    end
    assert(book:record(landed(1, 60, failures)))
    local found = records.failures(assert(open(store)):record_at(1))
    assert.equal(60, #found)
    assert.equal("m60", found[60].error.message)
  end)

  it("fails when the bytes do not reach the disk", function()
    local store = simulation.memory()
    local book = assert(open(store))
    function store.append() return nil, "disk full" end
    local recorded, err = book:record(landed(1, 3))
    assert.is_nil(recorded)
    assert.equal("journal", err.kind)
    assert.truthy(tostring(err):find("links.journal: disk full", 1, true))
  end)

  it("appends one complete line at a time", function()
    local store = simulation.memory()
    local book = assert(open(store))
    local append, texts = store.append, {}
    function store.append(self, text)
      texts[#texts + 1] = text
      return append(self, text)
    end
    assert(book:record(landed(1, 2, { { 1, "failed", { kind = "http", message = "two\nlines" } } })))
    assert.equal(1, #texts)
    assert.equal(#texts[1], (texts[1]:find("\n", 1, true)))
  end)

  it("writes large indices in full", function()
    local store = simulation.memory()
    local book = assert(open(store))
    local large = { 1234567, 123456789012, 99999999999999 }
    for _, first in ipairs(large) do assert(book:record(landed(first, 1))) end
    book = assert(open(store))
    for _, first in ipairs(large) do
      assert.equal(first, book:record_at(first).first)
    end
  end)
end)

describe("a journal on disk", function()
  local folder, path

  before_each(function()
    folder = process.make_folder()
    path = folder .. "/links.journal"
  end)

  after_each(function()
    process.remove_folder(folder)
  end)

  it("is kept from one run to the next", function()
    local book = assert(journal_files.open(path, JOB, "created"))
    assert(book:record(landed(1, 3)))
    book:close()
    book = assert(journal_files.open(path, JOB, "created"))
    assert.equal(3, book:record_at(1).inputs)
    assert(book:record(landed(4, 3)))
    book:close()
    assert.equal(3, #lines_of(process.read_file(path)))
  end)

  it("has its incomplete line removed on disk, too", function()
    local book = assert(journal_files.open(path, JOB, "created"))
    assert(book:record(landed(1, 3)))
    book:close()
    local file = assert(io.open(path, "ab"))
    file:write '{"first":4,"inp'
    file:close()
    book = assert(journal_files.open(path, JOB, "created"))
    assert(book:record(landed(4, 3)))
    book:close()
    book = assert(journal_files.open(path, JOB, "created"))
    assert.equal(3, book:record_at(4).inputs)
    book:close()
  end)

  it("has complete records after its process was killed while writing", function()
    local script = ([[
      local batches = require "hubspot.associations.job.batch"
      local journal_files = require "hubspot.associations.job.journal_file"
      local book = assert(journal_files.open(%q, { from = "contacts", to = "companies" }, "created"))
      local first = 1
      while book:record_at(first) do first = first + 1 end
      print(first)
      io.stdout:flush()
      local message = ("x"):rep(300000)
      while true do
        local batch = batches.new(first, {})
        batch:add(first, { from = tostring(first), to = "1", types = 279 })
        batch:settle(1, "failed", { kind = "http", message = message })
        assert(book:record(batch))
        first = first + 1
        print(first)
        io.stdout:flush()
      end
    ]]):format(path)
    for _ = 1, 5 do
      local writer = process.start { process.interpreter(), "-e", script }
      local found = tonumber(writer.line)
      for _ = 1, 3 do found = tonumber(writer:read_line()) end
      writer:kill "KILL"
      writer:close()
      local book = assert(journal_files.open(path, JOB, "created"))
      for index = 1, found - 1 do
        assert.equal(300000, #records.failures(book:record_at(index))[1].error.message)
      end
      book:close()
    end
  end)

  it("is an error where it cannot be written", function()
    for _, wrong in ipairs { folder, folder .. "/no/such", "" } do
      local book, err = journal_files.open(wrong, JOB, "created")
      assert.is_nil(book)
      assert.equal("journal", err.kind)
      assert.truthy(err.message:find(wrong, 1, true))
    end
  end)

  it("is unlocked after an error, and after close", function()
    local book = assert(journal_files.open(path, JOB, "created"))
    book:close()
    assert.is_nil((journal_files.open(path, { from = "deals", to = "deals" }, "created")))
    book = assert(journal_files.open(path, JOB, "created"))
    book:close()
    assert(core.file(path)):close()
  end)

  it("is locked for other processes while it is open", function()
    local holder = process.start { process.interpreter(), "-e", ([[
      local journal_files = require "hubspot.associations.job.journal_file"
      local book = assert(journal_files.open(%q, { from = "contacts", to = "companies" }, "created"))
      io.write "ready\n"
      io.flush()
      io.read "*a"
      book:close()
    ]]):format(path) }
    assert.equal("ready", holder.line)
    local book, err = journal_files.open(path, JOB, "created")
    assert.is_nil(book)
    assert.equal("journal", err.kind)
    assert.truthy(err.message:find("another process", 1, true))
    assert.equal(0, holder:close().code)
    book = assert(journal_files.open(path, JOB, "created"))
    book:close()
  end)
end)

describe("a damaged record", function()
  local function with(record)
    return written() .. cjson.encode(record) .. "\n"
  end

  local function failure(index)
    return { index = index, outcome = "failed", error = { kind = "http", message = "no" } }
  end

  local GOOD = { first = 10, inputs = 3, digest = "0123456789abcdef", created = 1,
    failures = { failure(10) }, refused = 1, refused_digest = "0123456789abcdef" }

  local function but(changes)
    local record = {}
    for name, value in pairs(GOOD) do record[name] = value end
    for name, value in pairs(changes) do record[name] = value end
    return record
  end

  it("is an error with its line", function()
    assert(open(holding(with(GOOD))))
    for what, changes in pairs {
      ["an index before it"] = { failures = { failure(9) } },
      ["an index behind it"] = { failures = { failure(13) } },
      ["an index twice"] = { created = 0, failures = { failure(12), failure(12) } },
      ["half an index"] = { failures = { failure(10.5) } },
      ["too many invalid"] = { refused = 2 },
      ["an invalid count that is not a number"] = { refused = "1" },
      ["invalid inputs without a digest"] = { refused_digest = 5 },
      ["counts that do not add up"] = { created = 2 },
      ["half a count"] = { created = 1.5, inputs = 3.5 },
      ["a negative count"] = { created = -1, inputs = 1 },
      ["no first"] = { first = 0 },
      ["the first of another"] = { first = 7 },
      ["inputs of the one before"] = { first = 9 },
      ["inputs of the one behind"] = { first = 1, inputs = 30, created = 28 },
      ["endless inputs"] = { inputs = 1e300, created = 1e300 },
    } do
      local opened, err = open(holding(with(but(changes))))
      assert.is_nil(opened, what)
      assert.truthy(err.message:find("line 5 is damaged", 1, true), what .. ": " .. err.message)
      assert.equal("damaged", err.reason)
    end
  end)

  it("may be one that overlaps another, wherever that is", function()
    local lines = lines_of(written())
    local long = cjson.encode { first = 2, inputs = 4, digest = "0123456789abcdef", created = 4 }
    local text = table.concat({ lines[1], long, lines[2], lines[4] }, "\n") .. "\n"
    assert.truthy(unusable(holding(text)):find("line 3 is damaged", 1, true))
  end)
end)

describe("a journal's file", function()
  local folder

  before_each(function() folder = process.make_folder() end)
  after_each(function() process.remove_folder(folder) end)

  it("is readable by its owner only", function()
    local book = assert(journal_files.open(folder .. "/journal", JOB, "created"))
    book:close()
    assert.truthy(process.run({ "ls", "-l", folder .. "/journal" }).stdout:find("^%-rw%-%-%-%-%-%-%-"))
  end)

  it("is an error at once when it is not a regular file", function()
    assert.equal(0, process.run({ "mkfifo", folder .. "/fifo" }).code)
    assert.equal(0, process.run({ "ln", "-s", "/dev/full", folder .. "/link" }).code)
    for _, path in ipairs { folder, folder .. "/fifo", folder .. "/link", "/dev/full", "/dev/null" } do
      local opened, err = journal_files.open(path, JOB, "created")
      assert.is_nil(opened)
      assert.equal("journal", err.kind)
      assert.truthy(err.message:find(path, 1, true))
    end
  end)

  it("may be opened through a link", function()
    assert(journal_files.open(folder .. "/journal", JOB, "created")):close()
    assert.equal(0, process.run({ "ln", "-s", folder .. "/journal", folder .. "/link" }).code)
    assert(journal_files.open(folder .. "/link", JOB, "created")):close()
  end)
end)
