-- Checks pages.lua and the job that reads: each record's links are delivered, page by page, whatever the
-- service does in between; and each record has one outcome.

local cjson = require "cjson"
local runs = require "support.job_run"

-- Runs a job that reads, with all that on_record was given: index -> list of pages.
local function read(given)
  local pages = {}
  given.endpoint = "read"
  local on_record = given.on_record
  function given.on_record(page)
    pages[page.index] = pages[page.index] or {}
    table.insert(pages[page.index], page)
    if on_record then return on_record(page) end
  end
  return runs.run(given), pages
end

local function link(id) return { toObjectId = id, associationTypes = {} } end

-- A batch whose results are given as { id, list of to ids, cursor }, and records without associations.
local function batch(results, empty)
  local list, errors = {}, {}
  for i, result in ipairs(results) do
    local links = {}
    for k, id in ipairs(result[2]) do links[k] = link(id) end
    list[i] = {
      from = { id = result[1] }, to = links, paging = result[3] and { next = { after = result[3] } } or nil,
    }
  end
  for i, id in ipairs(empty or {}) do
    errors[i] = {
      status = "error", category = "OBJECT_NOT_FOUND",
      subCategory = "crm.associations.NO_ASSOCIATIONS_FOUND",
      message = ("No company is associated with contact %s."):format(id),
      context = { fromObjectId = { id }, fromObjectType = { "contact" }, toObjectType = { "company" } },
    }
  end
  return {
    status = errors[1] and 207 or 200, headers = {},
    body = cjson.encode { status = "COMPLETE", results = list, errors = errors },
  }
end

-- Responds with one after the other, and keeps what was sent.
local function script(responses, sent)
  return function(number, _, request)
    sent[number] = cjson.decode(request.body).inputs
    return responses[number]
  end
end

-- Per page: part, last, and the ids of the links.
local function brief(pages)
  local list = {}
  for i, page in ipairs(pages or {}) do
    local ids = {}
    for k, one in ipairs(page.links) do ids[k] = one.toObjectId end
    list[i] = ("%d%s %s"):format(page.part, page.last and "!" or "", table.concat(ids, ","))
  end
  return list
end

describe("a job that reads", function()
  it("calls on_batch with their number, and no results: on_record has the links", function()
    local seen_batches = {}
    read {
      source = { 1, 2 }, respond = script({ batch({ { "1", { 7 } } }, { "2" }) }, {}),
      on_batch = function(one) seen_batches[#seen_batches + 1] = one end,
    }
    local one = seen_batches[1]
    assert.same({ 1, 1, 2, 2, {}, {} }, {
      #seen_batches, one.first, one.last, one.read, one.results, one.failures,
    })
  end)

  it("delivers each record's links, also when there are none", function()
    local sent = {}
    local seen, pages = read {
      source = { 1, "2", { id = 3, row = 7 } },
      respond = script({ batch({ { "3", { 12, 13 } }, { "1", { 11 } } }, { "2" }) }, sent),
    }
    assert.same({ 3, 0, 0, 0 }, runs.counts(seen))
    assert.is_nil(seen.err)
    assert.equal(3, seen.report.read)
    assert.same({ { id = "1" }, { id = "2" }, { id = "3" } }, sent[1])
    assert.same({ "1! 11" }, brief(pages[1]))
    assert.same({ "1! " }, brief(pages[2]))
    assert.same({ "1! 12,13" }, brief(pages[3]))
    assert.same({ 1, "2", 7 }, { pages[1][1].input, pages[2][1].input, pages[3][1].input.row })
    assert.same({ "1", "2", "3" }, { pages[1][1].id, pages[2][1].id, pages[3][1].id })
  end)

  it("asks for the next page of those records that have one, each by its own cursor", function()
    local sent = {}
    local seen, pages = read {
      source = { 1, 2, 3, { id = 4, after = "Z" } },
      respond = script({
        batch { { "1", { 11 }, "A%3D" }, { "2", { 12 } }, { "3", { 13 }, "B" }, { "4", { 14 } } },
        batch({ { "3", { 15 }, "C" } }, { "1" }),
        batch { { "3", { 16 } } },
      }, sent),
    }
    assert.same({ 4, 0, 0, 0 }, runs.counts(seen))
    assert.same({ { id = "1" }, { id = "2" }, { id = "3" }, { id = "4", after = "Z" } }, sent[1])
    assert.same({ { id = "1", after = "A%3D" }, { id = "3", after = "B" } }, sent[2])
    assert.same({ { id = "3", after = "C" } }, sent[3])
    assert.same({ "1 11", "2! " }, brief(pages[1]))
    assert.same({ "1 13", "2 15", "3! 16" }, brief(pages[3]))
    assert.equal(3, #seen.sizes)
  end)

  it("fails a record whose cursor comes again, and no other", function()
    local sent = {}
    local seen, pages = read {
      source = { 1, 2, { id = 3, after = "X" } },
      respond = script({
        batch { { "1", { 11 }, "A" }, { "2", { 12 } }, { "3", { 13 }, "X" } },
        batch { { "1", { 14 }, "B" } }, batch { { "1", { 15 }, "A" } },
      }, sent),
    }
    assert.same({ 1, 2, 0, 0 }, runs.counts(seen))
    assert.truthy(seen.failures[1].error.message:find("same cursor", 1, true))
    assert.truthy(seen.failures[3].error.message:find("same cursor", 1, true))
    assert.same({ "1 11", "2 14" }, brief(pages[1]))
    assert.is_nil(pages[3])
  end)

  it("fails a record whose links or cursor are unclear, and says of none that it has no links", function()
    local function page(result)
      local body = '{"status":"COMPLETE","results":[{"from":{"id":"1"},%s},{"from":{"id":"2"},"to":[]}]}'
      return { status = 200, headers = {}, body = body:format(result) }
    end
    local links = '"to":[{"toObjectId":11}],'
    for _, result in ipairs {
      '"to":null', '"paging":null',
      '"to":"11"', '"to":{"toObjectId":11}', '"to":false', '"to":[11]', '"to":[{"toObjectId":11},12]',
      '"to":[{"associationTypes":[]}]', '"to":[{"toObjectId":""}]', '"to":[{"toObjectId":{}}]',
      links .. '"paging":"x"', links .. '"paging":false', links .. '"paging":{"next":"x"}',
      links .. '"paging":{"next":{"link":"x"}}',
      links .. '"paging":{"next":{"after":""}}', links .. '"paging":{"next":{"after":[]}}',
      links .. '"paging":{"next":{"after":"\255"}}',
      links .. '"paging":{"next":{"after":"' .. ("x"):rep(4097) .. '"}}',
      links .. '"x":1},{"from":{"id":"1"},"to":[]', -- two results
    } do
      local seen, pages = read { source = { 1, 2 }, respond = function() return page(result) end }
      assert.same({ 1, 1, 0, 0 }, runs.counts(seen), result)
      assert.equal("decode", seen.failures[1].error.kind)
      assert.is_nil(pages[1])
      assert.same({ "1! " }, brief(pages[2]))
    end
    for _, result in ipairs {
      '"to":[]', '"to":[],"paging":null', '"to":[],"paging":{}', '"to":[],"paging":{"next":{"after":null}}',
    } do
      local seen, pages = read { source = { 1, 2 }, respond = function() return page(result) end }
      assert.same({ 2, 0, 0, 0 }, runs.counts(seen), result)
      assert.same({ "1! " }, brief(pages[1]))
    end
  end)

  it("does not take 'no associations' of another record for one's own", function()
    local seen, pages = read {
      source = { 1, 2 },
      respond = function() return batch({ { "1", { 11 } } }, { "3" }) end,
    }
    assert.same({ 1, 0, 1, 0 }, runs.counts(seen))
    assert.same({ "1! 11" }, brief(pages[1]))
    assert.is_nil(pages[2])
  end)

  it("does not take 'no associations' with an empty id for one of every record", function()
    for _, key in ipairs { "toObjectId", "id" } do
      local seen, pages = read {
        source = { 1, 2 },
        respond = function()
          local response = batch({}, { "1" })
          response.body = response.body:gsub("fromObjectId", key):gsub('%["1"%]', '[""]')
          return response
        end,
      }
      assert.same({ 0, 0, 2, 0 }, runs.counts(seen))
      assert.same({}, pages)
    end
  end)

  it("does not take a record for one without links of which another error speaks, too", function()
    local function entry(sub, message, context)
      return { status = "error", category = "OBJECT_NOT_FOUND", subCategory = "crm.associations." .. sub,
        message = message, context = context }
    end
    local none = entry("NO_ASSOCIATIONS_FOUND", "none", { fromObjectId = { "1" } })
    for _, errors in ipairs {
      { none, entry("FROM_OBJECT_NOT_FOUND", "gone", { id = { "1" } }) },
      { none, { message = "gone", category = "INTERNAL", context = { fromObjectId = { "1" } } } },
      { { message = "gone", category = "INTERNAL", context = { fromObjectId = { "1" } } }, none },
    } do
      local seen, pages = read {
        source = { 1, 2 },
        respond = function()
          local results = { { from = { id = "2" }, to = { link(12) } } }
          return { status = 207, headers = {}, body = cjson.encode {
            status = "COMPLETE", results = results, errors = errors,
          } }
        end,
      }
      assert.same({ 1, 1, 0, 0 }, runs.counts(seen))
      assert.equal("gone", seen.failures[1].error.message)
      assert.is_nil(pages[1])
    end
  end)

  it("sends two pages of one record apart, as a result cannot say whose it is; equal inputs once", function()
    local sent = {}
    local seen, pages = read {
      source = { 1, { id = 1, after = "M" }, 2, 1 },
      respond = script({ batch { { "1", { 11 } }, { "2", { 12 } } }, batch { { "1", { 13 } } } }, sent),
    }
    assert.same({ 4, 0, 0, 0 }, runs.counts(seen))
    assert.same({ { { id = "1" }, { id = "2" } }, { { id = "1", after = "M" } } }, sent)
    assert.same({ "1! 11" }, brief(pages[1]))
    assert.same({ "1! 13" }, brief(pages[2]))
    assert.same({ "1! 11" }, brief(pages[4]))
  end)

  it("asks once for the next page of equal inputs", function()
    local sent = {}
    local seen, pages = read {
      source = { 1, 2, "1" },
      respond = script({ batch { { "1", { 11 }, "A" }, { "2", { 12 } } }, batch { { "1", { 13 } } } }, sent),
    }
    assert.same({ 3, 0, 0, 0 }, runs.counts(seen))
    assert.same({ { id = "1", after = "A" } }, sent[2])
    assert.same({ "1 11", "2! 13" }, brief(pages[1]))
    assert.same(brief(pages[1]), brief(pages[3]))
  end)

  it("asks again for what a response leaves out, from the page where it was", function()
    local sent = {}
    local seen, pages = read {
      source = { 1, 2 },
      respond = script({
        batch { { "1", { 11 }, "A" }, { "2", { 12 } } }, batch {}, batch { { "1", { 13 } } },
      }, sent),
    }
    assert.same({ 2, 0, 0, 0 }, runs.counts(seen))
    assert.same({ { id = "1", after = "A" } }, sent[3])
    assert.same({ "1 11", "2! 13" }, brief(pages[1]))
  end)

  it("tries a page again that fails, without delivering one twice", function()
    local sent = {}
    local seen, pages = read {
      source = { 1 },
      respond = script({
        batch { { "1", { 11 }, "A" } }, { status = 502, headers = {}, body = "" }, batch { { "1", { 12 } } },
      }, sent),
    }
    assert.same({ 1, 0, 0, 0 }, runs.counts(seen))
    assert.same({ "1 11", "2! 12" }, brief(pages[1]))
  end)

  it("fails invalid inputs, and those that HubSpot names", function()
    local seen, pages = read {
      source = { 1, "x", { id = 404 }, false },
      respond = function(number)
        return number == 1 and {
          status = 207, headers = {}, body = cjson.encode {
            status = "COMPLETE", results = { { from = { id = "1" }, to = { link(7) } } },
            errors = { { status = "error", category = "VALIDATION_ERROR", message = "no",
              context = { fromObjectId = { "404" } } } },
          },
        }
      end,
    }
    assert.same({ 1, 3, 0, 0 }, runs.counts(seen))
    assert.same({ "1! 7" }, brief(pages[1]))
    assert.equal("no", seen.failures[3].error.message)
  end)

  it("does not guess which record has no associations, among errors that name none", function()
    local function anonymous(sub)
      return { status = "error", category = "X", subCategory = "crm.associations." .. sub, message = sub }
    end
    local sent, both = {}, { anonymous "NO_ASSOCIATIONS_FOUND", anonymous "OTHER" }
    local function with(errors)
      return { status = 207, headers = {}, body = cjson.encode { status = "COMPLETE", errors = errors } }
    end
    local seen, pages = read {
      source = { 1, 2 },
      respond = script({ with(both), with(both), with { both[2] }, with { both[1] } }, sent),
    }
    assert.same({ 1, 1, 0, 0 }, runs.counts(seen))
    assert.equal("OTHER", seen.failures[1].error.message)
    assert.same({ "1! " }, brief(pages[2]))
  end)

  it("stops when on_record returns false or raises, and delivers nothing more", function()
    for _, way in ipairs { "false", "error" } do
      local count = 0
      local seen = read {
        source = { 1, 2, 3 },
        respond = function() return batch { { "1", { 11 } }, { "2", { 12 } }, { "3", { 13 }, "A" } } end,
        on_record = function()
          count = count + 1
          if count == 2 and way == "error" then error "stop" end
          return count < 2
        end,
      }
      assert.equal(2, count)
      assert.equal(way == "error" and "callback" or "canceled", seen.err.kind)
      assert.same(way == "error" and { 1, 0, 0, 2 } or { 2, 0, 0, 1 }, runs.counts(seen))
    end
  end)

  it("holds one page at a time of a record with very many links", function()
    local PAGES, SIZE = 200, 500
    local number, most = 0, 0
    collectgarbage()
    local before = collectgarbage "count"
    local seen = read {
      source = { 1 },
      respond = function()
        number = number + 1
        local ids = {}
        for i = 1, SIZE do ids[i] = number * SIZE + i end
        return batch { { "1", ids, number < PAGES and "c" .. number or nil } }
      end,
      on_record = function(page)
        local count = #page.links
        page.links = nil -- read() keeps the page
        assert(count == SIZE)
        if number % 20 == 0 then
          collectgarbage()
          most = math.max(most, collectgarbage "count" - before)
        end
      end,
    }
    assert.same({ 1, 0, 0, 0 }, runs.counts(seen))
    assert.equal(PAGES, number)
    assert.is_true(most < 2000, ("%.0f KiB"):format(most))
  end)
end)
