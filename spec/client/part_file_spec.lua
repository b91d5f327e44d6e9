-- Checks a file that is complete, or not there: what the commands and a sync write by it.

local core = require "hubspot.associations.core"
local part_file = require "hubspot.associations.part_file"
local process = require "support.process"

describe("a file that is complete or not there", function()
  local folder, path, part_path
  local open = core.file

  before_each(function()
    folder = process.make_folder()
    path, part_path = folder .. "/a.csv", folder .. "/a.csv.part"
  end)

  after_each(function()
    core.file = open
    process.remove_folder(folder)
  end)

  local put, text = process.write_file, process.read_file

  it("is FILE.part until it has its name", function()
    put(path, "old")
    local part = assert(part_file.open(path, { "id" }))
    assert.equal(part_path, part_file.name(path))
    part.file:append "id\n1\n"
    assert.same({ "old", "id\n1\n" }, { text(path), text(part_path) })
    assert(part:complete())
    assert.equal("id\n1\n", text(path))
    assert.is_nil((core.stat(part_path)))
  end)

  it("is on disk before it has its name, and the name is as well", function()
    local order = {}
    local part = assert(part_file.open(path, { "id" }))
    local file, rename = part.file, os.rename
    part.file = {
      append = function(_, more)
        order[#order + 1] = "sync"
        return file:append(more)
      end,
      close = function() file:close() end,
    }
    os.rename = function(from, to) -- luacheck: ignore
      order[#order + 1] = "rename"
      return rename(from, to)
    end
    core.file = function(name)
      order[#order + 1] = "folder of " .. name
      return open(name)
    end
    local completed = part:complete()
    os.rename = rename -- luacheck: ignore
    assert.is_true(completed)
    assert.same({ "sync", "rename", "folder of " .. path }, order)
  end)

  it("takes the place of what a killed run has left, and of nothing else", function()
    for _, left in ipairs { "", "i", "id\n1", "ID", "nam" } do
      put(part_path, left)
      local part = assert(part_file.open(path, { "id", "ID", "name" }))
      assert.equal("", text(part_path))
      part:discard()
      assert.is_nil((core.stat(part_path)))
    end
    put(part_path, "somebody's")
    local part, why = part_file.open(path, { "id", "ID" })
    assert.is_nil(part)
    assert.equal(part_path .. ", which is written first, cannot be used: it is there already, and is not "
      .. "what an earlier run has left", why)
    assert.equal("somebody's", text(part_path))
  end)

  it("is gone on with where no beginning is given, and left", function()
    put(part_path, "id\n1\n")
    assert(part_file.open(path)):close()
    assert.equal("id\n1\n", text(part_path))
  end)

  it("belongs to one process at a time", function()
    local part = assert(part_file.open(path, { "id" }))
    local other, why = part_file.open(path, { "id" })
    assert.is_nil(other)
    assert.equal(part_path .. ", which is written first, cannot be used: another process writes it", why)
    part:discard()
  end)

  it("keeps the name that it has when it cannot get another", function()
    local part = assert(part_file.open(path, { "id" }))
    process.run { "mkdir", "-p", path .. "/x" }
    local completed, why = part:complete()
    assert.is_nil(completed)
    assert.is_string(why)
    assert.equal("", text(part_path))
  end)
end)
