local redis_names = require "hubspot.associations.text.redis_names"

describe("the name of a queue or a budget", function()
  it("has letters, digits and a few other characters", function()
    for _, name in ipairs { "a", "links", "Crm:eu-1_b.c@d", ("x"):rep(100) } do
      assert.is_true(redis_names.is_shared(name), name)
    end
  end)

  it("has none that is not safe in the name of a key, and an end", function()
    for _, name in ipairs { "", "a b", "a}", "{a", "a\n", "\195\164", "a*", ("x"):rep(101) } do
      assert.is_false(redis_names.is_shared(name), name)
    end
  end)
end)

describe("the id of an entry", function()
  it("is what Redis gives, in full", function()
    assert.is_true(redis_names.is_entry_id "1764364800000-0")
    for _, id in ipairs { "", "1764364800000", "-", "+", "1-", "-1", "(1-0", "1-0 ", "1-0-3" } do
      assert.is_false(redis_names.is_entry_id(id), id)
    end
  end)
end)
