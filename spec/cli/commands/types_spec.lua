-- Checks the command types as its users run it: a process of its own, without a token.

local command = require "support.command"

local assert_found = command.assert_found

local function run(arguments)
  table.insert(arguments, 1, "types")
  return command.run(arguments, { env = { HUBSPOT_TOKEN = false } })
end

describe("the command types", function()
  it("shows HubSpot's own types of a direction", function()
    local result = run { "--from", "0-1", "--to", "Companies", "--output-format", "csv" }
    assert.are.same({
      code = 0, stderr = "",
      stdout = "from,to,name,type\ncontacts,companies,unlabeled,279\ncontacts,companies,primary,1\n"
        .. "contacts,companies,billing,931\n",
    }, result)
  end)

  it("shows all, or those of one object type", function()
    local all = select(2, run({}).stdout:gsub("\n", ""))
    local from = select(2, run({ "--from", "contacts" }).stdout:gsub("\ncontacts,", "\n"))
    local to = run({ "--to", "contacts" }).stdout
    assert.are.equal(413, all)
    assert.is_true(from > 10 and from < all)
    assert_found(to, "\ncompanies,contacts,primary,2\n")
    assert.is_nil(to:find("contacts,companies", 1, true))
  end)

  it("says so of an object type that is none of HubSpot's own", function()
    local result = run { "--from", "2-12" }
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "option '--from': 2-12 is none of HubSpot's own object types")
  end)
end)
