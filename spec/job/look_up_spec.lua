-- The records of an object type by the values of a property.

local errors = require "hubspot.associations.errors"
local look_up = require "hubspot.associations.job.look_up"

-- A look-up that wants values, and these values.
local function wanting(object_type, property, ...)
  local subject, wanted = look_up.new(object_type, property), {}
  for number, value in ipairs { ... } do wanted[number] = subject:want(value) end
  return subject, wanted
end

local function result(id, properties)
  return { id = id, properties = properties }
end

local function answer(results, missing, status)
  local found = missing and { { category = "OBJECT_NOT_FOUND", context = { ids = missing } } }
  return { status = status or "COMPLETE", results = results, errors = found }
end

-- What is known of values: their ids, or the kinds of their errors.
local function known(wanted)
  local list = {}
  for number, one in ipairs(wanted) do
    list[number] = one.id or one.error and one.error.kind or "asked"
  end
  return list
end

local function rejection(status, message, more)
  local kind = status == 403 and "forbidden" or "http"
  local err = errors.new { kind = kind, status = status, message = message }
  for name, value in pairs(more or {}) do err[name] = value end
  return err
end

describe("a look-up", function()
  it("asks each value once, by HubSpot's names, and matches results by the value that they show", function()
    local subject, wanted = wanting("contacts", "email", "ada@a.example", "bob@a.example", "ada@a.example")
    assert.equal(wanted[1], wanted[3])
    local entries = subject:next_entries(false)
    assert.same({
      idProperty = "email", properties = { "email", "hs_additional_emails" },
      inputs = { "ada@a.example", "bob@a.example" },
    }, subject:fields(entries))
    assert.is_nil(subject:next_entries(false))
    subject:answered(entries, answer { -- in another order
      result("102", { email = "bob@a.example" }), result(101, { email = "ada@a.example" }),
    })
    assert.same({ "101", "102", "101" }, known(wanted))
    assert.equal("101", subject:want("ada@a.example").id)
    assert.is_nil(subject:next_entries(false))
  end)

  it("makes no request that is not full as long as more values may come", function()
    local subject = look_up.new("companies", "code")
    for number = 1, 250 do subject:want("c" .. number) end
    assert.same({ 100, 100 }, { #subject:next_entries(true), #subject:next_entries(true) })
    assert.is_nil(subject:next_entries(true))
    assert.equal(50, #subject:next_entries(false))
  end)

  it("takes emails of contacts and domains of companies without case and margins", function()
    for object_type, property in pairs {
      contacts = "email", ["0-1"] = "email", Contact = "email", companies = "domain",
    } do
      local subject, wanted = wanting(object_type, property, " Ada@A.example", "ada@a.EXAMPLE ")
      assert.equal(wanted[1], wanted[2])
      assert.equal("ada@a.example", subject:next_entries(false)[1].value)
    end
  end)

  it("sends other values as they are, and those that are alike in different requests", function()
    local subject, wanted = wanting("deals", "code", "aB", "AB", "x", "ab ")
    local first, second = subject:next_entries(false), subject:next_entries(false)
    local third = subject:next_entries(false)
    assert.same({ "aB", "x" }, subject:fields(first).inputs)
    assert.same({ "AB" }, subject:fields(second).inputs)
    assert.same({ "ab " }, subject:fields(third).inputs)
    subject:answered(first, answer({ result("1", { code = "aB" }) }, { "x" }))
    subject:answered(second, answer { result("2", { code = "ab" }) }) -- HubSpot's own comparison
    subject:answered(third, answer({}, { "ab " }))
    assert.same({ "1", "2", "not_found", "not_found" }, known(wanted))
  end)

  it("finds a contact by a further email, and two emails of one contact", function()
    local subject, wanted = wanting("contacts", "email", "old@a.example", "ada@a.example")
    subject:answered(subject:next_entries(false), answer {
      result("101", { email = "ada@a.example", hs_additional_emails = "x@a.example;Old@a.example" }),
    })
    assert.same({ "101", "101" }, known(wanted))
  end)

  it("takes a number for its digits", function()
    local subject, wanted = wanting("companies", "number", 123456789012, 1.5)
    assert.same({ "asked", "invalid_input" }, known(wanted))
    subject:answered(subject:next_entries(false), answer { result("7", { number = 123456789012 }) })
    assert.equal("7", wanted[1].id)
  end)

  it("asks for no value that is empty, no text, too long, or no UTF-8", function()
    local subject, wanted = wanting("contacts", "email",
      "", " \t", true, {}, ("x"):rep(65537), "a\255@b.example")
    local invalid = "invalid_input"
    assert.same({ "not_found", "not_found", invalid, invalid, invalid, invalid }, known(wanted))
    assert.equal("not_found: the email is empty", tostring(wanted[1].error))
    assert.is_nil(subject:next_entries(false))
  end)

  it("does not find a value that HubSpot denies by name", function()
    local subject, wanted = wanting("contacts", "email", "ada@a.example", "bob\27@a.example")
    local found = { result("1", { email = "ada@a.example" }) }
    subject:answered(subject:next_entries(false), answer(found, { "bob\27@a.example" }))
    assert.same({ "1", "not_found" }, known(wanted))
    local said = 'not_found: no record of contacts has the email "bob @a.example"'
    assert.equal(said, tostring(wanted[2].error))
    assert.same({ "bob\27@a.example", "email" }, { wanted[2].error.value, wanted[2].error.property })
    assert.is_nil(subject:next_entries(false))
  end)

  for name, case in pairs {
    ["not found in complete responses"] = { answer {}, "not_found" },
    ["unclear where the batch was canceled"] = { answer({}, nil, "CANCELED"), "decode" },
    ["unclear where HubSpot is still at it"] = { answer({}, nil, "PENDING"), "decode" },
    ["unclear where an error names nobody"] = {
      { status = "COMPLETE", results = {}, errors = { { category = "A", message = "oops" } } }, "decode",
    },
    ["unclear where a record shows another value"] = {
      answer { result("9", { email = "eve@a.example" }) }, "decode",
    },
    ["unclear where a record has no id"] = { answer { result("", { email = "ada@a.example" }) }, "decode" },
  } do
    it("asks once more for a value that is left out; then it is " .. name, function()
      local subject, wanted = wanting("contacts", "email", "ada@a.example")
      subject:answered(subject:next_entries(false), case[1])
      assert.same({ "asked" }, known(wanted))
      subject:answered(subject:next_entries(false), case[1])
      assert.same({ case[2] }, known(wanted))
      local says = tostring(wanted[1].error):find("HubSpot did not say which record", 1, true)
      assert.equal(case[2] == "decode", says ~= nil)
      assert.is_nil(subject:next_entries(false))
    end)
  end

  it("finds a value that one response left out", function()
    local subject, wanted = wanting("contacts", "email", "ada@a.example", "bob@a.example")
    subject:answered(subject:next_entries(false), answer { result("1", { email = "ada@a.example" }) })
    subject:answered(subject:next_entries(false), answer { result("2", { email = "bob@a.example" }) })
    assert.same({ "1", "2" }, known(wanted))
  end)

  it("does not choose between two records of one value", function()
    local subject, wanted = wanting("deals", "code", "aB")
    subject:answered(subject:next_entries(false), answer {
      result("1", { code = "aB" }), result("2", { code = "ab" }),
    })
    assert.same({ "decode" }, known(wanted))
  end)

  it("gives a value the error that names it", function()
    local subject, wanted = wanting("deals", "code", "a", "b")
    subject:answered(subject:next_entries(false), {
      status = "COMPLETE", results = { result("1", { code = "b" }) },
      errors = { { category = "VALIDATION_ERROR", message = "is odd", context = { ids = { "a" } } } },
    })
    assert.same({ "http", "1" }, known(wanted))
    assert.equal("is odd", wanted[1].error.message)
  end)

  it("stops the job where the property cannot be used, and says what to do", function()
    local subject = wanting("contacts", "lastname", "Lovelace", "Byron")
    local err = subject:failed(subject:next_entries(false),
      rejection(400, "Unable to perform read by non-unique 0-1 property lastname in portal ID 1"))
    assert.equal("http: the look-up of contacts by lastname: Unable to perform read by non-unique "
      .. "0-1 property lastname in portal ID 1; the property has to exist, and its values have to be unique "
      .. "(HTTP 400)", tostring(err))
  end)

  it("stops the job at a 403, and names the scopes", function()
    local subject = wanting("contacts", "email", "ada@a.example")
    local err = subject:failed(subject:next_entries(false), rejection(403, "No.", {
      errors = { { context = { requiredGranularScopes = { "crm.objects.contacts.read" } } } },
    }))
    local said = "the look-up of contacts by email: No: scopes: crm.objects.contacts.read"
    assert.truthy(tostring(err):find(said, 1, true))
  end)

  it("finds the value for which HubSpot rejects a request", function()
    local subject, wanted = wanting("contacts", "email",
      "a@a.example", "no email", "b@a.example", "c@a.example")
    for _ = 1, 20 do
      local entries = subject:next_entries(false)
      if not entries then break end
      local is_bad = false
      for _, entry in ipairs(entries) do is_bad = is_bad or entry.value == "no email" end
      local results = {}
      for number, entry in ipairs(entries) do
        results[number] = result(tostring(number), { email = entry.value })
      end
      if is_bad then
        assert.is_nil(subject:failed(entries, rejection(400, "no email is invalid")))
      else
        subject:answered(entries, answer(results))
      end
    end
    assert.same({ "1", "http", "1", "2" }, known(wanted))
  end)

  it("stops the job where HubSpot rejects every value", function()
    local subject = wanting("contacts", "email", "a@a.example", "b@a.example", "c@a.example")
    local err
    while not err do err = subject:failed(subject:next_entries(false), rejection(400, "internal error")) end
    assert.equal(400, err.status)
  end)

  it("learns how many values a request may have", function()
    local subject = look_up.new("companies", "code")
    for number = 1, 100 do subject:want("c" .. number) end
    subject:failed(subject:next_entries(false),
      rejection(400, "The maximum number of inputs supported in a batch is 50. Please reduce"))
    for number = 1, 100 do subject:want("d" .. number) end
    local sizes = {}
    for number = 1, 4 do sizes[number] = #subject:next_entries(false) end
    assert.same({ 50, 50, 50, 50 }, sizes)
  end)

  it("takes a 404 that names values for the response to these, and asks the others again", function()
    local subject, wanted = wanting("deals", "code", "a", "b")
    assert.is_nil(subject:failed(subject:next_entries(false), errors.new {
      kind = "not_found", status = 404, category = "OBJECT_NOT_FOUND", message = "no",
      context = { ids = { "a" } },
    }))
    assert.same({ "not_found", "asked" }, known(wanted))
    assert.equal("b", subject:next_entries(false)[1].value)
  end)

  it("keeps a bounded number of values, those that were used last", function()
    local subject = look_up.new("deals", "code")
    local first = subject:want "first"
    for number = 1, 50000 do subject:want("c" .. number) end
    assert.equal(first, subject:want "first") -- used again, and so kept
    for number = 50001, 160000 do subject:want("c" .. number) end
    local kept = 0
    for _, generation in ipairs { subject.young, subject.old } do
      for _ in pairs(generation) do kept = kept + 1 end
    end
    assert.is_true(kept <= 100000, kept)
    assert.not_equal(first, subject:want "first")
  end)
end)
