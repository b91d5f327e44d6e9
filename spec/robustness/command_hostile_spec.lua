-- Gives the command everything that a user, or a script of a user's, may give it by mistake: each is refused
-- in words, or taken; none is an internal error, shows a traceback, or gets a control character printed.

local command = require "support.command"
local create = require "hubspot.associations.cli.commands.create"
local process = require "support.process"
local sandbox = require "hubspot.associations.cli.commands.sandbox"

-- Values of any option. (NUL cannot be in an argument.)
local VALUES = {
  "", " ", "\t", "\n", "-", "--", "-1", "0", "1", "00", "1e400", "-1e400", "0x10", "nan", "inf", "1.5",
  "1e3", ".", "..", "/", "//", "/.", "./.", "279 1", "WORK:1", "WORK:", ":1", "9999999999999999999",
  "\27]0;x\7", "a\27[2Jb", "\194\155", "\155", "\255\254", "\237\160\128", "\226\128\174x",
  "\239\187\191", "caf\233", "%s%d%n", "%", "$(id)", "`id`", "'", '"', "\\", "*", "a b", "a;b",
  "a/../b", "contacts", "https://", "https://[", "http://127.0.0.1:1",
  "https://user:pa55phrase@example.invalid:99999/", "file:///etc/passwd", "csv", "auto", "v4", "DIR",
  "none/f", "/dev/full", "/dev/stdin", "/proc/self/mem", "/nowhere/f", ("x"):rep(300), ("9"):rep(400),
  ("/x"):rep(2100), ("-" .. ("x"):rep(131000)), ("x"):rep(131000),
}

-- The options of a command that take a value.
local function options_of(row)
  local names = {}
  for _, flag in ipairs(row.flags) do
    if not flag.is_flag then names[#names + 1] = flag.name end
  end
  return names
end

-- Runs many command lines in one process, in an empty folder, and prints what is wrong with any of them.
local DRIVER = [[
  local cli = require "hubspot.associations.cli.main"
  local arguments = require "hubspot.associations.cli.arguments"

  local function stream(text)
    local kept = { text = "", flush = function() return true end }
    function kept.write(_, more)
      kept.text = kept.text .. more
      return kept
    end
    function kept.read()
      local piece = text
      text = nil
      return piece
    end
    return kept
  end

  local function check(what, out)
    for _, bad in ipairs { "internal error", "traceback", ".lua:" } do
      if out:find(bad, 1, true) then print(("%q: %s in %q"):format(what, bad, out:sub(1, 300))) end
    end
    local acting = out:find "[%z\1-\9\11-\31\127\155\255]" or out:find("\226\128\174", 1, true)
    if acting then print(("%q: prints control characters: %q"):format(what, out:sub(1, 300))) end
    for line in out:gmatch "[^\n]+" do
      if #line > 2000 then print(("%q: prints a line of %d bytes"):format(what, #line)) end
    end
  end

  local count = 0
  local function run(argv, env)
    count = count + 1
    local out, err = stream(), stream()
    local called, code = pcall(cli.main, argv, {
      stdin = stream "from,to\n101,202\n404,1\n", stdout = out, stderr = err,
      getenv = function(name) return env[name] end,
    })
    local what = table.concat(argv, " "):sub(1, 200)
    if not called then print(("%q raised: %s"):format(what, tostring(code))) end
    if code ~= 0 and code ~= 1 and code ~= 2 then print(("%q: code %s"):format(what, tostring(code))) end
    check(what, out.text .. err.text)
    if code == 2 and err.text == "" then print(("%q: says nothing"):format(what)) end
    return code, err.text
  end

  local TOKEN = { HUBSPOT_TOKEN = "any-token-0123456789" }
  local GIVEN = { "--from", "contacts", "--to", "companies", "--type", "279", "--base-url",
    "http://127.0.0.1:1", "--max-attempts", "1", "--progress", "none" }

  local function create(option, value, is_dry)
    local argv, found = { "create" }, false
    for index = 1, #GIVEN, 2 do
      local is_this = GIVEN[index] == option
      found = found or is_this
      argv[#argv + 1] = GIVEN[index] .. "=" .. (is_this and value or GIVEN[index + 1])
    end
    if not found then argv[#argv + 1] = option .. "=" .. value end
    if is_dry then argv[#argv + 1] = "--dry-run" end
    argv[#argv + 1] = "-"
    local code, said = run(argv, TOKEN)
    if option == "--base-url" and said:find "pa55phrase" then print("a URL's password is shown: " .. said) end
    return code, said
  end
]]

describe("the command, given anything,", function()
  local folder

  before_each(function()
    folder = process.make_folder()
    process.run { "sh", "-c", 'cd "$1" && mkdir DIR', "sh", folder }
  end)

  after_each(function()
    process.remove_folder(folder)
  end)

  local function quoted(list)
    local parts = {}
    for index, value in ipairs(list) do
      parts[index] = '"' .. value:gsub("[^%w%-]", function(byte)
        return ("\\%03d"):format(byte:byte())
      end) .. '"'
    end
    return "{" .. table.concat(parts, ",") .. "}"
  end

  local function drive(script, options)
    local text = DRIVER .. ("local VALUES, OPTIONS = %s, %s\n"):format(quoted(VALUES), quoted(options or {}))
      .. script .. "\nio.write(count)"
    process.write_file(folder .. "/driver.lua", text)
    local result = process.run({ "sh", "-c", 'cd "$1" && shift && exec timeout 100 "$@"', "sh", folder,
      process.interpreter(), "driver.lua" }, { env = command.environment(), stdin = "" })
    assert.are.same({ 0, "" }, { result.code, result.stderr })
    assert.matches("^%d+$", result.stdout)
    return tonumber(result.stdout)
  end

  it("as any option of create, is refused in words or taken", function()
    local count = drive([[
      for _, option in ipairs(OPTIONS) do
        for _, value in ipairs(VALUES) do
          if not (option:find "file$" and value == "/dev/stdin") then -- it would wait
            create(option, value, true)
            create(option, value, false)
          end
        end
      end]], options_of(create))
    assert.is_true(count > 2000)
  end)

  it("as FILE, as an option or a command of its own, is refused in words or taken", function()
    drive [[
      for _, value in ipairs(VALUES) do
        if value ~= "/dev/stdin" then
          for _, more in ipairs { "--dry-run", "--quiet" } do
            run({ "create", "--from", "a", "--to", "b", "--base-url", "http://127.0.0.1:1", "--max-attempts",
              "1", more, value }, TOKEN)
          end
        end
        if value ~= "" then run({ value }, TOKEN) end
        run({ "create", "--" .. value }, TOKEN)
        run({ "create", "--" .. value .. "=" .. value }, TOKEN)
        run({ "create", "--from", value, "--to", value, value, value }, TOKEN)
      end]]
  end)

  it("as an option of the sandbox, is refused in words or taken", function()
    drive([[
      for _, option in ipairs(OPTIONS) do
        for _, value in ipairs(VALUES) do
          count = count + 1
          local called, parsed, why = pcall(arguments.parse, { "sandbox", option .. "=" .. value }, "1")
          if not called or not parsed and not why then print(option, value, tostring(parsed)) end
          if option == "--latency" and parsed and not (parsed.latency >= 0 and parsed.latency < 1e7) then
            print(option, value, parsed.latency)
          end
        end
      end]], options_of(sandbox))
  end)

  it("in its environment, is refused in words or taken", function()
    drive [[
      for _, value in ipairs(VALUES) do
        for _, name in ipairs { "HUBSPOT_TOKEN", "COLUMNS", "TERM" } do
          local env = { HUBSPOT_TOKEN = TOKEN.HUBSPOT_TOKEN, [name] = value }
          run({ "create", "--from", "a", "--to", "b", "--type", "1", "--base-url", "http://127.0.0.1:1",
            "--max-attempts", "1", "--quiet", "-" }, env)
        end
      end]]
  end)

  it("names an option whose value is empty", function()
    drive([[
      for _, option in ipairs(OPTIONS) do
        local code, said = create(option, "", true)
        if code ~= 2 or not said:find(option, 1, true) then print(option, code, said) end
      end
      local code, said = run({ "create", "--from", "a", "--to", "b", "--dry-run", "" }, TOKEN)
      if code ~= 2 or not said:find("FILE", 1, true) then print("FILE", code, said) end]], options_of(create))
  end)
end)

describe("the command, where a standard stream is closed,", function()
  local folder

  before_each(function()
    folder = process.make_folder()
  end)

  after_each(function()
    process.remove_folder(folder)
  end)

  -- Nobody listens: the job begins its journal and its file of failures, and stops.
  local function run(redirections)
    local argv = command.argv({ "create", "--from", "a", "--to", "b", "--type", "1", "--base-url",
      "http://127.0.0.1:1", "--max-attempts", "1", "--progress", "plain", "--journal", folder .. "/journal",
      "--failures", folder .. "/failed.csv", "-" }, 'printf "101,202\\n,1\\n" | "$@" ' .. redirections)
    return command.check(process.run(argv, { env = command.environment(), stdin = "101,202\n,1\n" }))
  end

  for _, redirections in ipairs { "", "<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-" } do
    it("writes nothing of what it says into its files: " .. redirections, function()
      local result = run(redirections)
      assert.are.equal(2, result.code)
      local count = 0
      for name, form in pairs { journal = "^{.*}$", ["failed.csv"] = "^[%drow]+," } do
        local handle = io.open(folder .. "/" .. name, "rb")
        for line in handle and handle:lines() or function() end do
          count = count + 1
          assert.matches(form, line)
        end
        if handle then handle:close() end
      end
      assert.is_true(count > 0 or redirections:find("<&-", 1, true) ~= nil)
    end)
  end
end)
