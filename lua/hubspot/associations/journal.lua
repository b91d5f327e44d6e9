-- The record a job resumes from: JSON Lines, a header and then one line for each group of inputs that has
-- landed. A line counts once it is on disk; a torn last line does not count.
-- Knows the format; the bytes are kept by a store, so that a simulation can tear them.

local ascii = require "hubspot.associations.ascii"
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
  "index", "flaw", "together",
}

---@class hubspot.associations.JournalStore
---@field read fun(self): string|nil, string|nil all that was ever appended
---@field append fun(self, text: string): boolean|nil, string|nil returns when it is on disk
---@field truncate fun(self, length: integer): boolean|nil, string|nil
---@field close fun(self)

---@class hubspot.associations.Journal
local Journal = {}
Journal.__index = Journal

-- `reason` says what a program, or the command, can do: "other_job", "in_use" or "damaged"; nil for all else.
local function refuse(path, why, reason)
  local message = ("journal %s: %s"):format(path, why)
  return nil, errors.new { kind = "journal", message = message, reason = reason, retryable = false }
end

-- lua-cjson writes a fraction with the comma of the host's locale: such numbers are kept as text.
local function without_fractions(value)
  if type(value) == "number" and not (value % 1 == 0 and math.abs(value) < 1e14) then
    return (("%.17g"):format(value):gsub("[^0-9a-z+-]+", "."))
  end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, inner in pairs(value) do copy[key] = without_fractions(inner) end
  return copy
end

local function kept_of(err)
  local kept = {}
  for _, name in ipairs(ERROR_FIELDS) do kept[name] = without_fractions(err[name]) end
  return kept, json.encode { { kept } } -- as deep as it will stand
end

local function encode_error(err)
  local encoded, kept, text = pcall(kept_of, err)
  if encoded and core.decode(text) then return kept end
  return { kind = err.kind, message = tostring(err.message) } -- something in it is not for JSON
end

-- ---- reading ----

local RECORDED_OUTCOMES = { failed = true, unconfirmed = true }

local MOST = 2 ^ 53 -- inputs: beyond it, a number is not exact

local function is_whole(value, least, most)
  return type(value) == "number" and value % 1 == 0 and value >= least and value <= most
end

-- Whether the values of a list are different indices of the record's inputs; `index_of` gives that of a
-- value.
local function are_indices(list, record, index_of)
  local seen = {}
  for _, value in ipairs(list) do
    local index = index_of(value)
    local is_index = is_whole(index, record.first, record.first + record.inputs - 1)
    if not is_index or seen[index] then return false end
    seen[index] = true
  end
  return true
end

local function index_of_failure(failure)
  local is_failure = type(failure) == "table" and RECORDED_OUTCOMES[failure.outcome]
    and type(failure.error) == "table"
  return is_failure and failure.index or nil
end

local function itself(value)
  return value
end

local function is_record(record)
  if type(record) ~= "table" or type(record.digest) ~= "string" then return false end
  if not is_whole(record.first, 1, MOST) or not is_whole(record.inputs, 1, MOST)
    or not is_whole(record.created, 0, MOST) then
    return false
  end
  local failures, refused = record.failures or {}, record.refused or {}
  return type(failures) == "table" and type(refused) == "table"
    and record.created + #failures == record.inputs and #refused <= #failures
    and are_indices(failures, record, index_of_failure) and are_indices(refused, record, itself)
end

-- The number of a line whose inputs another one has, too; nil when there is none.
local function overlapping_line(records)
  local ordered = {}
  for _, record in pairs(records) do ordered[#ordered + 1] = record end
  table.sort(ordered, function(a, b)
    return a.first < b.first
  end)
  for i = 2, #ordered do
    local before, record = ordered[i - 1], ordered[i]
    if before.first + before.inputs > record.first then return math.max(before.line, record.line) end
  end
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
  table.sort(names, ascii.before)
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
    elseif not is_record(record) or self.records[record.first] then
      return nil, ("line %d is damaged"):format(line_number), "damaged"
    else
      record.line = line_number
      self.records[record.first] = record
    end
  end
  local overlapping = overlapping_line(self.records)
  if overlapping then return nil, ("line %d is damaged"):format(overlapping), "damaged" end
  if #complete < #text then self.torn_at = #complete end -- within a last line of what is a journal of ours
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
    appended, reason = self:append(self:header())
    if not appended then return refuse(path, reason) end
  end
  return self
end

-- Appends a line. What is left of a torn one goes only now: a journal that is not used stays as it is.
function Journal:append(text)
  if self.torn_at then
    local truncated, reason = self.store:truncate(self.torn_at)
    if not truncated then return nil, reason end
    self.torn_at = nil
  end
  return self.store:append(text)
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
    local err = errors.new(failure.error)
    if err.kind == "invalid_input" then err.index = failure.index end -- older journals do not have it
    failures[i] = { index = failure.index, outcome = failure.outcome, error = err }
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
  local appended, reason = self:append(json.encode {
    first = group.first,
    inputs = group.count,
    digest = group.body:digest(),
    refused = group.refused,
    created = group.created,
    failures = failures,
  } .. "\n")
  if not appended then return refuse(self.path, reason) end
  return true
end

---Whether the inputs of a group are the ones that were recorded: those that can be sent by their digest, and
---those that cannot by their places. (Older journals have no places: what cannot be sent cannot be created.)
---@param record table
---@param group hubspot.associations.Group filled, and with no outcome but of those that cannot be sent
---@return boolean
function Journal.matches(record, group)
  if group.count ~= record.inputs or group.body:digest() ~= record.digest then return false end
  if record.refused and #record.refused ~= #group.refused then return false end
  local is_known = {}
  for _, index in ipairs(record.refused or {}) do is_known[index] = true end
  for _, failure in ipairs(not record.refused and record.failures or {}) do is_known[failure.index] = true end
  for _, index in ipairs(group.refused) do
    if not is_known[index] then return false end
  end
  return true
end

---The first input that is recorded and was not read.
---@return table|nil record
function Journal:unread()
  local first
  for _, record in pairs(self.records) do
    if not first or record.first < first.first then first = record end
  end
  return first
end

---The error of a source that does not hold what was recorded.
---@param record table
---@return hubspot.associations.Error
function Journal:mismatch(record)
  local why = "is of another job: inputs %d to %d are not the ones it recorded"
  local _, err = refuse(self.path, why:format(record.first, record.first + record.inputs - 1), "other_job")
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
