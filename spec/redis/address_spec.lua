-- Checks redis/address.lua: what a URL says of Redis, and that no reason shows a part of it.

local addresses = require "hubspot.associations.redis.address"

describe("a URL of Redis", function()
  -- host, port, TLS, database, user, password
  local VALID = {
    ["redis://localhost"] = { "localhost", 6379, false },
    ["redis://localhost/"] = { "localhost", 6379, false },
    ["redis://10.0.0.7:7000/0"] = { "10.0.0.7", 7000, false },
    ["REDISS://redis.example.com:7001/12"] = { "redis.example.com", 7001, true, "12" },
    ["redis://[::1]:7000"] = { "::1", 7000, false },
    ["redis://:secret@h"] = { "h", 6379, false, nil, nil, "secret" },
    ["redis://fleet:s%40c%2Fret%25@h:1"] = { "h", 1, false, nil, "fleet", "s@c/ret%" },
    ["redis://u:a@b:c@h"] = { "h", 6379, false, nil, "u", "a@b:c" },
  }

  for url, expected in pairs(VALID) do
    it("says all that " .. url .. " does", function()
      local found = assert(addresses.parse(url))
      local password, user = found.credentials()
      assert.same({ host = expected[1], port = expected[2], is_tls = expected[3], database = expected[4],
        user = expected[5], password = expected[6] }, { host = found.host, port = found.port,
        is_tls = found.is_tls, database = found.database, user = user, password = password })
    end)
  end

  it("is shown as host and port", function()
    assert.equal("[::1]:7000", addresses.parse("redis://u:secret@[::1]:7000/3").shown)
    assert.equal("h:6379", addresses.parse("redis://h").shown)
  end)

  for _, url in ipairs {
    "", "localhost", "http://localhost", "redis:localhost", "redis://", "redis:///3", "redis://hunter2@h",
    "redis://u:@h", "redis://u:hunter2%@h", "redis://u:hunter2%zz@h", "redis://h:0", "redis://h:65536",
    "redis://h:hunter2", "redis://u:hunter2/x@h", "redis://h/x", "redis://h/1/2", "redis://h/-1",
    "redis://u:hunter2@h h", "redis://u:hunter2@", "redis://[::1", "redis://h?db=hunter2", "redis://h\0",
    "redis://h:7000x", "redis://h#1",
  } do
    it(("is none: %q"):format(url), function()
      local found, reason = addresses.parse(url)
      assert.is_nil(found)
      assert.is_string(reason)
      assert.is_nil(reason:find("hunter2", 1, true))
    end)
  end
end)
