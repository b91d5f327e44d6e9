-- The certificates that the environment names: the module trusts the same ones as the curl tool, which is run
-- for comparison. Each case in a process of its own.

local certificates = require "support.certificates"
local child = require "support.child"
local clients = require "support.clients"
local command = require "support.command"
local process = require "support.process"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local NONE = { CURL_CA_BUNDLE = false, SSL_CERT_DIR = false, SSL_CERT_FILE = false }

local SCRIPT = [[
  local associations = require "hubspot.associations"
  local client = assert(associations.new { max_attempts = 1, token = %q, base_url = %q, timeout = 5, %s })
  local batch, err = client:create("contacts", "companies", { { from = 1, to = 2, types = 1 } })
  io.write(batch and batch.status or tostring(err))
]]

describe("the environment's certificates", function()
  local set, server, folder

  setup(function()
    set = certificates.make()
    folder = process.make_folder()
    local copy = 'mkdir "$2/good" "$2/empty" && : >"$2/void" && cp "$1" "$2/good/ca.pem" && '
      .. 'openssl rehash "$2/good"'
    local made = process.run({ "sh", "-c", copy, "sh", set.ca, folder }, { env = { LD_PRELOAD = false } })
    assert.equal(0, made.code, made.stderr)
  end)

  teardown(function()
    process.remove_folder(folder)
    set:close()
  end)

  before_each(function()
    server = raw_server.start {
      connections = { responses.script(responses.created(), 3), responses.script(responses.created(), 3) },
      tls = set.server,
    }
  end)

  after_each(function()
    server:close()
  end)

  local function with(changes)
    local env = {}
    for name, value in pairs(NONE) do env[name] = value end
    for name, value in pairs(changes) do env[name] = value end
    return env
  end

  -- The result of a client in an environment, and whether curl trusts the same server there.
  local function said(changes, options)
    local script = SCRIPT:format(clients.TOKEN, server:url(), options or "")
    local result = child.run(script, { env = with(changes) })
    assert.same({ 0, "" }, { result.code, result.stderr })
    return result.stdout
  end

  local function curl_trusts(changes)
    local env = with(changes)
    env.LD_PRELOAD = false
    local argv = { "curl", "-s", "-o", "/dev/null", "-d", "{}", "--max-time", "5", server:url() .. "/" }
    return process.run(argv, { env = env }).code == 0
  end

  local bad, good
  local function places()
    good = { file = set.ca, path = folder .. "/good" }
    bad = { file = folder .. "/none.pem", path = folder .. "/empty" }
  end

  local CASES = {
    { "none", {}, false },
    { "CURL_CA_BUNDLE", { CURL_CA_BUNDLE = "good file" }, true },
    { "SSL_CERT_FILE", { SSL_CERT_FILE = "good file" }, true },
    { "SSL_CERT_DIR", { SSL_CERT_DIR = "good path" }, true },
    { "CURL_CA_BUNDLE before the others",
      { CURL_CA_BUNDLE = "good file", SSL_CERT_DIR = "bad path", SSL_CERT_FILE = "bad file" }, true },
    { "CURL_CA_BUNDLE, although the others are good",
      { CURL_CA_BUNDLE = "bad file", SSL_CERT_DIR = "good path", SSL_CERT_FILE = "good file" }, false },
    { "SSL_CERT_DIR before SSL_CERT_FILE", { SSL_CERT_DIR = "good path", SSL_CERT_FILE = "bad file" }, true },
    { "no variable that is empty",
      { CURL_CA_BUNDLE = "", SSL_CERT_DIR = "", SSL_CERT_FILE = "good file" }, true },
  }
  for _, case in ipairs(CASES) do
    it("and those of the options are described, with what of them cannot be used", function()
    local function described(options)
      local found = clients.open("https://127.0.0.1:1", options):connection()
      clients.close()
      return { found.ca_file, found.ca_path, found.ca_origin, found.ca_problem }
    end
    assert.same({ set.ca, nil, "option ca_file" }, described { ca_file = set.ca })
    assert.same({ nil, folder .. "/good", "option ca_path" }, described { ca_path = folder .. "/good" })
    local gone = folder .. "/gone.pem"
    local found = described { ca_file = gone }
    assert.same({ gone, "option ca_file" }, { found[1], found[3] })
    assert.matches("gone.pem: .*No such file", found[4])
  end)

  it("are, as with curl, those of " .. case[1], function()
      places()
      local env = {}
      for name, value in pairs(case[2]) do
        local is_good, field = value:match "^(%w+) (%w+)$"
        env[name] = is_good and (is_good == "good" and good or bad)[field] or value
      end
      assert.equal(case[3], said(env) == "COMPLETE", said(env))
      -- The command curl 8.23 goes by the file that is not there; libcurl and this module by the folder.
      if clients.LOOKS or not (env.SSL_CERT_DIR and env.SSL_CERT_FILE == bad.file) then
        assert.equal(case[3], curl_trusts(env))
      end
    end)
  end

  it("are not used if an option names others", function()
    places()
    assert.equal("COMPLETE", said({ CURL_CA_BUNDLE = bad.file }, ("ca_file = %q"):format(good.file)))
    assert.matches("^tls: ", said({ SSL_CERT_FILE = good.file }, ("ca_path = %q"):format(bad.path)))
  end)

  it("are named with their variable if they cannot be read", function()
    places()
    for _, name in ipairs { "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR" } do
      local expected = "/none.pem (environment variable " .. name .. "): No such file"
      assert.matches(expected, said { [name] = bad.file }, 1, true)
    end
    local void = said { SSL_CERT_FILE = folder .. "/void" }
    assert.matches("(environment variable SSL_CERT_FILE), cannot be read", void, 1, true)
    assert.matches("(environment variable SSL_CERT_DIR)", said { SSL_CERT_DIR = bad.path }, 1, true)
  end)

  it("are used by the command, too, unless --ca-file names others", function()
    places()
    local function create(env, more)
      local arguments = { "--max-attempts", "1", "-" }
      for index, word in ipairs(more or {}) do table.insert(arguments, index, word) end
      arguments = command.create(server:url(), arguments, "1")
      return command.run(arguments, { stdin = "101,202\n", env = with(env) })
    end
    command.assert_found(create({ SSL_CERT_FILE = good.file }).stdout, "1 unconfirmed") -- with a response
    local result = create({ SSL_CERT_FILE = bad.file }, { "--ca-file", good.file })
    command.assert_found(result.stdout, "1 unconfirmed")
    result = create {}
    assert.equal(2, result.code)
    command.assert_found(result.stderr, "--ca-file")
    command.assert_found(result.stderr, "to go on, run the same command again")
    for path, why in pairs { [bad.file] = "No such file", [folder] = "is not a regular file" } do
      result = create({}, { "--ca-file", path })
      assert.same({ 2, "" }, { result.code, result.stdout })
      command.assert_found(result.stderr, "--ca-file: " .. path .. ": " .. why)
    end
  end)
end)
