-- The inputs of a batch create that get it rejected: malformed ones, and types that do not exist in the
-- direction.

local fixture = require "support.sandbox_account"

local input, with_types, batch, reject = fixture.input, fixture.with_types, fixture.batch, fixture.reject

describe("a batch of pairs", function()
  it("is rejected for a field that is missing or wrong, with the column", function()
    local sound = '{"from":{"id":"é1"},"to":{"id":"2"},"types":[]},'
    local type = '{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":1}'
    -- The mark | stands before the character whose column is named; it is not sent.
    for i, case in ipairs {
      { "{|}", "Some required fields were not set: [inputs]" },
      { '{"inputs":null|}', "[inputs]" },
      { '{"inputs":|{"a":1}}', "Cannot deserialize" },
      { '{"inputs":[|null]}', "Cannot deserialize" },
      { '{"inputs":[SOUND{"to":{"id":"2"},"types":[]|}]}', "[from]" },
      { '{"inputs":[SOUND{"from":null|}]}', "[from, to, types]" },
      { '{"inputs":[SOUND{"from":|"1","to":{"id":"2"},"types":[]}]}', 'from String "1"' },
      { '{"inputs":[SOUND{"from":{"id":"1"},"to":{|},"types":[]}]}', "[id]" },
      { '{"inputs":[SOUND{"from":{"id":"1"},"to":{"id":|true},"types":[]}]}', "Cannot deserialize" },
      { '{"inputs":[SOUND{"from":{"id":"1"},"to":{"id":"2"},"types":|3}]}', "Cannot deserialize" },
      { '{"inputs":[SOUND{"from":{"id":"1"},"to":{"id":"2"},"types":|{"a":1}}]}', "Cannot deserialize" },
      { '{"inputs":[SOUND{"from":{"id":"1"},"to":{"id":"2"},"types":[TYPE,|3]}]}', "Cannot deserialize" },
      { '{"inputs":[SOUND{"from":{"id":"1"},"to":{"id":"2"},"types":[TYPE,{|}]}]}',
        "[associationCategory, associationTypeId]" },
      { '{"inputs":[SOUND{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationTypeId":1|}]}]}',
        "[associationCategory]" },
      { '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationTypeId":1,'
        .. '"associationCategory":|"NEW_CATEGORY"}]}]}', 'from String "NEW_CATEGORY"' },
      { '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationCategory":"WORK",'
        .. '"associationTypeId":|"1"}]}]}', 'from String "1"' },
      { '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationCategory":"WORK",'
        .. '"associationTypeId":|1.5}]}]}', "from number" },
      { '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationCategory":"WORK",'
        .. '"associationTypeId":|2147483648}]}]}', "from number" },
    } do
      local text = case[1]:gsub("SOUND", sound):gsub("TYPE", type)
      local at = text:find("|", 1, true)
      local _, continued = text:sub(1, at):gsub("[\128-\191]", "")
      local response, body = reject((text:gsub("|", "")))
      assert.equal(400, response.status, i)
      assert.truthy(body.message:find(("on line 1, column %d"):format(at - continued), 1, true),
        ("%d: %d: %s"):format(i, at, body.message))
      assert.truthy(body.message:find(case[2], 1, true), body.message)
    end
    local _, body = reject '{"inputs":\n [\n  3]}'
    assert.truthy(body.message:find("on line 3, column 3", 1, true), body.message)
  end)

  it("is rejected for types that do not exist, and all of them are named", function()
    local response, body = reject(
      batch(input("1", "2"), with_types("1", "3", 9999), with_types("1", "4", "3", 279)),
      nil, { labels = {} })
    assert.equal(400, response.status)
    assert.equal("VALIDATION_ERROR", body.category)
    assert.same({
      associationSpec = { "HUBSPOT_DEFINED=9999", "USER_DEFINED=3" },
      INVALID_ASSOCIATION_TYPE_ID = {
        "HUBSPOT_DEFINED=9999 is not a valid association definition id",
        "USER_DEFINED=3 is not a valid association definition id",
      },
    }, body.context)
  end)

  it("is rejected for a type of the opposite direction, as if the to id were one of the from side", function()
    local _, body = reject(batch(input("1", "2"), with_types("1", "38374264688", 280)))
    assert.same({
      INVALID_OBJECT_IDS = { "CONTACT=38374264688 is not valid" },
      objectId = { "38374264688" }, objectType = { "CONTACT" },
    }, body.context)
  end)

  it("is rejected for a type of another direction, with the object type that is expected", function()
    local _, body = reject(batch(input("1", "2"), with_types("1", "3", 190)))
    assert.equal("invalid from object type 0-1 for associations to be created. expected: 0-46. "
      .. "For definition 0-190", body.message)
    _, body = reject(batch(with_types("1", "3", 4))) -- contacts to deals
    assert.truthy(body.message:find("invalid to object type 0-2", 1, true), body.message)
  end)
end)
