-- Checks how files are read as a whole against a model: for random files with quotes, separators and broken
-- rows, each logical row is counted once, in its line, and no pair is linked that the model does not have.
-- The model is slow and plain, and shares nothing with the code: it joins lines until they parse.

local core = require "hubspot.associations.core"
local random = require "support.random"
local rows = require "hubspot.associations.cli.input.rows"

-- ---- the model ----

-- The fields of a text that is one record; or "open" where a quote is, at its end; or "broken".
local function parse(text, separator)
  local fields, value, state = {}, "", "start"
  local function finish()
    fields[#fields + 1] = value
    value, state = "", "start"
  end
  for char in text:gsub("\r+$", ""):gmatch "." do
    if state == "quoted" then
      if char == '"' then state = "closed" else value = value .. char end
    elseif char == separator then
      finish()
    elseif state == "start" and char == '"' then
      state = "quoted"
    elseif state == "closed" and char == '"' then
      value, state = value .. '"', "quoted"
    elseif state == "closed" or char == '"' or char == "\r" then
      return "broken"
    else
      value, state = value .. char, "plain"
    end
  end
  if state == "quoted" then return "open" end
  finish()
  return fields
end

local function split(text)
  local list = {}
  for line in text:gmatch "([^\n]*)\n?" do list[#list + 1] = line end
  return list
end

-- The record that begins in a line: its fields and its last line; or "broken".
local function record_at(lines, first, separator)
  local text
  for last = first, #lines do
    text = text and text .. "\n" .. lines[last] or lines[last]
    local fields = parse(text, separator)
    if fields ~= "open" then return fields, last end
  end
  return "broken"
end

local function trim(text)
  return text:match "^%s*(.-)%s*$"
end

local function is_id(text)
  return #text <= 19 and text:find "^[1-9]%d*$" ~= nil
end

local function is_blank(fields, from)
  for number = from, #fields do
    if trim(fields[number]) ~= "" then return false end
  end
  return true
end

-- What becomes of a record with the columns from, to and others, `width` in all: a pair, or "bad".
local function outcome(fields, width)
  if fields == "broken" or #fields < 2 or not is_blank(fields, width + 1) then return "bad" end
  local from, to = trim(fields[1]), trim(fields[2])
  return is_id(from) and is_id(to) and from .. ">" .. to or "bad"
end

-- What a file's rows come to, as "line outcome", in order.
local function expected(text, separator, has_header)
  local lines, list, first, number = split(text), {}, has_header, 1
  while number <= #lines do
    local fields, last = record_at(lines, number, separator)
    if fields == "broken" or not is_blank(fields, 1) then
      if not first then list[#list + 1] = number .. " " .. outcome(fields, 3) end
      first = false
    end
    number = (fields == "broken" and number or last) + 1
  end
  return list
end

-- ---- what the code does ----

-- A handle that gives a text in pieces of random sizes, of which the first has at least `least` bytes.
local function handle_of(source, text, least)
  return {
    read = function(_, count)
      if text == "" then return nil end
      local size = math.min(count, math.max(least, source:integer(1, 40)))
      local piece = text:sub(1, size)
      text, least = text:sub(size + 1), 0
      return piece
    end,
  }
end

-- The pair that is sent of an input, checked as the job checks it; "bad" when it is invalid.
local function sent(input)
  local body = core.body()
  if not body:add(input) then return "bad" end
  local from, to = body:json():match '"from":{"id":"(%d+)"},"to":{"id":"(%d+)"}'
  return from .. ">" .. to
end

local function actual(handle)
  local next_row, list = assert(rows.open(handle, { type = "279", format = "csv" })), {}
  while true do
    local input, problem = next_row()
    if not input and not problem then return list end
    assert(not problem or not problem.fatal, problem and problem.message)
    list[#list + 1] = input and input.line .. " " .. sent(input) or problem.line .. " bad"
  end
end

-- ---- random files ----

local CELLS = {
  "101", "7", "9999999999999999999", "0101", "", " ", " 102 ", "x", "1.01E+11", "'103", "1 234", "Ada",
  "x\0y",
}
local QUOTED = {
  '""', '"104"', '"10\n4"', '"a""b"', '"a\nb"', '"\n"', '"5,6;7\t8"', '" 105 "', '"x\r\ny"', '"""c"""',
}
local BROKEN = { '"', '"Ada', 'B"ob', '"Bob"x', '"106\n', '""x', '"""', "a\rb", '" "y"', '",', '"\n\n' }

local function cell(source)
  local kind = source:integer(1, 20)
  if kind <= 8 then return source:digits(6) end
  if kind <= 15 then return source:pick(CELLS) end
  return kind <= 18 and source:pick(QUOTED) or source:pick(BROKEN)
end

local function row(source, separator)
  if source:one_in(12) then return separator:rep(source:integer(0, 5)) end
  local list = {}
  for number = 1, source:integer(1, source:one_in(6) and 7 or 3) do list[number] = cell(source) end
  return table.concat(list, source:one_in(15) and source:pick { ",", ";", "\t" } or separator)
end

local function file(source)
  local separator, has_header = source:pick { ",", ";", "\t" }, source:one_in(2)
  local list = { table.concat(has_header and { "from", "to", "name" } or { "101", "202", "" }, separator) }
  for number = 2, source:integer(1, 30) do list[number] = row(source, separator) end
  local text = table.concat(list, source:pick { "\n", "\r\n" })
  return source:one_in(2) and text .. "\n" or text, separator, has_header, #list[1]
end

describe("a random CSV file", function()
  it("has each row counted once, in its line, and links no pair that the model does not have", function()
    random.check(3000, function(source)
      local text, separator, has_header, least = file(source)
      if not has_header then return end
      local there = actual(handle_of(source, text, least))
      assert.are.same(expected(text, separator, true), there, ("%q"):format(text))
    end)
  end)

  it("has the same rows without a header, but for those whose third field is no type", function()
    random.check(3000, function(source)
      local text, separator, has_header, least = file(source)
      if has_header then return end
      local model, there = expected(text, separator, false), actual(handle_of(source, text, least))
      assert.are.equal(#model, #there, ("%q"):format(text))
      for index, entry in ipairs(there) do
        assert.are.equal(model[index]:match "^%d+", entry:match "^%d+")
        if not entry:find "bad" then assert.are.equal(model[index], entry, ("%q"):format(text)) end
      end
    end)
  end)
end)

describe("a random JSON Lines file", function()
  local LINES = {
    '{"from":1,"to":2}', '{"from":"1","to":{"id":2}}', "", "  ", "x", "{", '{"from":1,"from":2}', "[1,2]",
    '"', "}{", '{"from":1e3,"to":2}', '{"from":1,\r"to":2}', '{"from":"a\0b","to":2}',
  }

  it("has each line that is not blank counted once", function()
    random.check(500, function(source)
      local list, counted = { '{"from":1,"to":2}' }, { 1 }
      for line = 2, source:integer(1, 30) do
        list[line] = source:pick(LINES)
        if list[line]:find "%S" then counted[#counted + 1] = line end
      end
      local text = table.concat(list, source:pick { "\n", "\r\n" })
      local next_row, there = assert(rows.open(handle_of(source, text, 10), { type = "279" })), {}
      local input, problem = next_row()
      while input or problem do
        there[#there + 1] = (input or problem).line
        input, problem = next_row()
      end
      assert.are.same(counted, there)
    end)
  end)
end)
