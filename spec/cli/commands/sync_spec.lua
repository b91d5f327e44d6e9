-- Checks the command sync as its users run it: a process of its own, against the sandbox, over real HTTP.

local command = require "support.command"
local core = require "hubspot.associations.core"
local process = require "support.process"
local sync_job = require "hubspot.associations.cli.sync_job"

local fixture = command.fixture()
local create, file, held, run_on = fixture.create, fixture.file, fixture.held, fixture.run_on
local assert_found = command.assert_found

describe("the command sync", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(function()
    fixture.reset()
    assert.are.equal(0, create({ "-" }, { stdin = "101,201,279\n101,204,279\n103,205,279\n" }).code)
  end)

  local LIST = "from,to,type\n101,201,279\n101,202,279\n102,203,279\n"

  it("creates what is missing, and removes nothing", function()
    local result = run_on("sync", { "--yes", "-" }, { stdin = LIST })
    assert.are.same({ 0, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "3 rows: 1 kept, 2 created, 0 removed, 0 failed\n2 requests; T\n")
    assert.are.same({ "101/201/279", "101/202/279", "101/204/279", "102/203/279", "103/205/279" }, held())
    assert_found(run_on("sync", { "--yes", "-" }, { stdin = LIST }).stdout, "3 rows: 3 kept, 0 created")
  end)

  it("removes in a mirror what the list does not have, of the records that it names", function()
    local result = run_on("sync", { "--mode", "mirror", "--yes", "-" }, { stdin = LIST })
    assert.are.same({ 0, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "3 rows and 1 removal: 1 kept, 2 created, 1 removed, 0 failed\n")
    assert.are.same({ "101/201/279", "101/202/279", "102/203/279", "103/205/279" }, held())
  end)

  it("writes a plan, and does what it says later", function()
    local before, plan = held(), fixture.path "plan.csv"
    local result = run_on("sync", { "--mode", "mirror", "--plan", plan, file("list.csv", LIST) })
    assert.are.same({ 0, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "plan.csv: 2 rows to create, 1 link to remove of 2 that are compared; 1 "
      .. "kept, 0 failed; nothing was changed\n")
    assert.are.same(before, held())
    local text = process.read_file(plan)
    assert_found(text, "action,from contacts,to companies,category,type,label,had in account 12345678,")
    assert_found(text, ",HUBSPOT_DEFINED,279,unlabeled,,line 3\n")
    assert_found(text, "create,101,202,HUBSPOT_DEFINED,279,")
    assert_found(text, "remove,101,204,HUBSPOT_DEFINED,279,")
    result = run_on("sync", { "--apply", plan, "--yes" })
    assert.are.same({ 0, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "2 rows and 1 removal: 0 kept, 2 created, 1 removed, 0 failed\n")
    assert.are.same({ "101/201/279", "101/202/279", "102/203/279", "103/205/279" }, held())
  end)

  it("names a line of a plan with its file", function()
    local plan = fixture.path "plan.csv"
    run_on("sync", { "--plan", plan, file("list.csv", "from,to,type\n101,202,279\n102,203,279\n") })
    local text, count = process.read_file(plan):gsub(",102,203,", ",102,4041,")
    assert.equal(1, count)
    process.write_file(plan, text)
    local result = run_on("sync", { "--apply", plan, "--yes" })
    assert.equal(1, result.code)
    assert_found(result.stdout, "\n" .. plan .. ":3: ")
  end)

  it("does not apply the plan of another account", function()
    local before, plan = held(), fixture.path "plan.csv"
    run_on("sync", { "--mode", "mirror", "--plan", plan, file("list.csv", LIST) })
    assert_found(process.read_file(plan), ",had in account 12345678,")
    fixture.server:configure { hub_id = 11 }
    local result = run_on("sync", { "--apply", plan, "--yes" })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "it is a plan of the account 12345678, not of 11")
    assert.are.same(before, held())
  end)

  it("writes and applies a plan, too, where HubSpot does not say which account it is", function()
    local NONE = "none"
    for answer, expected in pairs {
      [false] = NONE, [1] = "1", ["11"] = "11", [1.5] = NONE, ["x"] = NONE, [true] = NONE,
    } do
      for _, arguments in ipairs { { plan = "p" }, { apply = "p" }, {}, { plan = "p", dry_run = true } } do
        local asked, options = 0, {}
        local client = { account = function()
          asked = asked + 1
          if answer == false then return nil, { kind = "forbidden" } end
          return { portalId = answer }
        end }
        sync_job.new({ arguments = arguments, client = client }, options)
        local is_asked = (arguments.plan or arguments.apply) and not arguments.dry_run
        assert.are.equal(is_asked and 1 or 0, asked)
        assert.are.equal(is_asked and expected or NONE, options.account or NONE)
      end
    end
  end)

  it("says why it cannot write a plan, and leaves what is no file as it is", function()
    local pipe = fixture.path "pipe"
    assert.are.equal(0, process.run({ "mkfifo", pipe }).code)
    for plan, why in pairs {
      [pipe] = "is not a regular file",
      ["no/folder/plan.csv"] = "no/folder/plan.csv.part, which is written first, cannot be used: "
        .. "No such file",
    } do
      local result = run_on("sync", { "--plan", plan, file("list.csv", LIST) })
      assert.are.same({ 2, "" }, { result.code, result.stdout })
      assert_found(result.stderr, "the plan " .. plan .. ": " .. why)
      assert_found(result.stderr, "check that this file can be read and written\n")
      assert_found(result.stderr, "nothing was sent\n")
    end
    assert.are.equal("fifo", core.stat(pipe).type)
  end)

  it("says that a journal is another list's, or another process has it, whose failures it leaves", function()
    local journal, failures = fixture.path "journal", fixture.path "failures.csv"
    local function run(text)
      return run_on("sync", { "--yes", "--journal", journal, file("list.csv", text) })
    end
    assert.are.equal(0, run(LIST).code)
    local result = run(LIST .. "104,201,279\n")
    assert.are.same({ 2, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "is of another sync: the source has other rows\n")
    assert_found(result.stderr, "nothing was sent\n")
    process.write_file(failures, "what another process has in it\n")
    local other = assert(core.file(journal))
    result = run_on("sync", {
      "--yes", "--journal", journal, "--failures", failures, file("list.csv", LIST),
    })
    other:close()
    assert.are.same({ 2, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "another process, or another job of this one, is using it\n")
    assert.are.equal("what another process has in it\n", process.read_file(failures))
  end)

  it("says in a dry run what it would do, and changes nothing", function()
    local before = held()
    local result = run_on("sync", { "--mode", "mirror", "--dry-run", "-" }, { stdin = LIST })
    assert.are.same({ 0, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "dry run: 2 rows to create, 1 link to remove of 2 that are compared; 1 kept")
    assert.are.same(before, held())
  end)

  it("changes nothing without --yes, where there is no terminal, and asks nobody", function()
    local before, requests = held(), fixture.server:statistics().requests
    local result = run_on("sync", { file("list.csv", LIST) })
    assert.are.same({ 2, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "sync: there is no terminal on which it could ask; give --yes")
    assert.are.equal(requests, fixture.server:statistics().requests)
    assert.are.same(before, held())
  end)

  it("removes nothing from a record with a bad row, which it names by its line", function()
    local result = run_on("sync", { "--mode", "mirror", "--yes", "-" },
      { stdin = "from,to,type\n\n101,201,279\n101,,279\n103,206,279\n" })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "3 rows and 1 removal: 1 kept, 1 created, 1 removed, 1 failed\n")
    assert_found(result.stdout, "nothing was removed from 1 record, as a row of it is doubtful\n")
    assert_found(result.stdout, "line 4: to: ")
    assert.are.same({ "101/201/279", "101/204/279", "103/206/279" }, held())
  end)

  it("takes several files as one list, and names a row by its file and line", function()
    local one = file("one.csv", "from,to,type\n101,201,279\n101,202,x;y\n")
    local two = file("two.csv", "to,type,from,Name\n203,279,102,Bob\n4041,279,102,Eve\n205,279,103,Cleo\n")
    local failures = fixture.path "failed.csv"
    local result = run_on("sync", { "--mode", "mirror", "--yes", "--failures", failures, one, two })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "5 rows: 2 kept, 1 created, 0 removed, 2 failed\n")
    assert_found(result.stdout, "\n" .. one .. ":3: ")
    assert_found(result.stdout, "\n" .. two .. ":3: ")
    assert.are.same({ "101/201/279", "101/204/279", "102/203/279", "103/205/279" }, held())
    local text = process.read_file(failures)
    assert_found(text, "file,row,from,to,type,outcome,error,message\n")
    assert_found(text, "\n" .. two .. ",3,102,4041,279,failed,")
    assert_found(run_on("sync", { "--mode", "mirror", "--yes", one, failures }).stderr,
      "failed.csv: line 1: is a file of failures")
  end)

  it("removes nothing at all when a row does not say which record it is about", function()
    local before = held()
    local result = run_on("sync", { "--mode", "mirror", "--yes", "-" },
      { stdin = "from,to,type\n101,201,279\n,202,279\n" })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "nothing was removed: line 3 failed, ")
    assert.are.same(before, held())
  end)

  it("names a row by its file and line in the plan as well, and after a resume", function()
    local plan, journal = fixture.path "plan.csv", fixture.path "journal"
    local one = file("one.csv", "from,to,type\n101,201,279\n")
    local two = file("two.csv", "from,to,type\n\n,202,279\n101,209,279\n")
    local why = "nothing was removed: " .. two .. ":3 failed, and which records it is about cannot be told: "
    assert_found(run_on("sync", { "--mode", "mirror", "--plan", plan, one, two }).stdout, why)
    local text = process.read_file(plan)
    assert_found(text, ",lines\n")
    assert_found(text, "create,101,209,HUBSPOT_DEFINED,279,")
    assert_found(text, "," .. two .. ":4\n")
    for _ = 1, 2 do
      local result = run_on("sync", { "--mode", "mirror", "--yes", "--journal", journal, one, two })
      assert_found(result.stdout, why)
      assert_found(result.stdout, "\n" .. two .. ":3: ")
    end
  end)

  it("takes an empty to for no links only when it is told to", function()
    local rows = { stdin = "from,to,type\n101,,\n103,205,279\n" }
    local result = run_on("sync", { "--mode", "mirror", "--yes", "-" }, rows)
    assert.are.equal(1, result.code)
    assert.are.equal(3, #held())
    result = run_on("sync", { "--mode", "mirror", "--yes", "--empty-to", "none", "-" }, rows)
    assert.are.same({ 0, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "2 rows and 2 removals: 2 kept, 0 created, 2 removed, 0 failed\n")
    assert.are.same({ "103/205/279" }, held())
  end)

  it("changes nothing when there would be more removals than are allowed", function()
    local before = held()
    local arguments = { "--mode", "mirror", "--yes", "--max-removals", "10%", "-" }
    local result = run_on("sync", arguments, { stdin = LIST })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "1 of 2 links would be removed, more than 0; nothing was changed\n")
    assert_found(result.stderr, "--max-removals")
    assert.are.same(before, held())
  end)

  it("compares only the types of --scope", function()
    create({ "-" }, { stdin = "101,207,1\n" })
    local result = run_on("sync", { "--mode", "mirror", "--scope", "279", "--yes", "-" },
      { stdin = "101,201,279\n101,204,279\n" })
    assert.are.same({ 0, "" }, { result.code, result.stderr })
    assert.are.same({ "101/201/279", "101/204/279", "101/207/1", "103/205/279" }, held())
  end)

  it("does not mirror a file of failures, which has not all links of its records", function()
    local before, failures = held(), fixture.path "f.csv"
    local result = run_on("sync", { "--mode", "mirror", "--yes", "--failures", failures, "-" },
      { stdin = "from,to,type\n101,201,279\n101,x,279\n101,204,279\n" })
    assert_found(result.stdout, "f.csv lists that row: correct it, and give it to this command, without "
      .. "--mode mirror")
    result = run_on("sync", { "--mode", "mirror", "--yes", failures })
    assert.are.same({ 2, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "f.csv: line 1: is a file of failures")
    local saved_anew = "\239\187\191Row;from;to;type;outcome;error;message\r\n3;101;202;279;failed;;\r\n"
    for _, text in ipairs { process.read_file(failures), saved_anew } do
      result = run_on("sync", { "--mode", "mirror", "--yes", "-" }, { stdin = text })
      assert.are.same({ 2, "" }, { result.code, result.stdout })
      assert_found(result.stderr, "standard input: line 1: is a file of failures")
    end
    assert.are.same(before, held())
  end)

  it("goes on from a journal, and reports what was done before", function()
    local arguments = { "--mode", "mirror", "--yes", "--journal", fixture.path "j", file("list.csv", LIST) }
    assert.are.equal(0, run_on("sync", arguments).code)
    local result = run_on("sync", arguments)
    assert.are.same({ 0, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "3 rows and 1 removal: 1 kept, 2 created, 1 removed, 0 failed; 4 of them k")
  end)

  for name, case in pairs {
    ["FILE and a plan"] = { { "--apply", "p", "f.csv" }, "--apply takes no FILE" },
    ["neither of them"] = { {}, "expected FILE, or --apply with a plan" },
    ["a mode with a plan"] = { { "--apply", "p", "--mode", "mirror" }, "--apply takes no --mode" },
    ["a part of more than all"] = { { "--max-removals", "101%", "f.csv" }, "'--max-removals': expected" },
  } do
    it("does not take " .. name, function()
      local result = run_on("sync", case[1])
      assert.are.same({ 2, "" }, { result.code, result.stdout })
      assert_found(result.stderr, case[2])
    end)
  end
end)
