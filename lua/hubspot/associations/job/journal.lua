-- The journal that a job resumes from: JSON Lines, a header and then a record (journal_record.lua) for each
-- complete batch. A line counts once it is on disk; an incomplete last line does not count. The bytes are in
-- a store: journal_file.lua has the one on disk, and a simulation has one that can lose bytes.

local cjson = require "cjson"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local records = require "hubspot.associations.job.journal_record"
local ascii = require "hubspot.associations.text.ascii"
local one_line = require "hubspot.associations.text.one_line"

local journal = {}

local json = cjson.new()

local FORMAT = "hubspot-associations journal"
local FORMAT_VERSION = 1

-- For fields that a header lacks, as the first journals do.
local DEFAULTS = { endpoint = "create" }

local CHUNK = 64 * 1024 -- bytes that are read at once
local MOST_BETWEEN = 1000000 -- inputs between records, which a job keeps while it compares the journal

---@class hubspot.associations.JournalStore
---@field read fun(self, offset: integer, count: integer): string|nil, string|nil returns fewer than `count`
---  bytes only at the end
---@field append fun(self, text: string): boolean|nil, string|nil returns when it is on disk
---@field truncate fun(self, length: integer): boolean|nil, string|nil
---@field close fun(self)

---@class hubspot.associations.Journal
local Journal = {}
Journal.__index = Journal

---The error of a journal that cannot be used.
---@param path string
---@param why string
---@param reason "other_job"|"other_file"|"in_use"|"damaged"|nil for a program to decide by; nil for any other
---@return nil
---@return hubspot.associations.Error
function journal.unusable(path, why, reason)
  local message = ("journal %s: %s"):format(path, why)
  return nil, errors.new { kind = "journal", message = message, reason = reason, retryable = false }
end

-- ---- reading ----

local function is_no_journal()
  return "is not a journal of this module", "other_file"
end

-- Why a header is not the one of this job's journal, and the reason; nil when it is.
function Journal:check_header(header)
  if type(header) ~= "table" or header.format ~= FORMAT then return is_no_journal() end
  if header.version ~= FORMAT_VERSION then
    return "is of a version that this module does not read", "other_file"
  end
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

-- The first line. It has a fixed order, so that an incomplete one is recognized, and no other file is taken
-- for a journal.
function Journal:header()
  local fields = { ('{"format":%s,"version":%d'):format(json.encode(FORMAT), FORMAT_VERSION) }
  local names = {}
  for name, value in pairs(self.identity) do
    if value ~= DEFAULTS[name] then names[#names + 1] = name end
  end
  table.sort(names, ascii.before)
  for _, name in ipairs(names) do
    fields[#fields + 1] = json.encode(name) .. ":" .. json.encode(self.identity[name])
  end
  return table.concat(fields, ",") .. "}\n"
end

local function damaged(line)
  return ("line %d is damaged"):format(line), "damaged"
end

-- Calls visit(line, number, offset) for each complete line, until it returns why a line is not valid. Returns
-- the number of lines, their bytes, and the incomplete line after them; or nil, why not, and the reason.
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
    if at - begin > records.LONGEST then
      if number == 0 then return nil, is_no_journal() end
      return nil, damaged(number + 1)
    end
  end
end

-- Puts the entries in the order of the source. Returns how many inputs are between them; or nil and why they
-- cannot be the records of one job.
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

-- Reads the store. Returns true, nil and the number of lines; or nil, why it cannot be used, and the reason.
-- Keeps the offsets of the records, not their contents: a record with many failures is large.
function Journal:load()
  local entries = {}
  local lines, complete, torn = each_line(self.store, function(line, number, offset)
    local record = core.decode(line)
    if number == 1 then return self:check_header(record) end
    if not records.is_valid(record, self.outcome) then return damaged(number) end
    entries[#entries + 1] = {
      first = record.first, last = record.first + record.inputs - 1, line = number,
      offset = offset, length = #line,
    }
  end)
  if not lines then return nil, complete, torn end
  if lines == 0 and self:header():sub(1, #torn) ~= torn then
    return nil, is_no_journal() -- nor the beginning of one
  end
  local between, why, reason = sort_entries(entries)
  if not between then return nil, why, reason end
  self.between = between
  self.entries = entries
  for _, entry in ipairs(entries) do self.entry_at[entry.first] = entry end
  if torn ~= "" then self.torn_at = complete end -- where the incomplete last line begins
  return true, nil, lines
end

---@param store hubspot.associations.JournalStore
---@param path string for messages
---@param identity table<string, string> distinguishes the job from others: it is the header's fields
---@param outcome string the endpoint's, of an input that succeeded
---@return hubspot.associations.Journal|nil
---@return hubspot.associations.Error|nil
function journal.new(store, path, identity, outcome)
  local self = setmetatable({
    store = store, path = path, identity = identity, outcome = outcome,
    entries = {}, -- of the records, in the order of the source
    entry_at = {}, -- the same by the index of their first input
    between = 0, -- how many inputs are between them
    next_entry = 1, -- the first that is not forgotten
    waiting = {}, -- { first, line }: to be written together with one of a later batch
  }, Journal)
  local loaded, why, detail = self:load()
  if not loaded then return journal.unusable(path, why, detail) end
  if detail == 0 then
    local appended, reason = self:append(self:header())
    if not appended then return journal.unusable(path, reason) end
  end
  return self
end

-- Appends complete lines. An incomplete one is removed only now, so that a journal which is only read is not
-- changed.
function Journal:append(text)
  if self.torn_at then
    local truncated, reason = self.store:truncate(self.torn_at)
    if not truncated then return nil, reason end
    self.torn_at = nil
  end
  return self.store:append(text)
end

-- ---- resuming ----

---The record of the batch that begins at an index of the source, if it has one.
---@param index integer
---@return table|nil
---@return hubspot.associations.Error|nil err when there is one that cannot be read
function Journal:record_at(index)
  local entry = self.entry_at[index]
  if not entry then return nil end
  local line, reason = self.store:read(entry.offset, entry.length)
  if not line then return journal.unusable(self.path, reason) end
  local record = core.decode(line)
  if not records.is_valid(record, self.outcome) then -- it was, when it was loaded
    return journal.unusable(self.path, damaged(entry.line))
  end
  return record
end

---The first record that is not forgotten, for a job that keeps the inputs between records.
---@return table|nil
---@return hubspot.associations.Error|nil err when there is one that cannot be used
function Journal:next_record()
  if self.between > MOST_BETWEEN then
    local message = "has %.0f inputs between its records, more than a job leaves out"
    return journal.unusable(self.path, message:format(self.between))
  end
  local entry = self.entries[self.next_entry]
  if entry then return self:record_at(entry.first) end
end

---Forgets the record that next_record returned.
function Journal:forget()
  local entry = self.entries[self.next_entry]
  self.entries[self.next_entry], self.entry_at[entry.first] = false, nil
  self.next_entry = self.next_entry + 1
end

-- ---- recording ----

-- The lines that are written with that of a batch: those of earlier ones that wait. Which batch is
-- complete first depends on the network, and what a journal has at the end must not.
local function take_waiting(self, batch)
  local lines, waiting = {}, {}
  for _, entry in ipairs(self.waiting) do
    if entry.first < batch.first then
      lines[#lines + 1] = entry.line
    else
      waiting[#waiting + 1] = entry
    end
  end
  self.waiting = waiting
  return table.concat(lines)
end

---Records a batch whose inputs all have their outcome; returns when the record is on disk. A batch with
---invalid inputs only is written together with a later one that has others: a first run that lacks, say, the
---type for all rows then leaves no record that the corrected source would not match. Nor does a source whose
---last rows are bad.
---@param batch hubspot.associations.Batch
---@return boolean|nil
---@return hubspot.associations.Error|nil
function Journal:record(batch)
  local line = records.line(batch, self.outcome)
  if batch.body:count() == 0 then
    self.waiting[#self.waiting + 1] = { first = batch.first, line = line }
    return true
  end
  local appended, reason = self:append(take_waiting(self, batch) .. line)
  if not appended then return journal.unusable(self.path, reason) end
  return true
end

---The error of a source that does not have the recorded inputs.
---@param record table
---@return hubspot.associations.Error
function Journal:mismatch(record)
  local message = "is of another job: inputs %d to %d are not the ones it recorded"
  local last = record.first + record.inputs - 1
  local _, err = journal.unusable(self.path, message:format(record.first, last), "other_job")
  return err
end

function Journal:close()
  self.store:close()
end

return journal
