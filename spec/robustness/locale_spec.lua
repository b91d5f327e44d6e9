-- Nothing depends on the host's locale: the output of a script, in a process of its own, is byte for byte
-- that of locale C. In tr_TR, the lower case of I is not i; in de_DE, numbers have a decimal comma; an
-- ISO-8859 locale takes bytes of UTF-8 for letters, spaces and controls.

local child = require "support.child"
local process = require "support.process"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local LOCALES = {
  ["de_DE.UTF-8"] = { "de_DE", "UTF-8" },
  ["tr_TR.UTF-8"] = { "tr_TR", "UTF-8" },
  ["de_DE.ISO-8859-1"] = { "de_DE", "ISO-8859-1" },
  ["tr_TR.ISO-8859-9"] = { "tr_TR", "ISO-8859-9" },
}

-- The server's responses to the requests of the script, over one connection.
local HEADERS = {
  "X-HubSpot-RateLimit-Interval-Milliseconds: 10000", "X-HUBSPOT-RATELIMIT-MAX: 190",
  "x-hubspot-RATELIMIT-Remaining: 180", "X-HUBSPOT-RATELIMIT-DAILY-REMAINING: 5",
  "X-HUBSPOT-CORRELATION-ID: \t i-1", "RETRY-AFTER: 0", "CONTENT-TYPE: application/json",
}

local CREATED = '{"status":"COMPLETE","results":'
  .. '[{"fromObjectId":1,"toObjectId":"2","weight":1.5e2,"part":0.25}]}'
local REFUSED = '{"status":"error","message":"Invalid INPUT\160","category":"VALIDATION_ERROR",'
  .. '"context":{"limit":[2.5],"I":["INVALID"]},"correlationId":"i-2"}'
local PARTIAL = '{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"status":"error","message":"no",'
  .. '"category":"INVALID","context":{"fromObjectId":["1"],"share":[0.125],"big":[1e20]}}]}'
local NO_JSON = "\160 <I>\133 gone\160wrong 0.5"
local SCRIPT_OF_SERVER = responses.script {
  responses.of(201, CREATED, HEADERS), responses.of(400, REFUSED, HEADERS),
  responses.of(502, NO_JSON, HEADERS), responses.of(207, PARTIAL, HEADERS),
}

local SCRIPT = [[
  assert(os.setlocale(LOCALE), "the locale is not there")
  local associations = require "hubspot.associations"
  local core = require "hubspot.associations.core"

  local VARIES = { elapsed = true, retry_at = true }
  local function show(value, indent)
    if type(value) ~= "table" then
      if type(value) == "number" then return "number " .. ("%.0f/1024"):format(value * 1024) end
      local text = tostring(value):gsub("127%.0%.0%.1:%d+", "HOST"):gsub("not before [^)]*", "")
      return type(value) .. " " .. text
    end
    local lines = {}
    for key, inner in pairs(value) do
      if not VARIES[key] then lines[#lines + 1] = tostring(key) .. ": " .. show(inner, indent .. " ") end
    end
    table.sort(lines, require "hubspot.associations.text.ascii".before)
    return "{\n" .. indent .. table.concat(lines, "\n" .. indent) .. "\n}"
  end
  local function tell(...)
    for i = 1, select("#", ...) do print(show((select(i, ...)), " ")) end
  end

  local events = {}
  local options = {
    token = "pat-na1-0123456789abcdef", base_url = BASE_URL, max_attempts = 1,
    on_event = function(event) events[#events + 1] = event end,
  }
  local client = assert(associations.new(options))
  local INPUTS = { { from = 1, to = 2, types = 279 } }
  local strange = "caf\195\169\160 \133I\221"
  tell(client:create("CONTACTS", "companIES", INPUTS))
  local batch, err = client:create(strange, "contacts", INPUTS)
  tell(batch, err, tostring(err))
  batch, err = client:create("contacts", strange, INPUTS)
  tell(batch, err, tostring(err))
  local report, failure = client:create_all("contacts", "companies", INPUTS, { journal = JOURNAL })
  tell(report, failure, tostring(report.failures[1].error), (report.failures[1].error))
  tell(events)
  for line in io.lines(JOURNAL) do tell((core.decode(line))) end
  report = client:create_all("contacts", "companies", INPUTS, { journal = JOURNAL })
  tell(report)
  client:close()

  for _, token in ipairs { "pat-na1-0123456789\233", "\160pat-na1-0123456789", "pat-na1-0123\221I" } do
    options.token = token
    tell(select(2, associations.new(options)))
  end
  options.token = "pat-na1-0123456789"
  for _, option in ipairs {
    { "version", "v\233" }, { "user_agent", "a\133b" }, { "proxy", "http://h\160" },
    { "base_url", "HTTPS://I" },
  } do
    local name, value = option[1], option[2]
    local old = options[name]
    options[name] = value
    tell(name, (pcall(associations.new, options)))
    options[name] = old
  end

  local rejection = require "hubspot.associations.api.rejection"
  local direction = rejection.direction("P_PIZZA", "INVOICES")
  tell(direction, rejection.direction("\221I", "i\253"))
  tell(rejection.is_splittable({ kind = "http", status = 400,
    message = "Unable to infer object type from: p_pizza\160" }, direction))
  tell(rejection.is_splittable({ kind = "http", status = 400,
    message = "Unable to infer object type from: p_pizza " }, direction))
  tell(rejection.size({ status = 400, message = "THE MAXIMUM NUMBER OF INPUTS IS 100" }, 2000))
  tell(require "hubspot.associations.types".object_name "INVOICE")
  tell(core.decode('[1.5,-0.25e-1,1e3,"\160",0.1]'), core.decode "[1,5]")
  tell(core.invalid_url "HTTP://LOCALHOST:1/", core.invalid_url "HTTP://INTERNAL")
  local rate_limit = require "hubspot.associations.api.rate_limit"
  tell(rate_limit.retry_after({ ["retry-after"] = "Fri, 31 Dec 1999 23:59:59 GMT" }, 946684700))
  local explanation = require "hubspot.associations.explanation"
  tell(explanation.words { message = "I said", context = { why = { "i SAID", 1.5, "\160" } } })
  local unknown = select(2, pcall(associations.new, { token = "x", Z = 1 }))
  tell(unknown)
  local context = { b_c = { "1" }, bA = { "2" }, B = { "3" }, bd = { "4" } }
  tell(explanation.words { message = "m", context = context })
  tell(require "hubspot.associations.text.one_line" "I\160\133\233 \195\169 1,5")
]]

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end

local folder, missing

local function make_locales()
  local found = process.run({ "sh", "-c", "command -v localedef && test -e /usr/share/i18n/locales/tr_TR" })
  if found.code ~= 0 then
    missing = "localedef and the sources of locales (Debian's package locales) are not here"
    return
  end
  folder = process.make_folder()
  for name, parts in pairs(LOCALES) do
    local made = process.run({ "localedef", "-i", parts[1], "-f", parts[2], folder .. "/" .. name })
    if made.code > 1 then missing = "localedef cannot make " .. name .. ": " .. made.stderr end -- 1: warnings
  end
end

describe("the host's locale", function()
  local function run(locale)
    local server = raw_server.start({ connections = { SCRIPT_OF_SERVER } })
    local journal = folder .. "/journal"
    local text = ("local LOCALE, BASE_URL, JOURNAL = %q, %q, %q\n"):format(locale, server:url(), journal)
    local result = child.run(text .. SCRIPT, { env = { LOCPATH = folder, LC_ALL = "C" } })
    local requests = server:requests()
    server:close()
    os.remove(journal)
    assert.same({ 0, "" }, { result.code, result.stderr })
    local lines = {}
    for number, request in ipairs(requests) do
      lines[number] = request:gsub("127%.0%.0%.1:%d+", "HOST")
    end
    return result.stdout, table.concat(lines, "\n")
  end

  local expected, sent

  setup(function()
    make_locales()
    if not missing then expected, sent = run "C" end
  end)

  teardown(function()
    if folder then process.remove_folder(folder) end
  end)

  for name in pairs(LOCALES) do
    it("changes nothing: " .. name, function()
      if missing then return pending(missing) end
      local found, requests = run(name)
      assert.same(lines_of(expected), lines_of(found))
      assert.equal(sent, requests)
    end)
  end

  it("is asked by no line of the sources", function()
    local found = process.run({ "grep", "-rnE", "--include=*.lua", "--exclude-dir=sandbox",
      "%[aAlLuwW]|%[sScC][]+*]|:(lower|upper)\\(\\)|sort\\([a-z.]+\\)", "lua", "bin" })
    local code = {}
    for line in found.stdout:gmatch "[^\n]+" do
      if not line:find "^[^:]*:%d+:%s*%-%-" then code[#code + 1] = line end
    end
    assert.same({}, code)
    assert.equal("", process.run({ "grep", "-rnE", "ctype\\.h|strn?casecmp|strcoll", "src" }).stdout)
  end)

  it("is tested with responses that were understood", function()
    if missing then return pending(missing) end
    for _, words in ipairs {
      "interval: number 10240/1024", "daily_remaining: number 5120/1024", "weight: number 153600/1024",
      "part: number 256/1024", "correlationId: string i%-2", "limit: 2%.5", 'share: {%s+1: string 0%.125',
      "from: string p_pizza", "characters that no access token has",
    } do
      assert.matches(words, expected)
    end
    assert.matches("/caf%%C3%%A9%%A0%%20%%85I%%DD/contacts/", sent)
  end)
end)
