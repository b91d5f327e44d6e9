-- The commands with records by a property, and with several records in a cell, against the sandbox.

local command = require "support.command"

local fixture = command.fixture()
local create, file, held = fixture.create, fixture.file, fixture.held
local assert_found = command.assert_found

local BY_BOTH = { "--from-property", "email", "--to-property", "domain" }

local function by_both(...)
  local words = {}
  for _, list in ipairs { BY_BOTH, { ... } } do
    for _, word in ipairs(list) do words[#words + 1] = word end
  end
  return words
end

local function read_file(path)
  local handle = assert(io.open(path, "rb"))
  local text = handle:read "*a"
  handle:close()
  return text
end

-- Runs another command than create, from contacts to companies.
local function run(name, ...)
  local words = { name, "--from", "contacts", "--to", "companies", "--base-url", fixture.server:url() }
  for _, word in ipairs { ... } do words[#words + 1] = word end
  return command.run(words)
end

describe("a command with records by a property", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  it("links them, and lists what it did not find, to be mended and fed back", function()
    local failures = file("failures.csv", "")
    local pairs_file = file("pairs.csv", "domain,email\nc202.example,Ada101@example.com\n"
      .. "c203.example,nobody@example.com\nc204.example,\nc205.example,ada4041@example.com\n")
    local result = create(by_both("--failures", failures, pairs_file))
    assert.equal(1, result.code, result.stderr)
    assert_found(result.stdout, "4 rows: 1 created, 3 failed\n1 request, 2 look-ups; ")
    assert_found(result.stdout, "lines 3 and 5: from: no record has this email")
    assert_found(result.stdout, "line 4: from: the email is empty")
    assert.same({ "101/202/1" }, held())
    local text = read_file(failures)
    assert_found(text, '3,nobody@example.com,c203.example,1,failed,not_found,"from: no record of contacts')
    text = text:gsub("nobody@", "ada102@"):gsub("\n4,,", "\n4,ada103@example.com,")
    local mended = file("mended.csv", text)
    result = create(by_both("--failures", failures, mended))
    assert_found(result.stdout, "3 rows: 2 created, 1 failed")
    assert.same({ "101/202/1", "102/203/1", "103/204/1" }, held())
    assert_found(read_file(failures), "ada4041@example.com")
  end)

  it("names the value where it is one, and says once what many rows lack", function()
    local one = create(by_both(file("one.csv", "from,to\nnobody@example.com,c1.example\n")))
    assert_found(one.stdout, 'line 2: from: no record of contacts has the email "nobody@example.com"')
    local lines = { "from,to" }
    for number = 1, 60 do lines[number + 1] = ("x"):rep(number) .. "@example.com,c1.example" end
    local result = create(by_both(file("pairs.csv", table.concat(lines, "\n"))))
    assert_found(result.stdout, "from: no record has this email")
  end)

  it("reads nothing without a header", function()
    local result = create(by_both(file("pairs.csv", "ada101@example.com,c202.example\n")))
    assert.equal(2, result.code)
    assert_found(result.stderr, "needs a header")
    assert_found(result.stderr, "nothing was sent")
    assert.same({}, held())
  end)

  it("stops where the property is not unique, and where a scope is missing", function()
    local pairs_file = file("pairs.csv", "from,to\nLovelace,202\n")
    local result = create { "--from-property", "lastname", pairs_file }
    assert.equal(2, result.code)
    assert_found(result.stderr, "the property has to exist, and its values have to be unique")
    fixture.server:configure { forbidden = { "crm.objects.contacts.read" } }
    result = create { "--from-property", "email", pairs_file }
    assert.equal(2, result.code)
    assert_found(result.stderr, "crm.objects.contacts.read")
  end)

  it("looks up in a dry run, and changes nothing", function()
    local pairs_file = file("pairs.csv",
      "from,to\nada101@example.com,c202.example\nnobody@example.com,c1.example\n")
    local result = create(by_both("--dry-run", pairs_file))
    assert_found(result.stdout, "dry run: 2 rows: 1 can be sent, in 1 request; 1 cannot; nothing was sent")
    assert.same({}, held())
  end)

  it("goes on with a journal, which is of these properties", function()
    local pairs_file = file("pairs.csv", "from,to\nada101@example.com,c202.example\n")
    local journal = file("look-ups.journal", "")
    assert.equal(0, create(by_both("--journal", journal, pairs_file)).code)
    local result = create(by_both("--journal", journal, pairs_file))
    assert_found(result.stdout, "1 row: 1 created, 0 failed; 1 of them known from the journal\n0 requests; ")
    result = create { "--journal", journal, "--from-property", "email", pairs_file }
    assert_found(result.stderr, "is of another job")
  end)

  it("reads and removes by them", function()
    local pairs_file = file("pairs.csv", "email,domain\nada101@example.com,c202.example\n")
    create(by_both(pairs_file))
    local result = run("read", "--from-property", "email", pairs_file)
    assert_found(result.stdout, "101,202,HUBSPOT_DEFINED,1,Primary")
    result = run("archive", "--from-property", "email", "--to-property", "domain", "--yes", pairs_file)
    assert.equal(0, result.code, result.stderr)
    assert.same({}, held())
  end)

  it("makes a link of each record in a cell, by ids or by a property, with the row's number", function()
    local result = create { "--split", ";", file("pairs.csv", "from,to\n101,202;4043\n102,204\n") }
    assert.equal(1, result.code)
    assert_found(result.stdout, "3 rows: 2 created, 1 failed")
    assert_found(result.stdout, "line 2: 101 to 4043: ")
    assert.same({ "101/202/1", "102/204/1" }, held())
    local pairs_file = file("pairs.csv", "from,to\n103,c205.example; c206.example\n")
    result = create { "--to-property", "domain", "--split", ";", pairs_file }
    assert.equal(0, result.code, result.stderr)
    assert.same({ "103/205/279", "103/206/1" }, { held()[3], held()[4] }) -- one primary company of each
  end)

  it("takes no separator that a value may have", function()
    for _, text in ipairs { "0", "a", "@", ".", "-", "", ";;" } do
      local result = create { "--split", text, "-" }
      assert.equal(2, result.code)
      assert_found(result.stderr, "option '--split': expected one of ; , | /")
    end
  end)
end)
