-- A journal on disk: a file that one process at a time appends to (core.file).

local core = require "hubspot.associations.core"
local journals = require "hubspot.associations.job.journal"

local journal_file = {}

local FileStore = {}
FileStore.__index = FileStore

function FileStore:read(offset, count)
  return self.file:read(offset, count)
end

function FileStore:append(text)
  return self.file:append(text)
end

function FileStore:truncate(length)
  return self.file:truncate(length)
end

function FileStore:close()
  self.file:close()
end

---Opens the journal at a path, or creates it, and locks out other processes until it is closed.
---@param path string
---@param identity table<string, string>
---@param outcome string the endpoint's, of an input that succeeded
---@return hubspot.associations.Journal|nil
---@return hubspot.associations.Error|nil
function journal_file.open(path, identity, outcome)
  local file, reason, is_locked = core.file(path)
  if not file then
    if is_locked then
      return journals.unusable(path, "another process, or another job of this one, is using it", "in_use")
    end
    return journals.unusable(path, reason)
  end
  local opened, err = journals.new(setmetatable({ file = file }, FileStore), path, identity, outcome)
  if not opened then file:close() end
  return opened, err
end

return journal_file
