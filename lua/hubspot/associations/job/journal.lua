-- What a job resumes from: JSON Lines, a header and then a record for each batch that is complete, which
-- journal_record.lua writes. A line counts once it is on disk; a torn last line does not count.
-- The bytes are kept by a store, so that a simulation can tear them: on disk by journal_file.lua.

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

-- Of a header that lacks one of these, as the first journals do.
local DEFAULTS = { endpoint = "create" }

local CHUNK = 64 * 1024 -- bytes that are read at once
local MOST_BETWEEN = 1000000 -- inputs that records leave out: a job keeps them while it compares the others

---@class hubspot.associations.JournalStore
---@field read fun(self, offset: integer, count: integer): string|nil, string|nil what was appended, from an
---  offset on; fewer bytes than `count` only at its end
---@field append fun(self, text: string): boolean|nil, string|nil returns when it is on disk
---@field truncate fun(self, length: integer): boolean|nil, string|nil
---@field close fun(self)

---@class hubspot.associations.Journal
local Journal = {}
Journal.__index = Journal

---The error of a journal that cannot be used.
---@param path string
---@param why string
---@param reason "other_job"|"in_use"|"damaged"|nil what a program, or the command, can decide by; nil for all
---  else
---@return nil
---@return hubspot.associations.Error
function journal.unusable(path, why, reason)
  local message = ("journal %s: %s"):format(path, why)
  return nil, errors.new { kind = "journal", message = message, reason = reason, retryable = false }
end

-- ---- reading ----

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

-- Calls visit(line, number, offset) for each line that has its end, until one returns why it is refused.
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
    if at - begin > records.LONGEST then
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
    if not records.is_valid(record, self.outcome) then return damaged(number) end
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
---@param outcome string the endpoint's, of an input that succeeded
---@return hubspot.associations.Journal|nil
---@return hubspot.associations.Error|nil
function journal.new(store, path, identity, outcome)
  local self = setmetatable({
    store = store, path = path, identity = identity, outcome = outcome,
    entries = {}, -- of the records, in the order of the source
    entry_at = {}, -- the same by the index of their first input
    between = 0, -- inputs that they leave out
    next_entry = 1, -- the first that no job has been given
    waiting = {}, -- lines that are written with the next
  }, Journal)
  local loaded, why, detail = self:load()
  if not loaded then return journal.unusable(path, why, detail) end
  if detail == 0 then
    local appended, reason = self:append(self:header())
    if not appended then return journal.unusable(path, reason) end
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

---The record of the batch that begins at an index of the source, if it was complete before.
---@param index integer
---@return table|nil
---@return hubspot.associations.Error|nil err when it is there and cannot be read
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

---The record of the first inputs that are not forgotten, for a job that keeps what lies between them.
---@return table|nil
---@return hubspot.associations.Error|nil err when it is there and cannot be used
function Journal:next_record()
  if self.between > MOST_BETWEEN then
    local message = "leaves out %.0f inputs between those it recorded, which no job does"
    return journal.unusable(self.path, message:format(self.between))
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

-- ---- recording ----

---Records a batch whose inputs all have their outcome; returns when that is on disk. A batch of which nothing
---could be sent is written with the next one that could: a first run that lacks, say, a type for all rows
---leaves nothing behind that the right one would not match.
---@param batch hubspot.associations.Batch
---@return boolean|nil
---@return hubspot.associations.Error|nil
function Journal:record(batch)
  self.waiting[#self.waiting + 1] = records.line(batch, self.outcome)
  if batch.body:count() == 0 then return true end
  local appended, reason = self:append(table.concat(self.waiting))
  if not appended then return journal.unusable(self.path, reason) end
  self.waiting = {}
  return true
end

---The error of a source that does not hold what was recorded.
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
