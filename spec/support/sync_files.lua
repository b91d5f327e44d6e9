-- The files of a simulated sync: kept apart from all others, copied as a killed process would leave them, and
-- removed in the end. While `watch` is in force, every change to a file is counted, and may be the last.

local sync_checks = require "support.sync_checks"
local core = require "hubspot.associations.core"

local sync_files = {}

local tmpname, open, temporary_file = os.tmpname, io.open, core.temporary_file

local Files = {}
Files.__index = Files

---@return table files
function sync_files.new()
  return setmetatable({ names = {}, temporary = {}, made = {} }, Files)
end

-- A place for files whose names begin with it.
local function new_place(self)
  local place = tmpname()
  self.made[#self.made + 1] = place
  return place
end

local function note(self, path)
  local place = self.place
  if place and path:sub(1, #place) == place then self.names[path:sub(#place + 1)] = true end
end

local function exists(path)
  local handle = open(path, "rb")
  if handle then handle:close() end
  return handle ~= nil
end

---The path of the file of a name: of the journal, or a plan.
---@param name string
function Files:path(name)
  self.place = self.place or new_place(self)
  note(self, self.place .. name)
  return self.place .. name
end

function Files:read(name)
  local handle = open(self:path(name), "rb")
  local text = handle and handle:read "*a"
  if handle then handle:close() end
  return text
end

-- Copies all files to another place, where the next process finds them; the old one may go on with its own.
function Files:leave()
  local old, text = self.place, {}
  if not old then return end
  for name in pairs(self.names) do text[name] = self:read(name) end
  self.place = new_place(self)
  for name, bytes in pairs(text) do
    local handle = assert(open(self.place .. name, "wb"))
    handle:write(bytes)
    handle:close()
    self.made[#self.made + 1] = old .. name
  end
end

-- Stands for a file of core: one that does not wait for the disk, which takes most of the time of a simulated
-- sync, and that nobody else opens. Its changes are told; of what is appended, a part may be there after a
-- crash.
local function stand_in(path, on_change)
  local function read_all()
    local handle = open(path, "rb")
    local text = handle:read "*a"
    handle:close()
    return text
  end
  local function write(mode, text)
    local handle = assert(open(path, mode))
    handle:write(text)
    handle:close()
    return true
  end
  write("ab", "")
  return {
    read = function(_, offset, count) return read_all():sub(offset + 1, offset + count) end,
    close = function() end,
    append = function(_, text)
      on_change(function(share) write("ab", text:sub(1, math.floor(#text * share))) end)
      return write("ab", text)
    end,
    truncate = function(_, length)
      on_change()
      return write("wb", read_all():sub(1, length))
    end,
  }
end

---Calls `action`, and `on_change` before each change to a file that it makes. Returns what pcall does.
---@param on_change fun(write: fun(share: number)|nil) may raise; `write` appends a part of what is to be
---  appended
---@param action fun(): ...
function Files:watch(on_change, action)
  local file, rename = core.file, os.rename
  core.file = function(path)
    note(self, path)
    on_change()
    return stand_in(path, on_change)
  end
  io.open = function(path, mode) -- luacheck: ignore
    note(self, path)
    if mode and not mode:find "^r" then on_change() end
    return open(path, mode)
  end
  os.rename = function(from, to) -- luacheck: ignore
    note(self, to)
    on_change()
    return rename(from, to)
  end
  core.temporary_file = function(folder)
    local path = temporary_file(folder)
    self.temporary[#self.temporary + 1] = path
    return path
  end
  local results = { xpcall(action, sync_checks.trace) }
  core.file, io.open, os.rename = file, open, rename -- luacheck: ignore
  core.temporary_file = temporary_file
  return (table.unpack or unpack)(results, 1, 3) -- luacheck: ignore
end

---The temporary files that are still there.
---@return integer
function Files:left()
  local count = 0
  for _, path in ipairs(self.temporary) do
    if exists(path) then count = count + 1 end
  end
  return count
end

---Removes the temporary files that a crash left.
function Files:sweep()
  for _, path in ipairs(self.temporary) do os.remove(path) end
  self.temporary = {}
end

function Files:remove()
  self:sweep()
  for name in pairs(self.names) do os.remove(self.place .. name) end
  for _, path in ipairs(self.made) do os.remove(path) end
end

return sync_files
