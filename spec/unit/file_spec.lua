-- Checks core.file: a file that is appended to, by one process at a time. On real files and processes.

local core = require "hubspot.associations.core"
local process = require "support.process"

local read = process.read_file

describe("a file", function()
  local folder, path

  before_each(function()
    folder = process.make_folder()
    path = folder .. "/journal"
  end)

  after_each(function()
    process.remove_folder(folder)
  end)

  it("is made when it is not there", function()
    local file = assert(core.file(path))
    assert.equal("", read(path))
    file:close()
  end)

  it("is appended to, and keeps what it held", function()
    process.write_file(path, "before\n")
    local file = assert(core.file(path))
    assert.is_true(file:append "one\n")
    assert.is_true(file:append "")
    assert.is_true(file:append "t\0wo\n")
    assert.equal("before\none\nt\0wo\n", read(path))
    file:close()
    file = assert(core.file(path))
    assert.is_true(file:append "three")
    assert.equal("before\none\nt\0wo\nthree", read(path))
    file:close()
  end)

  it("is shortened, and appended to from there", function()
    process.write_file(path, "0123456789")
    local file = assert(core.file(path))
    assert.is_true(file:truncate(4))
    assert.is_true(file:append "x")
    assert.equal("0123x", read(path))
    assert.is_true(file:truncate(0))
    assert.equal("", read(path))
    assert.has_error(function() file:truncate(-1) end)
    assert.has_error(function() file:truncate() end)
    file:close()
  end)

  it("takes long texts", function()
    local file = assert(core.file(path))
    local long = ("0123456789abcdef"):rep(200000)
    assert.is_true(file:append(long))
    file:close()
    assert.equal(long, read(path))
  end)

  it("raises when it is used after close, which may be called twice", function()
    local file = assert(core.file(path))
    file:close()
    file:close()
    assert.has_error(function() file:append "x" end)
    assert.has_error(function() file:truncate(0) end)
  end)

  it("is not opened where there is no folder, or where the path is one", function()
    for _, wrong in ipairs { folder .. "/no/such/journal", folder, "" } do
      local file, reason, locked = core.file(wrong)
      assert.is_nil(file)
      assert.equal("string", type(reason))
      assert.is_nil(locked)
    end
    assert.has_error(function() core.file("a\0b") end)
    assert.has_error(function() core.file() end)
  end)

  it("tells when the disk is full, and is as it was", function()
    local file = core.file("/dev/full")
    if not file then return end -- no such device, or no right to it
    local appended, reason = file:append "x"
    assert.is_nil(appended)
    assert.equal("string", type(reason))
    file:close()
  end)

  it("is locked while it is open, in this process, too", function()
    local file = assert(core.file(path))
    local second, reason, locked = core.file(path)
    assert.is_nil(second)
    assert.equal("string", type(reason))
    assert.is_true(locked)
    file:close()
    assert(core.file(path)):close()
  end)

  it("is free again when its handle is collected", function()
    local file = assert(core.file(path))
    assert(file:append "x")
    file = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert(core.file(path)):close()
  end)

  it("is locked for other processes, until the one that has it ends, however it ends", function()
    local holder = process.start { process.interpreter(), "-e", ([[
      local file = assert(require("hubspot.associations.core").file(%q))
      file:append "held\n"
      io.write "ready\n"
      io.flush()
      io.read "*a"
    ]]):format(path) }
    local file, _, locked = core.file(path)
    assert.is_nil(file)
    assert.is_true(locked)
    holder:kill "KILL"
    holder:close()
    file = assert(core.file(path))
    file:close()
    assert.equal("held\n", read(path))
  end)
end)
