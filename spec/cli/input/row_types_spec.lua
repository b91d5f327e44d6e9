-- Checks row_types.lua by rows.lua: what a row's types, its category and its label mean to each command.
-- Never sends anything.

local rows = require "hubspot.associations.cli.input.rows"

local function handle_of(text)
  return { read = function()
    local all = text
    text = ""
    return all ~= "" and all or nil
  end }
end

-- The first row of a text: an input, or a problem.
local function first(text, options)
  local input, problem = assert(rows.open(handle_of(text), options or {}))()
  if input then input.line = nil end
  return input, problem
end

local function assert_bad(text, options, part, column)
  local input, problem = first(text, options)
  assert.is_nil(input)
  assert.truthy(problem.message:find(part, 1, true), problem.message)
  if column then assert.are.equal(column, problem.column) end
  return problem
end

local LABEL = { associationCategory = "USER_DEFINED", associationTypeId = 36 }

describe("the category of a row", function()
  it("is that of its types which are a number only, whatever --category says", function()
    for _, text in ipairs {
      "from,to,category,type,label\n1,2,USER_DEFINED,36,Decision maker\n",
      "from,to,type,label,Association Category\n1,2,36,1,USER_DEFINED\n",
      "from,to,category,type\n1,2,USER_DEFINED,USER_DEFINED:36\n",
      '{"from":"1","to":"2","category":"USER_DEFINED","type":36,"label":"Decision maker"}\n',
      '{"from":"1","to":"2","category":"USER_DEFINED","types":"36"}\n',
    } do
      for _, options in ipairs { {}, { category = "WORK", type = "7" } } do
        assert.are.same({ from = "1", to = "2", types = LABEL }, (first(text, options)))
      end
    end
    local text = "from,to,category,type\n1,2,HUBSPOT_DEFINED,279\n"
    assert.are.equal(279, first(text, { category = "WORK" }).types)
  end)

  it("is not looked at where it is empty", function()
    for _, text in ipairs {
      "from,to,category,type\n1,2,,36\n", '{"from":"1","to":"2","category":null,"type":36}',
    } do
      assert.are.same(LABEL, first(text, { category = "USER_DEFINED" }).types)
    end
  end)

  it("must be one, and not another than the type's; and stands beside a type", function()
    local head = "from,to,category,type\n1,2,"
    assert_bad(head .. "OBJECT NOT FOUND,279\n", nil, "expected a category in upper case", "category")
    assert_bad(head .. "WORK,USER_DEFINED:36\n", nil, "of category USER_DEFINED, and the row says WORK")
    assert_bad(head .. "WORK,\n", { type = "1" }, "a category, and no type")
    assert_bad('{"from":"1","to":"2","category":"WORK","types":[{"associationCategory":"X",'
      .. '"associationTypeId":1}]}', nil, "of category X, and the row says WORK")
    assert_bad('{"from":"1","to":"2","category":1,"type":279}', nil, "expected a category", "category")
  end)

  it("stays with a type that has to be corrected", function()
    local problem = assert_bad("from,to,category,type\n1,2,WORK,3;4\n", nil, "spaces stand between several")
    assert.are.equal("WORK:3;4", problem.row.type)
  end)

  it("is that column which an option names as another", function()
    local options = { columns = { type = "category" } }
    assert.are.equal("primary", first("from,to,category\n1,2,primary\n", options).types)
    assert.are.equal(5, first('{"from":"1","to":"2","category":5}', options).types)
  end)
end)

describe("the label of a row", function()
  it("is never a type", function()
    for _, text in ipairs { "from,to,label\n1,2,Primary\n", '{"from":"1","to":"2","label":"Primary"}\n' } do
      assert_bad(text, nil, "no association type")
      assert.are.equal(1, first(text, { type = "1" }).types)
    end
  end)
end)

describe("the types of pairs", function()
  local options = { takes = "pairs", typed = "give --all-types" }

  it("are a mistake where they would be ignored", function()
    for _, text in ipairs {
      "from,to,type\n1,2,279\n", "1,2,primary\n", "from,to,category\n1,2,WORK\n",
      '{"from":"1","to":"2","type":279}', '{"from":"1","to":"2","types":[]}',
      '{"from":"1","to":"2","type":279,"types":1}',
    } do
      assert.is_true(assert_bad(text, options, "give --all-types").is_typed)
      assert.are.same({ from = "1", to = "2" }, (first(text, { takes = "pairs" })))
    end
  end)

  it("may be empty, and need not be there", function()
    for _, text in ipairs { "from,to,type,label\n1,2,,x\n", "1,2\n", '{"from":"1","to":"2","type":""}' } do
      assert.are.same({ from = "1", to = "2" }, (first(text, options)))
    end
  end)
end)

describe("records", function()
  local function ids_in(text, columns)
    local next_row, ids = assert(rows.open(handle_of(text), { takes = "records", columns = columns })), {}
    local input, problem = next_row()
    while input or problem do
      ids[#ids + 1] = input and input.id or "bad"
      input, problem = next_row()
    end
    return table.concat(ids, " ")
  end

  it("are one id a row; the first field tells a header from a row", function()
    assert.are.equal("101 102", ids_in "101\n102\n")
    assert.are.equal("101 bad 103", ids_in "101\n1,234\n103,\n")
    for _, header in ipairs { "id", "Record ID", "from", "From ID" } do
      assert.are.equal("101 102", ids_in(header .. "\n101\n102\n"), header)
    end
    assert.are.equal("101 102", ids_in "from,to,category,type,label\n101,202,WORK,3,x\n102,203,,,\n")
    assert.are.equal("101 102", ids_in "name;id\nAda;101\nBob;102\n")
    assert.are.equal("7 8", ids_in("id,Contact\n1,7\n2,8\n", { from = "contact" }))
  end)

  it("are objects with an id", function()
    assert.are.equal("101 102 103 bad",
      ids_in '{"id":101}\n{"from":"102","to":"1"}\n{"from":103}\n{"to":1}\n')
    assert.are.equal("bad 101", ids_in '{"id":101,"from":"102"}\n{"id":101,"from":null}\n')
    assert.are.equal("7 bad", ids_in('{"id":1,"contact":7}\n{"id":1}\n', { from = "contact" }))
  end)

  it("need a column of their own", function()
    local _, problem = first("name,to\nAda,1\n", { takes = "records" })
    assert.truthy(problem.fatal)
    assert.truthy(problem.message:find("give --from-column NAME", 1, true), problem.message)
  end)
end)
