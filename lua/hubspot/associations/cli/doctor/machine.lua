-- What the doctor finds on this machine, without a request: versions, certificates and proxy.

local core = require "hubspot.associations.core"
local version = require "hubspot.associations.version"

local machine = {}

---@class hubspot.associations.cli.Finding one line of the page
---@field status "ok"|"wrong"|"unknown"
---@field check string what was checked
---@field found string
---@field advice string|nil what to do; of all that is wrong

local INSTALL = "install the package ca-certificates, or give --ca-file"

---@return hubspot.associations.cli.Finding
function machine.versions()
  local lua = rawget(_G, "jit") and rawget(_G, "jit").version or _VERSION
  local text = ("hubspot-associations %s, %s, libcurl %s, %s"):format(
    version, lua, core.LIBCURL_VERSION, core.LIBCURL_TLS or "without TLS")
  local finding = { status = "ok", check = "module", found = text }
  if not core.LIBCURL_TLS then
    finding.status, finding.advice = "wrong", "install a libcurl that has TLS: no https URL can be reached"
  elseif core.VERSION ~= version then
    finding.status = "wrong"
    finding.found = text .. ("; its C core is %s"):format(core.VERSION)
    finding.advice = "install the module anew: LUA_PATH and LUA_CPATH lead to two versions of it"
  end
  return finding
end

-- Why libcurl's default certificates cannot be used; nil when one of the places that it has is there.
local function default_problem()
  local places = { core.LIBCURL_CA_FILE, core.LIBCURL_CA_PATH }
  local problem
  for _, place in pairs(places) do
    local found, why = core.stat(place)
    if found then return nil end
    problem = ("%s: %s"):format(place, why)
  end
  return problem
end

local function trusted(connection)
  local places = {}
  places[#places + 1] = connection.ca_file
  places[#places + 1] = connection.ca_path
  if connection.ca_origin then
    return ("%s (%s)"):format(table.concat(places, " and "), connection.ca_origin)
  end
  local place = core.LIBCURL_CA_FILE or core.LIBCURL_CA_PATH
  return ("those of this machine (%s)"):format(place or "libcurl's own")
end

local function is_plain(connection)
  return connection.base_url:find "^[hH][tT][tT][pP]:" ~= nil
end

---The certificates that a server's is checked with.
---@param connection hubspot.associations.Connection
---@return hubspot.associations.cli.Finding
function machine.certificates(connection)
  local finding = { status = "ok", check = "certificates" }
  if is_plain(connection) then
    finding.found = "none needed: --base-url is plain HTTP to this machine"
  elseif connection.ca_problem then
    finding.status = "wrong"
    finding.found = ("%s (%s)"):format(connection.ca_problem, connection.ca_origin)
    finding.advice = "give a file of certificates, PEM, that can be read, with --ca-file"
  elseif not connection.ca_origin and default_problem() then
    finding.status, finding.found, finding.advice = "wrong", default_problem(), INSTALL
  else
    finding.found = trusted(connection)
  end
  return finding
end

---@param connection hubspot.associations.Connection
---@return hubspot.associations.cli.Finding
function machine.proxy(connection)
  local finding = { status = "ok", check = "proxy", found = "none" }
  if is_plain(connection) then
    finding.found = "not used: --base-url is plain HTTP to this machine"
  elseif connection.proxy_problem then
    finding.status = "wrong"
    finding.found = ("that of %s cannot be used: %s"):format(
      connection.proxy_origin, connection.proxy_problem)
    finding.advice = "correct it, or unset it where none is needed"
  elseif connection.proxy then
    finding.found = ("%s (%s)"):format(connection.proxy, connection.proxy_origin)
    if core.getenv("no_proxy", true) or core.getenv("NO_PROXY", true) then
      finding.found = finding.found .. ", but for the hosts in no_proxy"
    end
  end
  return finding
end

return machine
