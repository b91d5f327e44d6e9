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

  it("is read by parts", function()
    process.write_file(path, "0123456789")
    local file = assert(core.file(path))
    assert.equal("012", file:read(0, 3))
    assert.equal("789", file:read(7, 3))
    assert.equal("89", file:read(8, 100))
    assert.equal("", file:read(10, 5))
    assert.equal("", file:read(1e12, 5))
    assert.equal("", file:read(3, 0))
    assert.is_true(file:append "ab")
    assert.equal("9ab", file:read(9, 5))
    for _, wrong in ipairs { { -1, 5 }, { 0, -1 }, { 0, 1e12 }, { 0, 0 / 0 }, { 0 / 0, 1 }, { 1 }, {} } do
      assert.has_error(function() file:read(wrong[1], wrong[2]) end)
    end
    file:close()
    assert.has_error(function() file:read(0, 1) end)
  end)

  it("tells when the disk is full, and is as it was", function()
    local before = "0123456789\n"
    process.write_file(path, before)
    local script = ([[
      local file = assert(require("hubspot.associations.core").file(%q))
      print(file:append(("x"):rep(5000)))
    ]]):format(path)
    local limited = "trap '' XFSZ; ulimit -f 4; exec \"$@\""
    local result = process.run { "sh", "-c", limited, "sh", process.interpreter(), "-e", script }
    assert.truthy(result.stdout:find "^nil\t.", result.stdout .. result.stderr)
    assert.equal(before, read(path))
  end)

  it("is never anything but a regular file", function()
    process.run { "mkfifo", path }
    process.run { "ln", "-s", "/dev/zero", folder .. "/device" }
    process.run { "ln", "-s", path, folder .. "/to_fifo" }
    for _, other in ipairs {
      path, folder .. "/device", folder .. "/to_fifo", "/dev/full", "/dev/zero", "/dev/null", "/dev/tty",
    } do
      local file, reason, locked = core.file(other)
      assert.is_nil(file)
      assert.equal("is no regular file", reason)
      assert.is_nil(locked)
    end
  end)

  it("may be named by a symbolic link", function()
    process.write_file(path, "before\n")
    process.run { "ln", "-s", path, folder .. "/link" }
    local file = assert(core.file(folder .. "/link"))
    assert(file:append "behind\n")
    file:close()
    assert.equal("before\nbehind\n", read(path))
  end)

  it("is made for its owner only, whatever the umask, and keeps the mode that it has", function()
    local script = ("assert(require('hubspot.associations.core').file(%q)):close()"):format(path)
    for umask, mode in pairs { ["000"] = "600", ["022"] = "600", ["077"] = "600" } do
      local masked = "umask " .. umask .. '; exec "$@"'
      process.run { "sh", "-c", masked, "sh", process.interpreter(), "-e", script }
      assert.equal(mode .. "\n", process.run({ "stat", "-c", "%a", path }).stdout)
      os.remove(path)
    end
    process.write_file(path, "")
    process.run { "chmod", "644", path }
    assert(core.file(path)):close()
    assert.equal("644\n", process.run({ "stat", "-c", "%a", path }).stdout)
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

  it("may be a temporary one, with a name of its own", function()
    local one, other = core.temporary_file(folder), core.temporary_file(folder)
    assert.are_not.equal(one, other)
    for _, name in ipairs { one, other } do
      assert.equal(folder, name:match "^(.*)/hubspot%-associations%-")
      assert.equal(6 * 64, core.stat(name).mode)
      assert.equal("", read(name))
    end
    for at, why in pairs {
      [folder .. "/none"] = "No such file or directory", [("x"):rep(5000)] = "File name too long",
    } do
      local none, message = core.temporary_file(at)
      assert.is_nil(none)
      assert.equal(why, message)
    end
    assert.has_error(function() core.temporary_file "a\0b" end)
  end)
end)
