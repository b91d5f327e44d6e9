-- The journal of a sync: JSON Lines. First what tells this sync from others; then the rows that failed while
-- the plan was made; a line that the plan is complete, which is in a file beside it; and then the outcomes of
-- the plan's pairs. Without the line that the plan is complete, it is made anew: nothing was changed yet.

local cjson = require "cjson"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local journals = require "hubspot.associations.job.journal"
local ascii = require "hubspot.associations.text.ascii"
local one_line = require "hubspot.associations.text.one_line"

local journal = {}

local json = cjson.new()

local FORMAT = "hubspot-associations sync journal"
local CHUNK = 64 * 1024
local LINE = 2 * 1024 -- bytes that are read at once for one line
local MOST_WAITING = 1000 -- lines that are kept until they are written together

---@class hubspot.associations.sync.Journal
---@field planned table|nil the line that the plan is complete
---@field bad table[] rows that failed: { index, error }
---@field done table<integer, string|integer> number of a pair -> its outcome; of one with an error, where in
---  the file its line begins: a million errors would take much memory
local Journal = {}
Journal.__index = Journal

-- The fields of an error that a resumed run shows again.
local KEPT = {
  "kind", "message", "field", "status", "category", "correlationId", "value", "property", "retryable",
}

local function error_fields(err)
  local fields = {}
  for _, name in ipairs(KEPT) do
    local value = err[name]
    if type(value) == "string" then value = one_line(value) end -- UTF-8, as JSON has to be
    if type(value) ~= "table" and type(value) ~= "function" then fields[name] = value end
  end
  return fields
end

-- ---- reading ----

-- Calls visit for each complete line, with where it begins. Returns the length of these; or nil and why not.
local function each_line(file, visit)
  local at, rest, length = 0, "", 0
  while true do
    local chunk, why = file:read(at, CHUNK)
    if not chunk then return nil, why end
    at, rest = at + #chunk, rest .. chunk
    local from = 1
    for line, stop in rest:gmatch "([^\n]*)\n()" do
      local wrong, reason = visit(line, length)
      if wrong then return nil, wrong, reason end
      length, from = length + #line + 1, stop
    end
    rest = rest:sub(from)
    if #chunk < CHUNK then return length, rest end
  end
end

local function header_of(identity)
  local names, fields = {}, { '{"format":' .. json.encode(FORMAT) .. ',"version":1' }
  for name in pairs(identity) do names[#names + 1] = name end
  table.sort(names, ascii.before)
  for _, name in ipairs(names) do
    fields[#fields + 1] = json.encode(name) .. ":" .. json.encode(identity[name])
  end
  return table.concat(fields, ",") .. "}"
end

-- Why a header is another's; nil when it is this sync's.
local function check_header(line, identity)
  local header = core.decode(line)
  local is_ours = type(header) == "table" and header.format == FORMAT
  if not is_ours then return "is not a journal of a sync", "other_file" end
  if header.version ~= 1 then return "is of a version that this module does not read", "other_file" end
  for name in pairs(header) do
    if identity[name] == nil and name ~= "format" and name ~= "version" then
      return ("is of another sync: it has the option %s"):format(one_line(name)), "other_job"
    end
  end
  for name, value in pairs(identity) do
    if header[name] ~= value then
      local message = "is of another sync: its %s is %s, not %s"
      return message:format(name, one_line(header[name]), one_line(value)), "other_job"
    end
  end
end

local function take(self, record, at)
  if type(record) ~= "table" then return "is damaged", "damaged" end
  if record.bad then
    self.bad[#self.bad + 1] = record.bad
  elseif record.planned then
    self.planned = record.planned
  elseif record.done then
    local what = record.error and at or record.outcome
    for _, range in ipairs(record.done) do
      for number = range[1], range[2] do self.done[number] = what end
    end
  end
end

---Opens the journal at a path, or creates it, and locks out other processes until it is closed.
---@param path string
---@param identity table<string, string>
---@return hubspot.associations.sync.Journal|nil
---@return hubspot.associations.Error|nil
function journal.open(path, identity)
  local file, why, is_locked = core.file(path)
  if not file and is_locked then
    return journals.unusable(path, "another process, or another job of this one, is using it", "in_use")
  end
  if not file then return journals.unusable(path, why) end
  local self = setmetatable({
    file = file, path = path, bad = {}, done = {}, planned = nil, waiting = {}, outcome = nil, ranges = {},
  }, Journal)
  local header = header_of(identity)
  local length, rest, reason = each_line(file, function(line, at)
    if at == 0 then return check_header(line, identity) end
    return take(self, core.decode(line), at)
  end)
  if length == 0 and (header .. "\n"):sub(1, #rest) ~= rest then
    length, rest, reason = nil, "is not a journal of a sync", "other_file"
  end
  local done = length and (rest == "" or file:truncate(length))
  if done and length == 0 then done, rest = file:append(header .. "\n") end
  if done and not self.planned then done, rest = self:restart(header) end
  if done then return self end
  file:close()
  return journals.unusable(path, rest or "cannot be written", reason)
end

-- ---- writing ----

-- Forgets the rows that failed in a run that did not end its plan.
function Journal:restart(header)
  self.bad = {}
  return self.file:truncate(#header + 1)
end

---Writes what waits. Returns when it is on disk.
---@return boolean|nil
---@return hubspot.associations.Error|nil
function Journal:flush()
  self:close_range()
  if not self.waiting[1] then return true end
  local appended, why = self.file:append(table.concat(self.waiting, "\n") .. "\n")
  self.waiting = {}
  if not appended then return journals.unusable(self.path, why) end
  return true
end

function Journal:add(record)
  self.waiting[#self.waiting + 1] = json.encode(record)
  if #self.waiting >= MOST_WAITING then return self:flush() end
  return true
end

---Records a row that failed while the plan was made.
---@param index integer
---@param err hubspot.associations.Error
function Journal:record_bad(index, err)
  return self:add { bad = { index = index, error = error_fields(err) } }
end

---Records that the plan is complete.
---@param planned table
---@return boolean|nil
---@return hubspot.associations.Error|nil
function Journal:record_plan(planned)
  local added, err = self:add { planned = planned }
  if added then added, err = self:flush() end
  return added, err
end

-- Ends the list of pairs with one outcome.
function Journal:close_range()
  if not self.ranges[1] then return end
  local record = { done = self.ranges, outcome = self.outcome }
  self.ranges = {}
  self.waiting[#self.waiting + 1] = json.encode(record)
end

---Records the outcome of a pair; `flush` follows.
---@param number integer
---@param outcome string
---@param err hubspot.associations.Error|nil
function Journal:record(number, outcome, err)
  if err then
    self:close_range()
    return self:add { done = { { number, number } }, outcome = outcome, error = error_fields(err) }
  end
  local last = self.ranges[#self.ranges]
  if self.outcome ~= outcome then self:close_range() end
  self.outcome = outcome
  last = self.ranges[1] and last
  if last and last[2] == number - 1 then
    last[2] = number
  else
    table.insert(self.ranges, { number, number })
  end
  return true
end

---An error of the journal, as it shows that the source is another, or the plan is gone.
---@param why string
---@param reason string|nil
---@return hubspot.associations.Error
function Journal:unusable(why, reason)
  local _, err = journals.unusable(self.path, why, reason)
  return err
end

---What a run before has recorded of a pair.
---@param number integer
---@return string|nil outcome nil when nothing is
---@return hubspot.associations.Error|nil
function Journal:outcome_of(number)
  local what = self.done[number]
  if type(what) ~= "number" then return what end
  local text, more = ""
  repeat
    more = self.file:read(what + #text, LINE) or ""
    text = text .. more
  until more == "" or text:find("\n", 1, true)
  local record = core.decode(text:match "^[^\n]*")
  if type(record) ~= "table" then record = {} end -- the file has changed since it was opened
  local fields = record.error or { kind = "journal", message = "the journal has changed meanwhile" }
  return record.outcome or "failed", errors.new(fields)
end

---Forgets everything: a run that changed nothing leaves nothing to go on with.
function Journal:discard()
  self.file:truncate(0)
end

---An error as it was recorded.
---@param fields table
---@return hubspot.associations.Error
function journal.error(fields)
  return errors.new(fields)
end

function Journal:close()
  self.file:close()
end

return journal
