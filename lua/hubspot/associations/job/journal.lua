-- The record a job resumes from: JSON Lines, a header and then one line for each batch of inputs that has
-- landed. A line counts once it is on disk; a torn last line does not count.
-- Knows the format; the bytes are kept by a store, so that a simulation can tear them.

local ascii = require "hubspot.associations.text.ascii"
local cjson = require "cjson"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local one_line = require "hubspot.associations.text.one_line"

local journal = {}

local json = cjson.new()
json.encode_sparse_array(true)

local FORMAT = "hubspot-associations journal"
local FORMAT_VERSION = 1

-- Of a header that lacks one of these, as the first journals do.
local DEFAULTS = { endpoint = "create" }

-- What of an error is worth keeping.
local ERROR_FIELDS = {
  "kind", "message", "status", "category", "subCategory", "correlationId", "context", "field", "policyName",
  "index", "attempts", "flaw", "together",
}

local CHUNK = 64 * 1024 -- bytes that are read at once
local LONGEST_LINE = 64 * 1024 * 1024 -- bytes
local LONGEST_MESSAGE = 200 -- bytes, where a line would be longer
local MOST_INPUTS = 100000 -- of one record: a body has no more
local MOST_BETWEEN = 1000000 -- inputs that records leave out: a job keeps them while it compares the others
local EXACT = 2 ^ 53

---@class hubspot.associations.JournalStore
---@field read fun(self, offset: integer, count: integer): string|nil, string|nil what was appended, from an
---  offset on; fewer bytes than `count` only at its end
---@field append fun(self, text: string): boolean|nil, string|nil returns when it is on disk
---@field truncate fun(self, length: integer): boolean|nil, string|nil
---@field close fun(self)

---@class hubspot.associations.Journal
local Journal = {}
Journal.__index = Journal

-- `reason` says what a program, or the command, can do: "other_job", "in_use" or "damaged"; nil for all else.
local function fail(path, why, reason)
  local message = ("journal %s: %s"):format(path, why)
  return nil, errors.new { kind = "journal", message = message, reason = reason, retryable = false }
end

-- ---- reading ----

local RECORDED_OUTCOMES = { failed = true, unconfirmed = true }

local function is_whole(value, least, most)
  return type(value) == "number" and value % 1 == 0 and value >= least and value <= most
end

-- Whether a value is a list of failures, each of another input of the record. Nil: none are recorded.
local function are_failures(failures, record)
  if failures == nil then return true end
  if type(failures) ~= "table" then return false end
  local is_taken, count = {}, 0
  for key, failure in pairs(failures) do
    count = count + 1
    if type(key) ~= "number" or type(failure) ~= "table" or is_taken[failure.index]
      or not is_whole(failure.index, record.first, record.first + record.inputs - 1)
      or not RECORDED_OUTCOMES[failure.outcome] or type(failure.error) ~= "table" then
      return false
    end
    is_taken[failure.index] = true
  end
  return count == #failures
end

local function is_record(record)
  if type(record) ~= "table" or not is_whole(record.first, 1, EXACT)
    or not is_whole(record.inputs, 1, math.min(MOST_INPUTS, EXACT - record.first + 1))
    or type(record.digest) ~= "string" or not is_whole(record.created, 0, record.inputs) then
    return false
  end
  if record.refused ~= nil then
    if not is_whole(record.refused, 1, record.inputs) or type(record.refused_digest) ~= "string" then
      return false
    end
  end
  return are_failures(record.failures, record)
    and record.created + #(record.failures or {}) + (record.refused or 0) == record.inputs
end

-- Why a header is not that of this job's journal; nil when it is.
function Journal:check_header(header)
  if type(header) ~= "table" or header.format ~= FORMAT then return "is not a journal of this module" end
  if header.version ~= FORMAT_VERSION then return "is of a version that this module does not read" end
  local names = { format = FORMAT, version = FORMAT_VERSION }
  for name, default in pairs(DEFAULTS) do names[name] = default end
  for name, value in pairs(self.identity) do names[name] = value end
  for name, value in pairs(header) do
    if names[name] == nil then
      return ("is of another job: its %s is %s"):format(one_line(name), one_line(value)), "other_job"
    end
  end
  for name, value in pairs(names) do
    local found = header[name]
    if found == nil then found = DEFAULTS[name] end
    if found ~= value then
      return ("is of another job: its %s is %s, not %s"):format(name, one_line(found), value), "other_job"
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

local function damaged(line)
  return ("line %d is damaged"):format(line), "damaged"
end

-- Calls visit(line, number, offset) for each line that has its end, until one returns why the journal cannot
-- be used.
-- Returns how many there are, how many bytes they have, and what stands behind them; or nil and why not.
local function each_line(store, visit)
  local parts, begin, at, number = {}, 0, 0, 0 -- parts: of the line that begins at `begin`
  while true do
    local chunk, reason = store:read(at, CHUNK)
    if not chunk then return nil, reason end
    local from, stop = 1, chunk:find("\n", 1, true)
    while stop do
      parts[#parts + 1] = chunk:sub(from, stop - 1)
      number = number + 1
      local why, detail = visit(table.concat(parts), number, begin)
      if why then return nil, why, detail end
      parts, from, begin = {}, stop + 1, at + stop
      stop = chunk:find("\n", from, true)
    end
    parts[#parts + 1] = chunk:sub(from)
    at = at + #chunk
    if #chunk < CHUNK then return number, begin, table.concat(parts) end
    if at - begin > LONGEST_LINE then
      if number == 0 then return nil, "is not a journal of this module" end
      return nil, damaged(number + 1)
    end
  end
end

-- Puts the entries in the order of the source. Returns how many inputs they leave out between them; or nil
-- and why they cannot be the records of one job.
local function sort_entries(entries)
  table.sort(entries, function(a, b)
    if a.first ~= b.first then return a.first < b.first end
    return a.line < b.line
  end)
  local last, line, between = 0, 0, 0
  for _, entry in ipairs(entries) do
    if entry.first <= last then return nil, damaged(math.max(line, entry.line)) end
    between = between + entry.first - last - 1
    last, line = entry.last, entry.line
  end
  return between
end

-- Takes in what a store holds: true, nil and how many lines that is; or nil and why it cannot be used. Keeps
-- where the records stand, not what they say: those of many failures are large.
function Journal:load()
  local entries = {}
  local lines, complete, torn = each_line(self.store, function(line, number, offset)
    local record = core.decode(line)
    if number == 1 then return self:check_header(record) end
    if not is_record(record) then return damaged(number) end
    entries[#entries + 1] = {
      first = record.first, last = record.first + record.inputs - 1, line = number,
      offset = offset, length = #line,
    }
  end)
  if not lines then return nil, complete, torn end
  if lines == 0 and self:header():sub(1, #torn) ~= torn then
    return nil, "is not a journal of this module" -- nor the beginning of one
  end
  local between, why, reason = sort_entries(entries)
  if not between then return nil, why, reason end
  self.between = between
  self.entries = entries
  for _, entry in ipairs(entries) do self.entry_at[entry.first] = entry end
  if torn ~= "" then self.torn_at = complete end -- a last line without its end, of what is a journal of ours
  return true, nil, lines
end

---@param store hubspot.associations.JournalStore
---@param path string its name, for messages
---@param identity table<string, string> what makes the job this job and no other
---@return hubspot.associations.Journal|nil
---@return hubspot.associations.Error|nil
function journal.new(store, path, identity)
  local self = setmetatable({
    store = store, path = path, identity = identity,
    entries = {}, -- of the records, in the order of the source
    entry_at = {}, -- the same by the index of their first input
    between = 0, -- inputs that they leave out
    next_entry = 1, -- the first that no job has been given
    waiting = {}, -- lines that are written with the next
  }, Journal)
  local loaded, why, detail = self:load()
  if not loaded then return fail(path, why, detail) end
  if detail == 0 then
    local appended, reason = self:append(self:header())
    if not appended then return fail(path, reason) end
  end
  return self
end

-- Appends whole lines. What is left of a torn one goes only now: a journal that is not used stays as it is.
function Journal:append(text)
  if self.torn_at then
    local truncated, reason = self.store:truncate(self.torn_at)
    if not truncated then return nil, reason end
    self.torn_at = nil
  end
  return self.store:append(text)
end

-- ---- a job's use of it ----

---The record of the batch that begins at an index of the source, if it has landed before.
---@param index integer
---@return table|nil
---@return hubspot.associations.Error|nil err when it is there and cannot be read
function Journal:record_at(index)
  local entry = self.entry_at[index]
  if not entry then return nil end
  local line, reason = self.store:read(entry.offset, entry.length)
  if not line then return fail(self.path, reason) end
  local record = core.decode(line)
  if not is_record(record) then return fail(self.path, damaged(entry.line)) end -- since it was loaded
  return record
end

---The record of the first inputs that are not forgotten, for a job that keeps what lies between them.
---@return table|nil
---@return hubspot.associations.Error|nil err when it is there and cannot be used
function Journal:next_record()
  if self.between > MOST_BETWEEN then
    return fail(self.path, ("leaves out %.0f inputs between those it recorded, which no job does"):format(
      self.between
    ))
  end
  local entry = self.entries[self.next_entry]
  if entry then return self:record_at(entry.first) end
end

---Lets go of the record that next_record gave.
function Journal:forget()
  local entry = self.entries[self.next_entry]
  self.entries[self.next_entry], self.entry_at[entry.first] = false, nil
  self.next_entry = self.next_entry + 1
end

---@param record table
---@return table[] failures { index, outcome, error }: of the inputs that were sent; in the first journals, of
---  the invalid ones as well
function journal.failures(record)
  local failures = {}
  for i, failure in ipairs(record.failures or {}) do
    local err = errors.new(failure.error)
    if err.field and not err.index then err.index = failure.index end -- the first journals left it out
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

---Whether a batch, just read, has the inputs that were recorded: those that can be sent by what is sent of
---them, and the invalid ones by their positions and their ids and types.
---@param record table
---@param batch hubspot.associations.Batch
---@return boolean
function journal.matches(record, batch)
  if batch.count ~= record.inputs or batch.body:digest() ~= record.digest then return false end
  if record.refused then
    return batch.invalid == record.refused and batch.invalid_digest == record.refused_digest
  end
  local was_invalid = {} -- in the first journals they are listed, and told by their field
  for _, failure in ipairs(record.failures or {}) do
    was_invalid[failure.index] = failure.error.field ~= nil
  end
  for _, failure in ipairs(batch.failures) do
    if not was_invalid[failure.index] then return false end
  end
  return true
end

Journal.matches = function(_, record, batch) return journal.matches(record, batch) end

-- ---- recording ----

local function brief_error(err)
  return { kind = err.kind, message = one_line(err.message):sub(1, LONGEST_MESSAGE) }
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

local function whole_error(err)
  local encoded, kept, text = pcall(kept_of, err)
  if encoded and core.decode(text) then return kept end
  return { kind = err.kind, message = tostring(err.message) } -- something in it is not for JSON
end

-- The line of a batch. Invalid inputs are not listed: they are found again when the source is read again.
-- Their fields are named `refused`, as in the journals that were written before they were called invalid.
local function line_of(batch, encode_error)
  local failures
  for _, failure in ipairs(batch.failures) do
    if not batch.is_invalid[failure.index] then
      failures = failures or {}
      failures[#failures + 1] = {
        index = failure.index, outcome = failure.outcome, error = encode_error(failure.error),
      }
    end
  end
  return json.encode {
    first = batch.first,
    inputs = batch.count,
    digest = batch.body:digest(),
    created = batch.created,
    refused = batch.invalid > 0 and batch.invalid or nil,
    refused_digest = batch.invalid_digest,
    failures = failures,
  }
end

---Records a batch whose inputs all have their outcome; returns when that is on disk. A batch of which nothing
---could be sent is written with the next one that could: a first run that lacks, say, a type for all rows
---leaves nothing behind that the right source would not match.
---@param batch hubspot.associations.Batch
---@return boolean|nil
---@return hubspot.associations.Error|nil
function Journal:record(batch)
  local line = line_of(batch, whole_error)
  if #line > LONGEST_LINE or not core.decode(line) then line = line_of(batch, brief_error) end
  self.waiting[#self.waiting + 1] = line .. "\n"
  if batch.body:count() == 0 then return true end
  local appended, reason = self:append(table.concat(self.waiting))
  if not appended then return fail(self.path, reason) end
  self.waiting = {}
  return true
end

---The error of a source that does not hold what was recorded.
---@param record table
---@return hubspot.associations.Error
function Journal:mismatch(record)
  local _, err = fail(self.path, ("is of another job: inputs %d to %d are not the ones it recorded"):format(
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

---Opens the journal at a path, or begins it, and keeps other processes off it until it is closed.
---@param path string
---@param identity table<string, string>
---@return hubspot.associations.Journal|nil
---@return hubspot.associations.Error|nil
function journal.open(path, identity)
  local file, reason, is_locked = core.file(path)
  if not file then
    return fail(path, is_locked and "another process is using it" or reason, is_locked and "in_use" or nil)
  end
  local opened, err = journal.new(setmetatable({ file = file }, FileStore), path, identity)
  if not opened then file:close() end
  return opened, err
end

return journal
