-- Checks the plan as CSV: what is written is read again, and what is not clear is an error.

local core = require "hubspot.associations.core"
local plan_file = require "hubspot.associations.sync.plan_file"
local jobs = require "support.jobs"
local process = require "support.process"

local path

before_each(function() path = process.make_folder() .. "/plan.csv" end)

local OBJECTS = { from = "0-1", to = "company" }

local ROWS = {
  { action = "create", from = "101", to = "201", key = "USER_DEFINED:5", label = '="Boss", the', had = "",
    rows = "1,7" },
  { action = "remove", from = "101", to = "202", key = "HUBSPOT_DEFINED:279",
    had = "HUBSPOT_DEFINED:279,USER_DEFINED:5", rows = "" },
}

local function write(rows)
  return plan_file.write(path, jobs.iterator(rows), OBJECTS)
end

local function put(text, at)
  local file = assert(io.open(at or path, "wb"))
  file:write(text)
  file:close()
end

local function text(of) return process.read_file(of or path) end

-- All rows; or nil and the error.
local function read(objects)
  local next_row, err = plan_file.open(path, objects or OBJECTS)
  if not next_row then return nil, err end
  local rows = {}
  while true do
    local row, detail = next_row()
    if not row then return not detail and rows or nil, detail end
    rows[#rows + 1] = row
  end
end

describe("a plan's file", function()
  it("has a line for each type of a pair, and is read again", function()
    assert(write(ROWS))
    assert.equal("action,from contacts,to companies,category,type,label,had,rows\n"
      .. 'create,101,201,USER_DEFINED,5,"\'=""Boss"", the",,1 7\n'
      .. "remove,101,202,HUBSPOT_DEFINED,279,,HUBSPOT_DEFINED:279 USER_DEFINED:5,\n", text())
    local rows = assert(read())
    assert.equal(2, #rows)
    for index, row in ipairs(rows) do
      for _, name in ipairs { "action", "from", "to", "key", "had", "rows" } do
        assert.equal(ROWS[index][name], row[name])
      end
    end
  end)

  it("has no label that a spreadsheet runs, wherever it splits the line", function()
    local full_width = "\239\188\157" -- U+FF1D, an equals sign to some
    for label, cell in pairs { [full_width .. "1"] = "'" .. full_width .. "1", ["a;=1"] = '"a;\'=1"' } do
      local row = { action = "create", from = "1", to = "2", key = "USER_DEFINED:5", had = "", rows = "1" }
      row.label = label
      assert(write { row })
      assert.truthy(text():find(",5," .. cell .. ",,1\n", 1, true), text())
    end
  end)

  it("is readable by its owner only, and is complete when it has its name", function()
    assert(write(ROWS))
    assert.equal(6 * 64, core.stat(path).mode)
    assert.is_nil((core.stat(path .. ".part")))
  end)

  it("is left as it was when it cannot be written", function()
    put "before"
    local written, err = plan_file.write(path, function() return nil, "no more" end, OBJECTS)
    assert.is_nil(written)
    assert.equal("journal", err.kind)
    assert.equal("before", text())
    assert.is_nil((core.stat(path .. ".part")))
  end)

  it("takes the place of what a killed run left beside it, and of no other file", function()
    put("notes of mine", path .. ".part")
    for _, written in ipairs { { plan_file.check(path) }, { write(ROWS) } } do
      assert.is_nil(written[1])
      assert.truthy(written[2].message:find("plan.csv.part, which is written first, cannot be used: it "
        .. "is there already", 1, true))
    end
    assert.equal("notes of mine", text(path .. ".part"))
    os.remove(path .. ".part")
    assert(write(ROWS))
    local unfinished = text():sub(1, -20)
    for _, left in ipairs { "", unfinished:sub(1, 9), unfinished } do
      put(left, path .. ".part")
      assert(write(ROWS))
      assert.is_nil((core.stat(path .. ".part")))
      assert.equal(2, #read())
    end
  end)

  it("may have come through a spreadsheet", function()
    put('\239\187\191"action","to companies","from contacts","category","type","had","note"\r\n'
      .. '"create","201","101","USER_DEFINED","5","","a ""b"", c"\r\n\r\n')
    local rows = assert(read())
    assert.same({ action = "create", from = "101", to = "201", key = "USER_DEFINED:5", had = "", rows = "" },
      rows[1])
  end)

  local HEAD = "action,from contacts,to companies,category,type,label,had,rows\n"
  for what, line in pairs {
    ["an action that is none"] = "keep,1,2,HUBSPOT_DEFINED,279,,,",
    ["an id that a spreadsheet has changed"] = "create,1.01E+11,2,HUBSPOT_DEFINED,279,,,",
    ["no id"] = "create,1,,HUBSPOT_DEFINED,279,,,",
    ["a type that is none"] = "create,1,2,HUBSPOT_DEFINED,x,,,",
    ["a category that is none"] = "create,1,2,own,279,,,",
    ["a removal of a pair that had nothing"] = "remove,1,2,HUBSPOT_DEFINED,279,,,",
    ["types that are none"] = "remove,1,2,HUBSPOT_DEFINED,279,,279,",
    ["rows that are none"] = "create,1,2,HUBSPOT_DEFINED,279,,,x",
    ["too few fields"] = "create,1,2,HUBSPOT_DEFINED,279",
    ["too many fields"] = "create,1,2,HUBSPOT_DEFINED,279,,,,",
    ["a quote without an end"] = 'create,1,2,HUBSPOT_DEFINED,279,"a,,',
    ["text behind a quote"] = 'create,1,2,HUBSPOT_DEFINED,279,"a"b,,',
  } do
    it("is not read on at a line that has " .. what, function()
      put(HEAD .. "create,1,2,HUBSPOT_DEFINED,279,,,\n" .. line .. "\n")
      local rows, err = read()
      assert.is_nil(rows)
      assert.equal("invalid_input", err.kind)
      assert.truthy(err.message:find("line 3: ", 1, true), err.message)
    end)
  end

  it("names the account, if that is known, and is refused for another", function()
    local function of(account) return { from = "contacts", to = "companies", account = account } end
    assert(plan_file.write(path, jobs.iterator(ROWS), of "24242424"))
    assert.matches("^[^\n]*,label,had in account 24242424,rows\n", text())
    for _, account in ipairs { "24242424", false } do
      assert.equal(ROWS[2].had, assert(read(of(account or nil)))[2].had)
    end
    local _, err = read(of "11")
    assert.equal("invalid_input", err.kind)
    assert.truthy(err.message:find("it is a plan of the account 24242424, not of 11", 1, true), err.message)
    assert(plan_file.write(path, jobs.iterator(ROWS), of 'a, "b"'))
    assert.equal(2, #assert(read(of 'a, "b"')))
    assert(write(ROWS))
    assert.equal(2, #assert(read(of "11"))) -- it does not say
  end)

  it("is refused for other object types than those that its columns name", function()
    assert(write(ROWS))
    assert(read { from = "contacts", to = "companies" })
    for _, objects in ipairs {
      { from = "companies", to = "contacts" }, { from = "contacts", to = "deals" },
      { from = "2-1", to = "0-2" },
    } do
      local rows, err = read(objects)
      assert.is_nil(rows)
      assert.equal("invalid_input", err.kind)
      assert.truthy(err.message:find("a plan from contacts to companies, not from ", 1, true), err.message)
    end
    put "action,from,to,category,type,label,had,rows\n"
    assert.truthy(select(2, read()).message:find("it has no column from contacts", 1, true))
  end)

  it("names object types of an account as they were given", function()
    local objects = { from = "p_car", to = "2-7" }
    assert(plan_file.write(path, function() return nil end, objects))
    assert.equal("action,from p_car,to 2-7,category,type,label,had,rows\n", text())
    assert.same({}, read(objects))
    assert.is_nil((read { from = "2-6", to = "2-7" }))
  end)

  it("is no plan without the columns of one", function()
    for _, content in ipairs { "", "from,to,type\n1,2,3\n", "action;from;to\n" } do
      put(content)
      local rows, err = read()
      assert.is_nil(rows)
      assert.equal("invalid_input", err.kind)
    end
    os.remove(path)
    assert.equal("journal", select(2, read()).kind)
  end)
end)
