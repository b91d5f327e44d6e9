-- Checks docs/hosts.md: its blocks are put into files and run in the real hosts, with the module as `make
-- install` installs it. Only paths, ports and the address of HubSpot are replaced.

local c_host = require "support.c_host"
local documents = require "support.documents"
local hosts = require "hosts.support.hosts"
local process = require "support.process"
local sandboxes = require "support.sandbox"
local socket = require "socket"

local PAGE = "docs/hosts.md"
local TOKEN = "pat-na1-0123456789-secret"

-- Variables of the make that runs the specs, which the makes and hosts that are started here must not see.
local CLEAN = {
  HUBSPOT_TOKEN = TOKEN, LUA_PATH = false, LUA_CPATH = false, LUA_INIT = false, LD_PRELOAD = false,
  MAKEFLAGS = false, MAKEOVERRIDES = false, MFLAGS = false, BUILD = false, LUA = false, LUA_VERSION = false,
}

local function plain(text)
  return (text:gsub("%W", "%%%0"))
end

-- Replaces a text, and fails if it is not there.
local function replaced(text, before, after)
  local changed, count = text:gsub(plain(before), (after:gsub("%%", "%%%%")))
  assert(count > 0, "no " .. before .. " in: " .. text)
  return changed
end

local function blocks_below(section)
  local found = {}
  for _, block in ipairs(documents.blocks(PAGE)) do
    if block.section == section then found[#found + 1] = block end
  end
  return found
end

local function run(argv, folder)
  local command = { "sh", "-c", 'cd "$0" && exec timeout 60 "$@"', folder }
  for _, word in ipairs(argv) do command[#command + 1] = word end
  local result = process.run(command, { env = CLEAN })
  assert(result.code == 0, table.concat(argv, " ") .. "\n" .. result.stdout .. result.stderr)
  return result.stdout, result.stderr
end

describe("docs/hosts.md", function()
  local account, home
  local installed = {}

  setup(function()
    account = sandboxes.start()
    home = process.make_folder()
    process.run { "chmod", "755", home } -- a server's workers may be another user
  end)

  teardown(function()
    account:close()
    process.remove_folder(home)
  end)

  before_each(function()
    account:reset()
  end)

  -- The folder into which the module is installed for a version of Lua.
  local function prefix(version)
    if not installed[version] then
      installed[version] = home .. "/" .. version
      local given = { "LUA_VERSION=" .. version, "PREFIX=" .. installed[version] }
      run({ "make", "--no-print-directory", "-C", hosts.root, given[1], given[2], "install" }, home)
    end
    return installed[version]
  end

  -- Writes the files of a section to a folder. Returns their paths, by their names in the document.
  local function paste(section, version, folder, port)
    local places = {}
    process.run { "chmod", "755", folder }
    for _, block in ipairs(blocks_below(section)) do
      if block.file then
        local place = folder .. "/" .. block.file:gsub("^[/~]*", "")
        local text = block.text:gsub('token = os.getenv (["\'])', function(quote)
          return ("base_url = %s%s%s, token = os.getenv %s"):format(quote, account:url(), quote, quote)
        end)
        text = text:gsub("/usr/local/", prefix(version) .. "/"):gsub("/etc/", folder .. "/etc/")
        text = text:gsub("127.0.0.1:8080", "127.0.0.1:" .. tostring(port))
        process.run { "mkdir", "-p", (place:match "^(.*)/") }
        process.write_file(place, text .. "\n")
        places[block.file] = place
      end
    end
    return places
  end

  local function change(place, before, after)
    local file = assert(io.open(place, "rb"))
    local text = file:read "*a"
    file:close()
    process.write_file(place, replaced(text, before, after))
  end

  local function linked()
    local pairs_linked = {}
    for _, one in ipairs(account:associations()) do
      pairs_linked[#pairs_linked + 1] = one.fromObjectId .. "-" .. one.toObjectId
    end
    table.sort(pairs_linked)
    return table.concat(pairs_linked, " ")
  end

  -- Runs a function for a section, or skips it if something is missing.
  local SECTIONS = {}

  local function host(section, needs, try)
    SECTIONS[section] = true
    it("has an example that runs: " .. section, function()
      local missing = hosts.missing(needs)
      if missing then pending(missing) end
      try()
    end)
  end

  -- Asks a server to link a pair, and checks its response.
  local function try_server(version, describe, good, bad)
    local server = hosts.serve(version, describe, CLEAN)
    local well = server:get(good)
    local badly = server:get(bad)
    local said = server:close()
    assert.matches("^linked\n?$", well, said)
    assert.matches("^http: No contact with ID 404 exists", badly, said)
    assert.equal("101-202", linked())
  end

  host("nginx", {
    commands = { "nginx" }, files = { "/usr/lib/nginx/modules/ngx_http_lua_module.so" }, build = "luajit",
  }, function()
    try_server("luajit", function(folder, port)
      local config = paste("nginx", "luajit", folder, port)["/etc/nginx/nginx.conf"]
      local temporary = ""
      for _, name in ipairs { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" } do
        temporary = temporary .. name .. "_temp_path " .. folder .. "/" .. name .. "; "
      end
      change(config, "http {", "http { access_log off; " .. temporary)
      local root = process.run({ "id", "-u" }).stdout == "0\n" and "user root; " or "" -- else, nobody's
      return {
        "nginx", "-p", folder, "-c", config, "-e", "stderr",
        "-g", root .. "daemon off; error_log stderr; pid " .. folder .. "/nginx.pid;",
      }
    end, "/link?contact=101&company=202", "/link?contact=404&company=202")
  end)

  host("HAProxy", { commands = { "haproxy" }, build = "5.3" }, function()
    try_server("5.3", function(folder, port)
      local config = paste("HAProxy", "5.3", folder, port)["/etc/haproxy/haproxy.cfg"]
      return { "haproxy", "-q", "-db", "-f", config }
    end, "/link?contact=101&company=202", "/link?contact=404&company=202")
  end)

  host("Prosody", { commands = { "prosody" }, build = "5.4" }, function()
    try_server("5.4", function(folder, port)
      local config = paste("Prosody", "5.4", folder, port)["/etc/prosody/prosody.cfg.lua"]
      change(config, "plugin_paths", ([[
run_as_root = true
daemonize = false
pidfile = "FOLDER/prosody.pid"
data_path = "FOLDER"
log = { { levels = { min = "warn" }, to = "console" } }
modules_disabled = { "c2s", "s2s", "s2s_auth_certs", "offline", "tls", "posix" }
http_ports = { PORT }
https_ports = {}
plugin_paths]]):gsub("FOLDER", folder):gsub("PORT", port))
      return { "prosody", "-F", "--config", config }
    end, "/crm/101/202", "/crm/404/202")
  end)

  host("Neovim", { commands = { "nvim" }, build = "luajit" }, function()
    local folder = process.make_folder()
    finally(function() process.remove_folder(folder) end)
    local init = paste("Neovim", "luajit", folder)["~/.config/nvim/init.lua"]
    local function link(contact)
      local _, said = run({
        "env", "HOME=" .. folder, "XDG_CONFIG_HOME=" .. folder, "XDG_DATA_HOME=" .. folder,
        "XDG_STATE_HOME=" .. folder, "XDG_CACHE_HOME=" .. folder,
        "nvim", "--headless", "-i", "NONE", "-n", "-u", init,
        "--cmd", [[lua vim.notify = function(text)]]
          .. [[ io.stderr:write("told: ", text, "\n") vim.cmd "qall!" end]],
        "-c", "Link " .. contact .. " 202",
      }, folder)
      return said
    end
    assert.matches("told: linked\n", link "101", 1, true)
    assert.matches("told: http: No contact with ID 404 exists", link "404", 1, true)
    assert.equal("101-202", linked())
  end)

  -- The command for a program in Lua 5.4.
  local function program(file)
    local share, library = prefix "5.4" .. "/share/lua/5.4/?.lua;;", prefix "5.4" .. "/lib/lua/5.4/?.so;;"
    return { "env", "LUA_PATH=" .. share, "LUA_CPATH=" .. library, "lua5.4", file }
  end

  for _, name in ipairs { "cqueues", "luv" } do
    host(name, { module = name, build = "5.4" }, function()
      local folder = process.make_folder()
      finally(function() process.remove_folder(folder) end)
      paste(name, "5.4", folder)
      local printed = run(program "link.lua", folder)
      for contact = 101, 103 do assert.matches(contact .. "\tlinked\n", printed) end
      assert.equal("101-202 102-202 103-202", linked())
      assert.is_true(account:statistics().requests <= 2) -- the first, and the others together
    end)
  end

  it("has a daemon that runs: luv", function()
    local missing = hosts.missing { module = "luv", build = "5.4" }
    if missing then pending(missing) end
    local server = hosts.serve("5.4", function(folder, port)
      local place = paste("luv", "5.4", folder)["daemon.lua"]
      change(place, "8080", tostring(port))
      return program(place)
    end, CLEAN)
    local connection = assert(socket.connect("127.0.0.1", server.port))
    connection:settimeout(30)
    connection:send "101 202\n404 202\n102 202\n103 2"
    connection:send "02\n"
    local told = {}
    for _ = 1, 4 do told[#told + 1] = connection:receive "*l" end
    connection:close()
    local said = server:close()
    table.sort(told)
    assert.same({ "101 202 linked", "102 202 linked", "103 202 linked" }, { told[1], told[2], told[3] }, said)
    assert.matches("^404 202 http: No contact with ID 404 exists", told[4])
    assert.equal("101-202 102-202 103-202", linked())
    assert.equal(2, account:statistics().requests)
  end)

  host("C programs", { commands = { "make", "cc", "pkg-config" }, build = "5.4" }, function()
    local missing = c_host.missing()
    if missing then pending(missing) end
    local folder = process.make_folder()
    finally(function() process.remove_folder(folder) end)
    paste("C programs", "5.4", folder)
    local function build_and_run(script)
      script = replaced(script, "cc -o", "cc -Wall -Wextra -Wpedantic -Werror -o")
      local installed_in = prefix "5.4"
      account:reset()
      local out = run({
        "env", "PKG_CONFIG_PATH=" .. installed_in .. "/lib/pkgconfig",
        "LUA_PATH=" .. installed_in .. "/share/lua/5.4/?.lua;;",
        "LUA_CPATH=" .. installed_in .. "/lib/lua/5.4/?.so;;", "sh", "-euc", script,
      }, folder)
      assert.equal("linked\n", out)
      assert.equal("101-202", linked())
      return run({ "nm", "link" }, folder):find "T luaopen_hubspot_associations_core" ~= nil
    end
    local scripts = {}
    for _, block in ipairs(blocks_below "C programs") do
      if block.language == "sh" then scripts[#scripts + 1] = block.text end
    end
    assert.equal(2, #scripts)
    assert.is_true(build_and_run(scripts[1]))
    local source = process.read_file(folder .. "/link.c")
    source = replaced(source, "#include <hubspot-associations.h>\n", "")
    local first, last = source:find "  lua_getglobal.-\n  lua_setfield[^\n]*\n"
    process.write_file(folder .. "/link.c", source:sub(1, first - 1) .. source:sub(last + 1))
    assert.is_false(build_and_run(scripts[2]))
  end)

  it("has no file that is not run here", function()
    for _, block in ipairs(documents.blocks(PAGE)) do
      if block.file then assert.truthy(SECTIONS[block.section], block.section) end
    end
  end)
end)
