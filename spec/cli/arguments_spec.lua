-- Checks arguments.lua: a list of words in, a table or a message out.

local arguments = require "hubspot.associations.cli.arguments"

local function words(line)
  local list = {}
  for word in line:gmatch "%S+" do list[#list + 1] = word end
  return list
end

local function parse(line)
  return arguments.parse(words(line), "1.2.3")
end

describe("the arguments", function()
  it("of create are read", function()
    assert.are.same({
      command = "create", create = true, from = "contacts", to = "companies", type = "279",
      category = "USER_DEFINED", token_file = "t", base_url = "http://127.0.0.1:1", api_version = "v4",
      format = "csv", files = { "pairs.csv" }, max_attempts = 2, journal = "j", failures = "f",
      concurrency = 8, batch_size = 500, rate = 90, progress = "bar", dry_run = true, quiet = true,
    }, parse("create --from contacts --to companies --type 279 --category USER_DEFINED --token-file t"
      .. " --base-url http://127.0.0.1:1 --api-version v4 --format csv --max-attempts 2 --journal j"
      .. " --failures f --concurrency 8 --batch-size 500 --rate 90 --progress bar --dry-run --quiet"
      .. " pairs.csv"))
  end)

  it("of create name types as a column does", function()
    for _, word in ipairs { "1", "2147483647", "USER_DEFINED:36", "primary" } do
      assert.are.equal(word, parse("create --from a --to b --type " .. word .. " f").type)
    end
  end)

  it("of create may be few", function()
    assert.are.same({
      command = "create", create = true, from = "a", to = "b", files = { "-" }, progress = "auto",
    }, parse "create --from=a --to=b -")
  end)

  it("of sandbox are read", function()
    assert.are.same({
      command = "sandbox", sandbox = true, port = 8080, token = { "a", "b" }, latency = 0.25, rate = 100,
      interval = 1, daily = 5, status = 200, retry_after = true, string_ids = true, until_eof = true,
      faults = { [3] = "secondly", [6] = "lost_response" }, visible_after = 1.5,
    }, parse("sandbox --port 8080 --token a --token b --latency .25 --rate 100 --interval 1 --daily 5"
      .. " --status 200 --retry-after --string-ids --until-eof --faults 3:secondly,6:lost_response"
      .. " --visible-after 1.5"))
  end)

  it("of sandbox may be none", function()
    assert.are.same({ command = "sandbox", sandbox = true, port = 0, token = {} }, parse "sandbox")
  end)

  local MISTAKES = {
    { "", "command is required" },
    { "destroy", "unknown command 'destroy'" },
    { "create --to b f", "'--from'" },
    { "create --from a f", "'--to'" },
    { "create --from a --to b", "missing argument 'FILE'" },
    { "list a 1 b g", "too many arguments: 'g'; put quotes around what has spaces" },
    { "create --from a --to b --type 0 f", "'--type': expected an association type id" },
    { "create --from a --to b --type 1.5 f", "found '1.5'" },
    { "create --from a --to b --type 1;2 f", "'--type'" },
    { "create --from a --to b --type 2147483648 f", "'--type'" },
    { "create --from a --to b --type WORK:0 f", "found 'WORK:0'" },
    { "create --from a --to b --category user f", "upper case" },
    { "create --from a --to b --format xml f", "--format" },
    { "create --from a --to b --batch-size 2001 f", "expected a whole number from 1 to 2000" },
    { "create --from a --to b --concurrency 0 f", "'--concurrency'" },
    { "create -t 279 --from a --to b f", "unknown option '-t'; did you mean one of these: '--to' '--type'" },
    { "sync --from a --to b --limit 5 f", "'--limit': a sync takes all rows of FILE" },
    { "sync --from a --to b --limit=5 f", "'--limit': a sync takes all rows of FILE" },
    { "read -l f", "unknown option '-l'; did you mean '--limit'?" },
    { "create -q -z f", "unknown option '-z'" },
    { "create --from a --to b --dryrun f", "unknown option '--dryrun'; did you mean '--dry-run'" },
    { "create --from a --to b --progress loud f", "--progress" },
    { "create --from a --to b --failures - f", "'--failures': expected the name of a file" },
    { "create --from a --to b --journal - f", "'--journal': expected the name of a file" },
    { "create --from a --to b --token-file - f", "'--token-file': expected the name of a file" },
    { "read --from a --to b --output csv f", "'--output': expected the name of a file (./csv is one; "
      .. "--output-format csv says how to write), found 'csv'" },
    { "sandbox --faults 3:nothing", "expected N:KIND,..., KIND one of anonymous, " },
    { "sandbox --faults 3", "'--faults'" },
    { "sandbox --faults ,", "'--faults'" },
    { "sandbox --port 65536", "'--port'" },
    { "sandbox --port -1", "" },
    { "sandbox --latency soon", "number of seconds" },
    { "sandbox --latency nan", "number of seconds" },
    { "sandbox --latency 1.2.3", "number of seconds" },
    { "sandbox --interval 0", "positive" },
    { "sandbox --status 404", "from 200 to 299" },
    { "sandbox extra", "too many" },
  }
  for _, case in ipairs(MISTAKES) do
    it(("are a mistake: %q"):format(case[1]), function()
      local parsed, message = parse(case[1])
      assert.is_nil(parsed)
      assert.truthy(message:find(case[2], 1, true), message)
    end)
  end

  it("hold no token of create, and a message does not repeat one", function()
    for _, line in ipairs {
      "create --from a --to b f --token pat-secret", "create --from a --to b f --token=pat-secret",
      "create --token pat-secret --from a --to b f", "create --token",
    } do
      local parsed, message = parse(line)
      assert.is_nil(parsed)
      assert.truthy(message:find("'--token': the token is read from HUBSPOT_TOKEN or --token-file", 1, true))
      assert.is_nil(message:find("pat-secret", 1, true))
    end
  end)

  it("ask for the version", function()
    assert.are.same({ text = "hubspot-associations 1.2.3\n" }, parse "--version")
  end)

  for _, line in ipairs { "--help", "-h", "create --help", "create -h", "sandbox --help" } do
    it("ask for help: " .. line, function()
      local text = parse(line).text
      assert.truthy(text:find("^Usage: hubspot%-associations"))
      assert.truthy(text:find("\n$"))
    end)
  end

  it("have their type ids explained: which those of the examples are, and where there are more", function()
    local text = parse("create --help").text
    assert.truthy(text:find("/crm/v4/associations/{from}/{to}/labels", 1, true))
    assert.is_nil(text:find("--to companies --type 1 ", 1, true))
    assert.truthy(text:find("--to companies --type 279 ", 1, true))
  end)

  it("are shown by examples in the help of each command, on lines of their own", function()
    for _, command in ipairs {
      "create", "create-default", "archive", "archive-labels", "read", "list", "labels", "types", "sandbox",
    } do
      local examples = parse(command .. " --help").text:match "\nExamples:\n(.*)$"
      for line in examples:gmatch "[^\n]+" do
        assert.truthy(line:find("hubspot-associations " .. command, 1, true), line)
      end
    end
  end)
end)
