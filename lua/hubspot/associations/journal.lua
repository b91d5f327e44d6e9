-- The record a job resumes from: JSON Lines, a header and then one line for each group of inputs that has
-- landed. A line counts once it is on disk; a torn last line does not count.
-- Knows the format; the bytes are kept by a store, so that a simulation can tear them.

local cjson = require "cjson"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"

local journal = {}

local json = cjson.new()
json.encode_sparse_array(true)

local FORMAT = "hubspot-associations journal"
local FORMAT_VERSION = 1

-- What of an error is worth keeping.
local ERROR_FIELDS = {
  "kind", "message", "status", "category", "subCategory", "correlationId", "context", "field", "policyName",
}

---@class hubspot.associations.JournalStore
---@field read fun(self): string|nil, string|nil all that was ever appended
---@field append fun(self, text: string): boolean|nil, string|nil returns when it is on disk
---@field truncate fun(self, length: integer): boolean|nil, string|nil
---@field close fun(self)

---@class hubspot.associations.Journal
local Journal = {}
Journal.__index = Journal

-- `reason` says what a program, or the command, can do: "other_job" or "in_use"; nil for all else.
local function refuse(path, why, reason)
  local message = ("journal %s: %s"):format(path, why)
  return nil, errors.new { kind = "journal", message = message, reason = reason, retryable = false }
end

local function encode_error(err)
  local kept = {}
  for _, name in ipairs(ERROR_FIELDS) do kept[name] = err[name] end
  local encoded, text = pcall(json.encode, { { kept } }) -- as deep as it will stand
  if encoded and core.decode(text) then return kept end
  return { kind = err.kind, message = tostring(err.message) } -- something in it is not for JSON
end

-- ---- reading ----

local RECORDED_OUTCOMES = { failed = true, unconfirmed = true }

local function is_failure(failure)
  return type(failure) == "table" and type(failure.index) == "number"
    and RECORDED_OUTCOMES[failure.outcome] and type(failure.error) == "table"
end

local function is_record(record)
  if type(record) ~= "table" or type(record.first) ~= "number" or type(record.inputs) ~= "number"
    or type(record.digest) ~= "string" or type(record.created) ~= "number" then
    return false
  end
  local failures = record.failures or {}
  if type(failures) ~= "table" then return false end
  for _, failure in ipairs(failures) do
    if not is_failure(failure) then return false end
  end
  return record.inputs >= 1 and record.created + #failures == record.inputs
end

-- Why a header is not that of this job's journal; nil when it is.
function Journal:check_header(header)
  if not header or header.format ~= FORMAT then return "is not a journal of this module" end
  if header.version ~= FORMAT_VERSION then return "is of a version that this module does not read" end
  for name, value in pairs(self.identity) do
    if header[name] ~= value then
      local found = tostring(header[name])
      return ("is of another job: its %s is %s, not %s"):format(name, found, value), "other_job"
    end
  end
end

-- The first line, always in the same words, so that a torn one can be told from a stranger's file.
function Journal:header()
  local fields = { ('{"format":%s,"version":%d'):format(json.encode(FORMAT), FORMAT_VERSION) }
  local names = {}
  for name in pairs(self.identity) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    fields[#fields + 1] = json.encode(name) .. ":" .. json.encode(self.identity[name])
  end
  return table.concat(fields, ",") .. "}\n"
end

-- Takes in the lines of a store: true, nil and how many there are; or nil and why it cannot be used.
function Journal:load(text)
  local complete = text:match "^.*\n" or ""
  if complete == "" and self:header():sub(1, #text) ~= text then
    return nil, "is not a journal of this module" -- nor the beginning of one
  end
  local line_number = 0
  for line in complete:gmatch "([^\n]*)\n" do
    line_number = line_number + 1
    local record = core.decode(line)
    if line_number == 1 then
      local why, reason = self:check_header(record)
      if why then return nil, why, reason end
    elseif not is_record(record) then
      return nil, ("line %d is damaged"):format(line_number)
    else
      self.records[record.first] = record
    end
  end
  if #complete < #text then -- a torn last line, of what is a journal of ours
    local truncated, reason = self.store:truncate(#complete)
    if not truncated then return nil, reason end
  end
  return true, nil, line_number
end

---@param store hubspot.associations.JournalStore
---@param path string its name, for messages
---@param identity table<string, string> what makes the job this job and no other
---@return hubspot.associations.Journal|nil
---@return hubspot.associations.Error|nil
function journal.new(store, path, identity)
  local self = setmetatable({ store = store, path = path, identity = identity, records = {} }, Journal)
  local text, reason = store:read()
  if not text then return refuse(path, reason) end
  local loaded, why, detail = self:load(text)
  if not loaded then return refuse(path, why, detail) end
  if detail == 0 then
    local appended
    appended, reason = store:append(self:header())
    if not appended then return refuse(path, reason) end
  end
  return self
end

-- ---- a job's use of it ----

---The record of the group that begins at an index of the source, if it has landed before.
---@param index integer
---@return table|nil
function Journal:record_at(index)
  return self.records[index]
end

---Lets go of a record that has served.
---@param record table
function Journal:forget(record)
  self.records[record.first] = nil
end

---@param record table
---@return table[] failures { index, outcome, error }
function journal.failures(record)
  local failures = {}
  for i, failure in ipairs(record.failures or {}) do
    failures[i] = { index = failure.index, outcome = failure.outcome, error = errors.new(failure.error) }
  end
  return failures
end

---@param record table
---@return table<integer, boolean>
function journal.failures_by_index(record)
  local is_recorded = {}
  for _, failure in ipairs(record.failures or {}) do is_recorded[failure.index] = true end
  return is_recorded
end

Journal.failures, Journal.failures_by_index = journal.failures, journal.failures_by_index

---Records a group whose inputs all have their outcome; returns when that is on disk.
---@param group hubspot.associations.Group
---@return boolean|nil
---@return hubspot.associations.Error|nil
function Journal:record(group)
  local failures
  for i, failure in ipairs(group.failures) do
    failures = failures or {}
    failures[i] = { index = failure.index, outcome = failure.outcome, error = encode_error(failure.error) }
  end
  local appended, reason = self.store:append(json.encode {
    first = group.first,
    inputs = group.count,
    digest = group.body:digest(),
    created = group.created,
    failures = failures,
  } .. "\n")
  if not appended then return refuse(self.path, reason) end
  return true
end

---The error of a source that does not hold what was recorded.
---@param record table
---@return hubspot.associations.Error
function Journal:mismatch(record)
  local _, err = refuse(self.path, ("is of another job: inputs %d to %d are not the ones it recorded"):format(
    record.first, record.first + record.inputs - 1
  ), "other_job")
  return err
end

function Journal:close()
  self.store:close()
end

-- ---- on disk ----

local FileStore = {}
FileStore.__index = FileStore

function FileStore:read()
  local file, reason = io.open(self.path, "rb")
  if not file then return nil, reason end
  local text
  text, reason = file:read "*a"
  file:close()
  return text, reason
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

---Opens the journal at a path, or begins it, and keeps other processes off it until it is closed.
---@param path string
---@param identity table<string, string>
---@return hubspot.associations.Journal|nil
---@return hubspot.associations.Error|nil
function journal.open(path, identity)
  local file, reason, is_locked = core.file(path)
  if not file then
    return refuse(path, is_locked and "another process is using it" or reason, is_locked and "in_use" or nil)
  end
  local opened, err = journal.new(setmetatable({ path = path, file = file }, FileStore), path, identity)
  if not opened then file:close() end
  return opened, err
end

return journal
