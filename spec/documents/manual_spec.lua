-- Checks the manual page that tools/manual.lua makes: it has all commands and options, and no mistake that
-- mandoc or groff finds.

local arguments = require "hubspot.associations.cli.arguments"
local checkout = require "support.checkout"
local process = require "support.process"

local function is_there(program)
  return process.run({ "sh", "-c", "command -v " .. program }).code == 0
end

describe("the manual page", function()
  local folder, page, text

  setup(function()
    folder = process.make_folder()
    page = folder .. "/hubspot-associations.1"
    local tool = checkout.ROOT .. "tools/manual.lua"
    local made = process.run({ process.interpreter(), tool, "1.2.3", "2026-11-08" },
      { env = { LUA_PATH = package.path, LUA_CPATH = package.cpath, LUA_INIT = false } })
    assert(made.code == 0, made.stderr)
    process.write_file(page, made.stdout)
    text = made.stdout
  end)

  teardown(function() process.remove_folder(folder) end)

  it("has all commands and options, each with what --help says", function()
    for _, command in ipairs(arguments.table().commands) do
      assert.truthy(text:find("\n.Ss " .. command.name:gsub("^%-", "\\-") .. "\n", 1, true), command.name)
      for _, row in ipairs(command.flags) do
        local item = "Fl \\" .. row.name:match "%-(%-[%w-]+)$"
        assert.truthy(row.never or text:find(item, 1, true), item)
        assert.is_nil(row.never and text:find(row.never, 1, true))
      end
    end
    assert.truthy(text:find("\n.Dd November 8, 2026\n", 1, true))
    local create =
      "\n.Cm create\n.Fl \\-from Ar OBJECT\n.Fl \\-to Ar OBJECT\n.Op Ar option ...\n.Ar FILE ...\n"
    assert.truthy(text:find(create, 1, true))
    assert.truthy(text:find("\n.Op Ar FILE ...\n", 1, true)) -- of sync
  end)

  it("shows what --help shows, in words", function()
    if not is_there "mandoc" then pending "no mandoc" end
    local shown = process.run({ "sh", "-c", 'mandoc -Tascii -O width=500 "$0" | col -b', page }).stdout
      :gsub("%s+", " ")
    for _, command in ipairs(arguments.table().commands) do
      for _, row in ipairs(command.flags) do
        local words = row.description and row.description:gsub("%s+", " ")
        assert.truthy(row.never or shown:find(words, 1, true), words)
      end
    end
  end)

  it("has no mistake that mandoc finds", function()
    if not is_there "mandoc" then pending "no mandoc" end
    local result = process.run { "mandoc", "-Tlint", page }
    assert.same({ 0, "", "" }, { result.code, result.stdout, result.stderr })
  end)

  it("has no mistake that groff finds", function()
    if not is_there "groff" then pending "no groff" end
    local result = process.run { "groff", "-mdoc", "-ww", "-z", "-Tutf8", page }
    assert.same({ 0, "", "" }, { result.code, result.stdout, result.stderr })
  end)
end)
