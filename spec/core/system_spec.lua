-- Checks what core tells of files, terminals and the environment: each against the system's own tools.

local child = require "support.child"
local command = require "support.command"
local core = require "hubspot.associations.core"
local process = require "support.process"

describe("core.stat", function()
  local folder

  setup(function()
    folder = process.make_folder()
    process.write_file(folder .. "/file", "x")
    local make = 'cd "$1" && chmod 640 file && ln file hard && ln -s file soft && mkfifo fifo'
    process.run { "sh", "-c", make, "sh", folder }
  end)

  teardown(function()
    process.remove_folder(folder)
  end)

  it("tells what a file is", function()
    assert.are.equal("file", core.stat(folder .. "/file").type)
    assert.are.equal("file", core.stat(folder .. "/soft").type)
    assert.are.equal("directory", core.stat(folder).type)
    assert.are.equal("fifo", core.stat(folder .. "/fifo").type)
    assert.are.equal("device", core.stat("/dev/null").type)
  end)

  it("tells its permissions", function()
    assert.are.equal(6 * 64 + 4 * 8, core.stat(folder .. "/file").mode)
  end)

  it("tells its size, also beyond 32 bits", function()
    assert.are.equal(1, core.stat(folder .. "/file").size)
    process.run { "truncate", "-s", "5G", folder .. "/sparse" }
    assert.are.equal(5 * 2 ^ 30, core.stat(folder .. "/sparse").size)
  end)

  it("tells whether two names are of one file", function()
    local id = core.stat(folder .. "/file").id
    assert.are.equal(id, core.stat(folder .. "/hard").id)
    assert.are.equal(id, core.stat(folder .. "/./soft").id)
    assert.are_not.equal(id, core.stat(folder).id)
  end)

  it("takes a descriptor", function()
    local path = folder .. "/file"
    local result = child.run(([[
      local core = require "hubspot.associations.core"
      local out = core.stat(1)
      io.write(out.type, " ", tostring(core.stat(%q).id ~= out.id))]]):format(path))
    assert.are.same({ 0, "file true" }, { result.code, result.stdout })
    assert.is_nil((core.stat(999)))
  end)

  it("says why it cannot tell", function()
    local found, why = core.stat(folder .. "/none")
    assert.are.same({ nil, "No such file or directory" }, { found, why })
  end)

  it("raises for what is no name", function()
    assert.has_error(function() core.stat "a\0b" end)
    assert.has_error(function() core.stat(nil) end)
  end)
end)

describe("a terminal", function()
  it("is told from a file, which has no width", function()
    local result = child.run [[
      local core = require "hubspot.associations.core"
      io.write(tostring(core.isatty(1)), tostring(core.columns(1)), tostring(core.isatty(999)))]]
    assert.are.same({ 0, "falsenilfalse" }, { result.code, result.stdout })
  end)
end)

describe("core.getenv", function()
  local function told(env)
    local result = child.run([[
      local core = require "hubspot.associations.core"
      io.write(tostring(core.getenv "HSA_SPEC"))]], { env = env })
    return result.stdout
  end

  it("tells a variable that is set, and none that is not, or empty", function()
    assert.are.equal("a value", told { HSA_SPEC = "a value" })
    assert.are.equal("nil", told { HSA_SPEC = "" })
    assert.are.equal("nil", told { HSA_SPEC = false })
  end)
end)

describe("core.hold_standard_descriptors", function()
  -- What a process finds that begins with descriptors closed, after the call.
  local function found(redirections)
    local script = ([[exec "$@" -e '
      local core = require "hubspot.associations.core"
      local was_closed = core.hold_standard_descriptors()
      local file = io.open("%s/out", "wb")
      local opened = io.open("/dev/null", "wb") -- takes the lowest descriptor that is free
      local words = {}
      for fd = 0, 2 do words[#words + 1] = core.stat(fd).type end
      io.stdout:setvbuf "no" io.stderr:setvbuf "no"
      words[#words + 1] = was_closed and "closed" or tostring((io.stdin:read(1)))
      words[#words + 1] = tostring(io.stdout:write "x" ~= nil)
      words[#words + 1] = tostring(io.stderr:write "x" ~= nil)
      file:write(table.concat(words, " "))
      file:close()' %s]])
    local folder = process.make_folder()
    process.run({ "sh", "-c", script:format(folder, redirections), "sh", process.interpreter() },
      { env = command.environment(), stdin = "s" })
    local text = process.read_file(folder .. "/out")
    process.remove_folder(folder)
    return text
  end

  it("leaves those that are open", function()
    assert.are.equal("file file file s true true", found "")
  end)

  it("keeps files off those that are closed, which still cannot be used", function()
    assert.are.equal("device file file closed true true", found "<&-")
    assert.are.equal("file device file s false true", found ">&-")
    assert.are.equal("file file device s true false", found "2>&-")
    assert.are.equal("device device device closed false false", found "<&- >&- 2>&-")
  end)
end)
