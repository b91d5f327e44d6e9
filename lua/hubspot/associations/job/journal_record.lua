-- The record of a batch in a journal, one line of JSON: checked, compared with a batch of the source, and
-- written.

local cjson = require "cjson"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local one_line = require "hubspot.associations.text.one_line"

local records = {}

local json = cjson.new()
json.encode_sparse_array(true)

-- The fields of an error that are recorded.
local ERROR_FIELDS = {
  "kind", "message", "status", "category", "subCategory", "correlationId", "context", "field", "policyName",
  "index", "attempts", "retryable", "flaw", "together", "value", "property",
}

records.LONGEST = 64 * 1024 * 1024 -- bytes of a line

local LONGEST_MESSAGE = 200 -- bytes, in a line that would otherwise be too long
local MOST_INPUTS = 100000 -- of one record: no body has more
local EXACT = 2 ^ 53 -- up to here, a double holds every integer exactly

-- ---- reading ----

local RECORDED_OUTCOMES = { failed = true, unconfirmed = true }

local function is_whole(value, least, most)
  return type(value) == "number" and value % 1 == 0 and value >= least and value <= most
end

-- Whether a value is a list of failures, each of a different input of the record. Nil: there are none.
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

---Whether a value is a record.
---@param record any
---@param outcome string the endpoint's
---@return boolean
function records.is_valid(record, outcome)
  if type(record) ~= "table" or not is_whole(record.first, 1, EXACT)
    or not is_whole(record.inputs, 1, math.min(MOST_INPUTS, EXACT - record.first + 1))
    or type(record.digest) ~= "string" or not is_whole(record[outcome], 0, record.inputs) then
    return false
  end
  if record.refused ~= nil then
    if not is_whole(record.refused, 1, record.inputs) or type(record.refused_digest) ~= "string" then
      return false
    end
  end
  return are_failures(record.failures, record)
    and record[outcome] + #(record.failures or {}) + (record.refused or 0) == record.inputs
end

---@param record table
---@return table[] failures { index, outcome, error } of the inputs that were sent; the first journals also
---  list invalid ones
function records.failures(record)
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
function records.failures_by_index(record)
  local is_recorded = {}
  for _, failure in ipairs(record.failures or {}) do is_recorded[failure.index] = true end
  return is_recorded
end

---Whether a batch that was just read has the recorded inputs. Valid inputs are compared by what is sent of
---them; invalid ones by where they are, their ids and their types.
---@param record table
---@param batch hubspot.associations.Batch
---@return boolean
function records.matches(record, batch)
  if batch.count ~= record.inputs or batch:digest() ~= record.digest then return false end
  if record.refused then
    return batch.invalid == record.refused and batch.invalid_digest == record.refused_digest
  end
  local was_invalid = {} -- the first journals list them; their errors have a `field`
  for _, failure in ipairs(record.failures or {}) do
    was_invalid[failure.index] = failure.error.field ~= nil
  end
  for _, failure in ipairs(batch.failures or {}) do
    if not was_invalid[failure.index] then return false end
  end
  return true
end

-- ---- writing ----

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
  return kept, json.encode { { kept } } -- as deep as it is in the record
end

local function whole_error(err)
  local encoded, kept, text = pcall(kept_of, err)
  if encoded and core.decode(text) then return kept end
  return { kind = err.kind, message = tostring(err.message) } -- JSON cannot represent something in it
end

-- The line of a batch. Invalid inputs are not listed: reading the source finds them again. Their fields are
-- named `refused` for the sake of existing journals.
local function encode(batch, outcome, encode_error)
  local failures
  local is_invalid = batch.is_invalid or {}
  for _, failure in ipairs(batch.failures or {}) do
    if not is_invalid[failure.index] then
      failures = failures or {}
      failures[#failures + 1] = {
        index = failure.index, outcome = failure.outcome, error = encode_error(failure.error),
      }
    end
  end
  return json.encode {
    first = batch.first,
    inputs = batch.count,
    digest = batch:digest(),
    [outcome] = batch.succeeded,
    refused = batch.invalid > 0 and batch.invalid or nil,
    refused_digest = batch.invalid_digest,
    failures = failures,
  }
end

---The line that records a batch whose inputs all have their outcome.
---@param batch hubspot.associations.Batch
---@param outcome string the endpoint's, of an input that succeeded
---@return string
function records.line(batch, outcome)
  local line = encode(batch, outcome, whole_error)
  if #line > records.LONGEST or not core.decode(line) then line = encode(batch, outcome, brief_error) end
  return line .. "\n"
end

return records
