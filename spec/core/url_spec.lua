-- Checks core.invalid_url: https goes anywhere, http to this machine only, nothing else goes at all.
-- What is not surely loopback must be refused. Does no I/O.

local core = require "hubspot.associations.core"

local invalid = core.invalid_url

local function assert_accepted(urls)
  for _, url in ipairs(urls) do assert.is_nil(invalid(url), url) end
end

local function assert_refused(urls, why)
  for _, url in ipairs(urls) do
    local given = invalid(url)
    assert.is_string(given, url)
    if why then assert.truthy(given:find(why, 1, true), url .. ": " .. given) end
  end
end

describe("invalid_url", function()
  it("accepts https to any host", function()
    assert_accepted {
      "https://api.hubapi.com", "https://api.hubapi.com/", "https://api.hubapi.com:8443/base/path",
      "HTTPS://API.HUBAPI.COM", "https://10.0.0.1", "https://[fe80::1]", "https://localhost",
      "https://xn--bcher-kva.example",
    }
  end)

  it("accepts http to loopback", function()
    assert_accepted {
      "http://localhost", "http://LOCALHOST", "HTTP://localhost:8080/base", "http://127.0.0.1",
      "http://127.0.0.1:1", "http://127.1.2.3", "http://127.255.255.255/", "http://[::1]",
      "http://[::1]:8080",
      "http://[0:0:0:0:0:0:0:1]",
    }
  end)

  it("refuses http to other hosts", function()
    assert_refused({
      "http://api.hubapi.com", "http://10.0.0.1", "http://192.168.1.1", "http://0.0.0.0", "http://0",
      "http://126.255.255.255", "http://128.0.0.1", "http://[::]", "http://[fe80::1]", "http://[::2]",
      "http://example.com:443",
    }, "http would show the token")
  end)

  it("refuses hosts that look like loopback", function()
    assert_refused {
      "http://127.0.0.1.evil.com", "http://127.evil.com", "http://127.0.0.1evil.com",
      "http://localhost.evil.com",
      "http://evil-localhost", "http://localhostx", "http://localhost.localdomain",
      "http://127.0.0.1%2eevil.com",
      "http://localhost%2eevil.com", "http://localhost%00.evil.com", "http://127.0.0.256", "http://127..0.1",
      "http://4294967297.0.0.1", "http://256.1", "http://1.127", "http://127.0.0.1;evil.com",
      "http://127.0.0.1,evil.com", "http://[::1].evil.com", "http://[::1]evil.com",
      "http://[::ffff:127.0.0.1]",
      "http://[::ffff:7f00:1]", "http://[::127.0.0.1]", "http://\226\147\155ocalhost",
      "http://\226\145\160\226\145\161\226\145\166.0.0.1", "http://evil.com/http://localhost",
      "http://evil.com:80/127.0.0.1", "http://evil.com/@localhost",
    }
  end)

  it("refuses hosts hidden behind user names, fragments, queries and backslashes", function()
    assert_refused {
      "http://localhost@evil.com", "http://127.0.0.1@evil.com", "http://localhost:80@evil.com",
      "http://[::1]@evil.com", "http://evil.com#@localhost", "http://evil.com?@localhost",
      "http://evil.com\\@localhost", "http://localhost\\@evil.com", "http:\\\\localhost",
      "http://evil.com\\.localhost",
      "http://localhost\\.evil.com", "http://127.0.0.1:80\\.evil.com",
    }
  end)

  -- libcurl's parser turns other ways to write an IPv4 address into dots and decimals, and connects to
  -- that. A libcurl that does not must refuse them: they would be names for a resolver.
  it("takes other spellings of an address for what libcurl connects to", function()
    assert_refused({ "http://0x7e.1", "http://0200.0.0.1", "http://0x80000001", "http://037700000001" })
    for _, url in ipairs { "http://0x7f.1", "http://2130706433", "http://0177.0.0.1", "http://127.1" } do
      local why = invalid(url)
      assert.is_true(why == nil or why:find("http would show the token", 1, true) ~= nil, url)
    end
  end)

  it("refuses user names and passwords", function()
    assert_refused({
      "https://user@api.hubapi.com", "https://user:password@api.hubapi.com",
      "https://:password@api.hubapi.com",
      "http://user:password@localhost", "http://:p@127.0.0.1", "http://;@localhost",
    }, "user name or password")
  end)

  it("never repeats the URL, which may hold a secret", function()
    for _, url in ipairs {
      "https://user:s3cret@api.hubapi.com", "http://s3cret.example", "s3cret", "ftp://s3cret",
      "https://s3cret:99999",
    } do
      assert.is_nil(invalid(url):find("s3cret", 1, true), url)
    end
  end)

  it("refuses other schemes", function()
    assert_refused {
      "ftp://localhost", "file:///etc/passwd", "file://localhost/etc/passwd", "gopher://localhost:70/_x",
      "ws://localhost", "ldap://localhost", "smb://localhost", "dict://localhost:11211", "scp://localhost",
      "javascript:alert(1)", "data:,x", "httpx://localhost", "https+unix://x",
    }
  end)

  it("refuses what is no absolute URL", function()
    assert_refused {
      "", "/", "/path", "//localhost", "localhost", "localhost:80", "api.hubapi.com", "http", "http:",
      "http:/",
      "http://", "http:localhost", "https:", "https://", "https:///", "https://:443", "https://[::1",
      "https://x:99999",
      "https://x:port", "http://localhost:80:90", "https://[x]",
    }
  end)

  it("refuses spaces and control characters", function()
    assert_refused {
      " http://localhost", "http://local host", "http://localhost ", "http://localhost\n",
      "http://lo\tcalhost",
      "http://localhost\r\nHost: evil.com", "https://api.hubapi.com/\1", "https://api.hubapi.com\127",
    }
  end)

  it("refuses NUL, and does not stop reading there", function()
    assert_refused({ "http://localhost\0.evil.com", "\0", "https://api.hubapi.com\0", "https://\0" }, "NUL")
  end)

  it("takes a long URL without harm", function()
    assert.is_nil(invalid("https://api.hubapi.com/" .. ("x"):rep(100000)))
    assert_refused { ("x"):rep(10000000), "https://" .. ("x"):rep(10000000) .. ":x" }
  end)

  it("raises when it is given no string", function()
    for _, value in ipairs { {}, true, print } do assert.is_false(pcall(invalid, value)) end
    assert.is_false(pcall(invalid))
  end)
end)
