-- Checks the spool: order, names, rights, and what happens when the disk or sort(1) fails.

local core = require "hubspot.associations.core"
local spools = require "hubspot.associations.sync.spool"

describe("a spool", function()
  local spool, temporary_file, getenv, popen = nil, core.temporary_file, core.getenv, io.popen

  after_each(function()
    core.temporary_file, core.getenv, io.popen = temporary_file, getenv, popen -- luacheck: ignore
    if spool then spool:remove() end
    spool = nil
  end)

  local function read(lines)
    local list = {}
    for line in lines do list[#list + 1] = line end
    return list
  end

  it("gives its lines in the order of their bytes, any number of times", function()
    spool = assert(spools.new())
    for _, line in ipairs { "b 2", "a 10", "B", "a 2", "a 2" } do assert(spool:write(line)) end
    assert(spool:sort())
    local expected = { "B", "a 10", "a 2", "a 2", "b 2" }
    assert.same(expected, read(spool:lines()))
    assert.same(expected, read(spool:lines()))
  end)

  it("may be empty", function()
    spool = assert(spools.new())
    assert(spool:sort())
    assert.same({}, read(spool:lines()))
  end)

  it("is readable by its owner only, and has no name once it is sorted", function()
    local paths = {}
    core.temporary_file = function(folder)
      paths[#paths + 1] = temporary_file(folder)
      return paths[#paths]
    end
    spool = assert(spools.new())
    assert.equal(6 * 64, core.stat(paths[1]).mode)
    for index = 1, 5000 do assert(spool:write(tostring(index))) end
    assert(spool:sort())
    assert.equal(2, #paths)
    for _, path in ipairs(paths) do assert.is_nil((core.stat(path))) end
    assert.equal(5000, #read(spool:lines()))
  end)

  it("is removed without being sorted", function()
    spool = assert(spools.new())
    local path = spool.path
    spool:remove()
    assert.is_nil((core.stat(path)))
  end)

  it("is in the folder of TMPDIR, and says so where that is none", function()
    local folder = require("support.process").make_folder()
    core.getenv = function(name) return name == "TMPDIR" and folder or getenv(name) end
    spool = assert(spools.new())
    assert.equal(folder, spool.path:match "^(.*)/")
    spool:remove()
    folder = folder .. "/none"
    local none, err = spools.new()
    assert.is_nil(none)
    assert.equal("a temporary file: " .. folder .. ": No such file or directory", err.message)
    core.getenv = function() return nil end
    spool = assert(spools.new())
    assert.equal("/tmp", spool.path:match "^(.*)/")
  end)

  it("quotes its names for the shell", function()
    local folder = require("support.process").make_folder() .. "/it's $(touch x); `y`"
    assert(os.execute("mkdir " .. "'" .. folder:gsub("'", "'\\''") .. "'"))
    local count = 0
    core.temporary_file = function()
      count = count + 1
      local path = folder .. "/n " .. count
      io.open(path, "w"):close()
      return path
    end
    spool = assert(spools.new())
    assert(spool:write "b")
    assert(spool:write "a")
    assert(spool:sort())
    assert.same({ "a", "b" }, read(spool:lines()))
  end)

  it("fails with an error that says why when sort(1) fails, and leaves no file", function()
    spool = assert(spools.new())
    assert(spool:write "b")
    local path = spool.path
    io.popen = function(command) -- luacheck: ignore
      return popen((command:gsub("sort %-S", "sort --no-such-option -S")))
    end
    local sorted, err = spool:sort()
    assert.is_nil(sorted)
    assert.equal("journal", err.kind)
    assert.truthy(err.message:find("sort(1) failed", 1, true), err.message)
    assert.is_nil((core.stat(path)))
  end)

  it("fails with an error that says why when the disk is full", function()
    if not core.stat "/dev/full" then return end
    spool = assert(spools.new())
    spool.handle:close()
    spool.handle = assert(io.open("/dev/full", "wb"))
    local err
    for index = 1, 100000 do
      local written
      written, err = spool:write(tostring(index))
      if not written then break end
    end
    assert.equal("journal", err.kind)
    assert.truthy(err.message:find "No space left", err.message)
  end)
end)
