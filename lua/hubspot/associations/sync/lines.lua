-- The lines of the spools. Ids are padded, so that the order of bytes is that of numbers: the rows of a
-- record, and the types of a pair, stand together once the lines are sorted. Pure.

local lines = {}

local LONGEST_ID, LONGEST_INDEX = 19, 12

local zeros = {}
for length = 0, LONGEST_ID do zeros[length] = ("0"):rep(LONGEST_ID - length) end

-- ---- rows of the source ----

local GOOD, EMPTY, DOUBTFUL, CONFLICT, HELD = "T", "E", "D", "P", "H"
local NO_TO = zeros[0]
local KIND_AT = 2 * (LONGEST_ID + 1) + LONGEST_INDEX + 2

local function row_line(from, to, index, kind, token, types)
  local padded = ("%0" .. LONGEST_INDEX .. ".0f"):format(index)
  return zeros[#from] .. from .. " " .. to .. " " .. padded .. " " .. kind .. " " .. token .. " " .. types
end

---A row that says that a pair shall be linked.
---@param from string
---@param to string
---@param index integer
---@param token string the row in reports: its index, and what was looked up
---@param types string keys, separated by commas
---@return string
function lines.good(from, to, index, token, types)
  return row_line(from, zeros[#to] .. to, index, GOOD, token, types)
end

---A row that says that a record shall have no links.
function lines.empty(from, index, token)
  return row_line(from, NO_TO, index, EMPTY, token, "-")
end

---A bad row of a record.
function lines.doubtful(from, index)
  return row_line(from, NO_TO, index, DOUBTFUL, "-", "-")
end

---A row whose record on the other side has a primary type of another row as well.
function lines.conflict(from, token)
  return row_line(from, NO_TO, 0, CONFLICT, token, "-")
end

---What a good row says of the record on its other side, where both are of one object type: the link is that
---record's as well. It does not name that record.
function lines.held(from, to)
  return row_line(to, zeros[#from] .. from, 0, HELD, "-", "-")
end

local function unpadded(digits) return (digits:gsub("^0+", "")) end

-- Takes a line into its record.
local function add_row(record, line)
  local to, index, kind, token, types = line:match "^%d+ (%d+) (%d+) ([A-Z]) ([^ ]+) ([^ ]+)$"
  if kind == DOUBTFUL then
    record.is_doubtful = true
  elseif kind == EMPTY then
    table.insert(record.empty, token)
  elseif kind == CONFLICT then
    record.conflicts[token] = true
  elseif kind == HELD then
    record.held = record.held or {}
    record.held[unpadded(to)] = true
  else
    table.insert(record.rows, { to = unpadded(to), index = token, number = tonumber(index), types = types })
  end
end

---The records of sorted lines, one after the other. Their rows are left as lines until `parse`: thousands of
---records wait for their links, and a line takes a fourth of the memory.
---@param next_line fun(): string|nil, any
---@return fun(): hubspot.associations.sync.Record|nil, any
function lines.records(next_line)
  local held, err = next_line()
  return function()
    if not held then return nil, err end
    local from = held:sub(1, LONGEST_ID)
    local record = {
      id = unpadded(from), lines = {}, is_named = false, has_rows = false, has_empty = false,
      is_doubtful = false,
    }
    repeat
      local kind = held:sub(KIND_AT, KIND_AT)
      record.is_named = record.is_named or kind ~= HELD
      record.has_rows = record.has_rows or kind == GOOD
      record.has_empty = record.has_empty or kind == EMPTY
      record.is_doubtful = record.is_doubtful or kind == DOUBTFUL
      record.lines[#record.lines + 1] = held
      held, err = next_line()
    until not held or held:sub(1, LONGEST_ID) ~= from
    if err then return nil, err end
    return record
  end
end

---Takes the lines of a record into its rows.
---@param record hubspot.associations.sync.Record
---@return hubspot.associations.sync.Record
function lines.parse(record)
  local list = record.lines
  if not list then return record end
  record.lines, record.rows, record.empty, record.conflicts = nil, {}, {}, {}
  for _, line in ipairs(list) do add_row(record, line) end
  return record
end

-- ---- rows with a primary type, by the record that may have one only ----

function lines.primary(from, to, token)
  return zeros[#to] .. to .. " " .. zeros[#from] .. from .. " " .. token
end

---Calls found(from, token) for each row of sorted lines whose record has several.
---@param next_line fun(): string|nil, any
---@param found fun(from: string, token: string)
---@return hubspot.associations.Error|nil
function lines.conflicts(next_line, found)
  local last, first, group = nil, nil, {}
  local is_several = false
  local function close()
    for _, row in ipairs(is_several and group or {}) do found(row[1], row[2]) end
    group, is_several = {}, false
  end
  while true do
    local line, err = next_line()
    if not line then
      close()
      return err
    end
    local to, from, token = line:match "^(%d+) (%d+) ([^ ]+)$"
    if to ~= last then close() end
    if to == last and from ~= first then is_several = true end
    if to ~= last then last, first = to, from end
    group[#group + 1] = { unpadded(from), token }
  end
end

-- ---- the plan ----

lines.NEW, lines.LINKED, lines.REMOVAL = "1", "2", "3"

---A type of a pair: created where there was nothing, created where there were links, or removed.
---@param section string
---@param unit string the number of the pair in the journal, or "-"
---@return string
function lines.plan(section, from, to, key, had, tokens, unit)
  return section .. " " .. zeros[#from] .. from .. " " .. zeros[#to] .. to .. " " .. key .. " "
    .. (had == "" and "-" or had) .. " " .. (tokens == "" and "-" or tokens) .. " " .. unit
end

---@class hubspot.associations.sync.PlanLine
---@field section string
---@field from string
---@field to string
---@field key string
---@field had string
---@field tokens string
---@field unit integer|nil

---@param line string
---@return hubspot.associations.sync.PlanLine
function lines.read_plan(line)
  local section, from, to, key, had, tokens, unit =
    line:match "^(%d) (%d+) (%d+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+)$"
  return {
    section = section, from = unpadded(from), to = unpadded(to), key = key, had = had == "-" and "" or had,
    tokens = tokens == "-" and "" or tokens, unit = tonumber(unit),
  }
end

---@class hubspot.associations.sync.Unit what is to be done with a pair
---@field section string
---@field from string
---@field to string
---@field types string[]
---@field had string[]
---@field tokens string[] of rows, or of the plan's lines; none for a removal that a comparison found
---@field numbers integer[] in the journal

-- Adds the words of a text to a list, each once.
local function add_words(list, is_seen, text)
  for word in text:gmatch "[^,]+" do
    if not is_seen[word] then
      is_seen[word] = true
      list[#list + 1] = word
    end
  end
end

---The units of sorted lines.
---@param next_line fun(): string|nil, any
---@return fun(): hubspot.associations.sync.Unit|nil, any
function lines.units(next_line)
  local line, err = next_line()
  local held = line and lines.read_plan(line)
  return function()
    if not held then return nil, err end
    local first = held
    local unit = {
      section = first.section, from = first.from, to = first.to,
      types = {}, had = {}, tokens = {}, numbers = {},
    }
    local is_seen = { types = {}, had = {}, tokens = {}, numbers = {} }
    repeat
      add_words(unit.types, is_seen.types, held.key)
      add_words(unit.had, is_seen.had, held.had)
      add_words(unit.tokens, is_seen.tokens, held.tokens)
      if held.unit and not is_seen.numbers[held.unit] then
        is_seen.numbers[held.unit] = true
        table.insert(unit.numbers, held.unit)
      end
      line, err = next_line()
      held = line and lines.read_plan(line)
    until not held or held.section ~= first.section or held.from ~= first.from or held.to ~= first.to
    if err then return nil, err end
    return unit
  end
end

---How many outcomes a unit has: of its rows, or of its types.
---@param unit hubspot.associations.sync.Unit
---@return integer
function lines.weight(unit)
  return math.max(#unit.tokens > 0 and #unit.tokens or #unit.types, 1)
end

-- ---- rows in reports ----

local function escaped(value)
  return (tostring(value):gsub("[^A-Za-z0-9._-]", function(byte)
    return ("%%%02x"):format(byte:byte())
  end))
end

---The token of a row: its index, and the values that were looked up, where they are not kept elsewhere.
---@param index integer
---@param from any nil where the ids are what was given
---@param to any
---@return string
function lines.token(index, from, to)
  local text = ("%.0f"):format(index)
  if from == nil then return text end
  return text .. "=" .. escaped(from) .. "=" .. escaped(to)
end

---@param token string
---@return integer index
---@return string|nil from
---@return string|nil to
function lines.read_token(token)
  local index, from, to = token:match "^(%d+)=?([^=]*)=?(.*)$"
  local function plain(text)
    return (text:gsub("%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end))
  end
  if not token:find("=", 1, true) then return tonumber(index) end
  return tonumber(index), plain(from), plain(to)
end

return lines
