-- Checks how the doctor's findings are written, and that no secret is.

local command = require "support.command"
local page = require "hubspot.associations.cli.doctor.page"
local random = require "support.random"

local TOKEN = "CNmadeup-0123456789-secret" -- as OAuth has them

local function write(findings, format, secrets, failure)
  local stdout = command.stream(failure)
  local code, message = page.write({ output_format = format }, { stdout = stdout }, findings, secrets or {})
  return stdout.text, code, message
end

describe("the doctor's page", function()
  it("ends with 0 when nothing is wrong, and counts what is not known", function()
    local text, code = write {
      { status = "ok", check = "proxy", found = "none" }, { status = "unknown", check = "app", found = "?" },
    }
    assert.equal(0, code)
    assert.matches("^hubspot%-associations doctor, %d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d UTC\n\nok ", text)
    assert.matches("\nok       proxy         none\nunknown  app           %?\n\n", text)
    assert.matches("\n\nNothing is wrong, 1 could not be checked%.\n$", text)
  end)

  it("ends with 1 when something is wrong, and has what to do in a line of its own", function()
    local one = { status = "wrong", check = "token", found = "gone", advice = "get another" }
    local text, code = write { one }
    assert.equal(1, code)
    assert.matches("\nwrong    token         gone\n +%-> get another\n\n1 thing is wrong%.\n$", text)
    text, code = write { one, one }
    assert.equal(1, code)
    assert.matches("\n2 things are wrong%.\n$", text)
    text, code = write({ one }, "jsonl")
    assert.equal(1, code)
    assert.equal('{"status":"wrong","check":"token","found":"gone","advice":"get another"}\n', text)
  end)

  it("ends with 2 when it cannot be written", function()
    for _, format in ipairs { "text", "jsonl" } do
      local findings = { { status = "ok", check = "proxy", found = "none" } }
      local _, code, message = write(findings, format, nil, { "No space left", 28 })
      assert.equal(2, code)
      assert.matches("standard output cannot be written: No space left", message)
    end
  end)

  it("is one line for each finding, whatever stands in it", function()
    local found = "a\nwrong    token\27[2J\226\128\174b"
    local text = write { { status = "ok", check = "service", found = found } }
    assert.matches("\nok       service       a wrong    token %[2J b\n\n", text)
  end)

  it("has no token at any place of any length, also one that is cut", function()
    random.check(300, function(luck)
      local before = ("x"):rep(luck:pick { 0, 5, luck:integer(7900, 8010) })
      local found = before .. TOKEN:sub(1, luck:pick { #TOKEN, luck:integer(20, #TOKEN) }) .. " and more"
      for _, format in ipairs { "text", "jsonl" } do
        local finding = { status = "ok", check = "a", found = found, advice = found }
        local text = write({ finding }, format, { TOKEN })
        assert.is_nil(text:find(TOKEN:sub(1, 20), 1, true))
      end
    end)
  end)

  it("has no private app's token that nobody gave as one", function()
    local found = "/x/pat-eu1-01234567-89ab-cdef-0123-456789abcdef"
    local text = write { { status = "ok", check = "a", found = found } }
    assert.matches("\nok       a             /x/%[token%]\n", text)
  end)
end)
