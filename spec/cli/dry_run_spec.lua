-- Checks --dry-run by the command. That it is a job which sends nothing is spec/job/dry_run_spec's matter.

local command = require "support.command"

local fixture = command.fixture()
local create, file, path = fixture.create, fixture.file, fixture.path
local assert_found, pairs_csv = command.assert_found, command.pairs_csv
local lines_in = command.lines_in

describe("a dry run of the command", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  it("checks all rows and sends nothing, without a token", function()
    local result = create({ "--dry-run", "-" },
      { stdin = pairs_csv(4001), env = { HUBSPOT_TOKEN = false } })
    assert.are.same({
      code = 0, stderr = "",
      stdout = "dry run: 4001 rows: 4001 can be sent, in 3 requests; 0 cannot; nothing was sent\n",
    }, result)
    result = create({ "--dry-run", "--failures", path "f", "--batch-size", "2", "-" },
      { stdin = "1,2\n,3\n4,5,0\n6,7\n8,9\n" })
    assert.are.same({ 1, "" }, { result.code, result.stderr })
    assert_found(result.stdout,
      "dry run: 5 rows: 3 can be sent, in 3 requests; 2 cannot; nothing was sent\n"
      .. "line 2: from: expected a record id (1 to 19 digits), found the string \"\": it is empty; "
      .. "fill it in, or leave the row out\nline 3: column type: expected")
    assert.are.equal(3, lines_in(path "f"))
    assert.are.equal(0, fixture.server:statistics().requests)
  end)

  it("asks for the account's labels if rows name one, with a token, and sends no row", function()
    fixture.server:configure { labels = { ["36"] = "Decision maker" } }
    local function run(env, more)
      local words = { "--dry-run", "--type", "Decision maker", "-" }
      for _, word in ipairs(more or {}) do table.insert(words, 1, word) end
      return create(words, { stdin = "1,2\n3,4,primary\n5,6,Nobody\n", env = env })
    end
    local result = run()
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "dry run: 3 rows: 2 can be sent, in 1 request; 1 cannot; nothing was sent\n")
    assert_found(result.stdout, 'has the name "Nobody"; there are "Billing", "Decision maker"')
    assert.are.equal(0, fixture.server:statistics().inputs)
    local token_file = fixture.secret_file("token", command.TOKEN)
    local by_file = run({ HUBSPOT_TOKEN = false }, { token_file, "--token-file" })
    assert.are.equal(result.stdout, by_file.stdout)
    local stopped = run { HUBSPOT_TOKEN = false }
    assert_found(stopped.stderr, "no token: set the environment variable")
    assert.are.equal("dry run: it stopped before all rows were checked; nothing was sent\n", stopped.stdout)
    assert_found(run({ HUBSPOT_TOKEN = "expired" }).stderr, "the token is valid and has not expired")
  end)

  it("says what arguments are wrong", function()
    local result = create({ "--dry-run", "--base-url", "http://example.com", "-" }, { stdin = "1,2" })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "'--base-url': ")
  end)

  it("foretells the requests of the job", function()
    local rows = { "--batch-size", "2", file("rows.csv", "1,2\n,3\n4,5,0\n6,7\n8,9\n8,9\n") }
    local result = create(rows)
    assert_found(result.stdout, "6 rows: 4 created, 2 failed; 1 of them a duplicate\n3 requests; ")
    rows[4] = "--dry-run"
    assert_found(create(rows).stdout, "dry run: 6 rows: 4 can be sent, in 3 requests; 2 cannot")
  end)

  it("opens no journal", function()
    local result = create({ "--dry-run", "--journal", path "journal", "-" }, { stdin = "1,2\n" })
    assert.are.equal(0, result.code)
    assert.is_nil(io.open(path "journal"))
  end)
end)
