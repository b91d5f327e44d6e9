-- A file that is complete, or not there: until it is, it is FILE.part, beside it. One process at a time has
-- it.

local core = require "hubspot.associations.core"
local one_line = require "hubspot.associations.text.one_line"

local part_file = {}

---@class hubspot.associations.PartFile
---@field path string of the complete file
---@field name string until then
---@field file userdata core's
local PartFile = {}
PartFile.__index = PartFile

---@param path string of the complete file
---@return string
function part_file.name(path)
  return path .. ".part"
end

-- Empties a file, if it is what a run that was killed has left.
local function empty(file, beginnings)
  for _, beginning in ipairs(beginnings) do
    local found, why = file:read(0, #beginning)
    if not found then return nil, why end
    if beginning:sub(1, #found) == found then return file:truncate(0) end
  end
  return nil, "it is there already, and is not what an earlier run has left"
end

---Opens the file that is written first.
---@param path string of the complete file
---@param beginnings string[]|nil how what is written may begin: what is there is emptied if it does, and is
---  an error if it does not. nil: it is gone on with
---@return hubspot.associations.PartFile|nil
---@return string|nil message
function part_file.open(path, beginnings)
  local name = part_file.name(path)
  local file, why, is_locked = core.file(name)
  if is_locked then why = "another process writes it" end
  local opened = file ~= nil
  if file and beginnings then opened, why = empty(file, beginnings) end
  if opened then return setmetatable({ path = path, name = name, file = file }, PartFile) end
  if file then file:close() end
  return nil, ("%s, which is written first, cannot be used: %s"):format(one_line(name), why)
end

---What was written to it so far, by whatever handle, is on disk then.
---@return boolean|nil
---@return string|nil message
function PartFile:save()
  return self.file:append ""
end

---Gives it its name, once all that was written to it, by whatever handle, is on disk; then the name is, too.
---@return boolean|nil
---@return string|nil message why it does not have it
function PartFile:complete()
  local named, why = self:save()
  if named then named, why = os.rename(self.name, self.path) end
  self:close()
  if not named then return nil, tostring(why) end
  local complete = core.file(self.path) -- makes the name durable
  if complete then complete:close() end
  return true
end

---Leaves it as it is.
function PartFile:close()
  self.file:close()
end

---Removes it.
function PartFile:discard()
  self.file:close()
  os.remove(self.name)
end

return part_file
