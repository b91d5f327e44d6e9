-- Every option of associations.new: its type, unit, default, and check.
-- Checks only: knows neither the transport nor the service.

local core = require "hubspot.associations.core"

local options = {}

---@class hubspot.associations.Options
---@field token string|fun(reason: "first"|"unauthorized"): string|nil, string|nil a HubSpot access token,
---  or a function that returns one, or nil and why not: called for the first request, and once more after
---  a 401
---@field base_url string|nil where the service is, "https://api.hubapi.com"; http only on this machine
---@field version string|nil the API version in the path: "2025-09" (default), "2026-03", "2026-09" or "v4"
---@field timeout number|nil seconds for one request, 30
---@field connect_timeout number|nil seconds to connect, of those; 10
---@field batch_size integer|nil inputs per request, 1 to 2000 (HubSpot's limit, and the default)
---@field proxy string|nil as libcurl's CURLOPT_PROXY; by default from the environment
---@field ca_file string|nil certificates to trust, PEM; by default libcurl's
---@field ca_path string|nil the same, as a directory
---@field user_agent string|nil appended to the module's own
---@field loop hubspot.associations.Loop|nil how to wait; by default, blocking
---@field on_event fun(event: table)|nil told of each request and its end; never shown the token

---@class hubspot.associations.Loop
---@field wait fun(fd: integer, timeout: number|nil) returns when fd is readable, or after `timeout` seconds

local function is_type(name)
  return function(value)
    return type(value) == name, "a " .. name
  end
end

local function seconds(value)
  return type(value) == "number" and value > 0 and value < math.huge, "a positive number of seconds"
end

local function count(most)
  local expected = ("a whole number from 1 to %d"):format(most)
  return function(value)
    return type(value) == "number" and value >= 1 and value <= most and value % 1 == 0, expected
  end
end

local function text(value)
  local printable = type(value) == "string" and value ~= "" and not value:find "%c"
  return printable, "a string without control characters"
end

local function base_url(value)
  if type(value) ~= "string" then return false, "a string" end
  if value:find "[?#%c%s]" then return false, "a URL without query, fragment or spaces" end
  local refusal = core.url_refusal(value)
  return refusal == nil, "a URL that may be used (" .. tostring(refusal) .. ")"
end

local function version(value)
  local named = type(value) == "string" and value:find "^%w[%w%-]*$" ~= nil
  return named, 'an API version such as "2025-09" or "v4"'
end

local function token(value)
  -- What a token holds is checked when it is used: a missing or mangled one is no mistake of the program's.
  return value == nil or type(value) == "string" or type(value) == "function", "a string or a function"
end

local function loop(value)
  return type(value) == "table" and type(value.wait) == "function", "a table with a function `wait`"
end

local KNOWN = {
  token = { check = token },
  base_url = { check = base_url, default = "https://api.hubapi.com" },
  version = { check = version, default = "2025-09" },
  timeout = { check = seconds, default = 30 },
  connect_timeout = { check = seconds, default = 10 },
  batch_size = { check = count(2000), default = 2000 },
  proxy = { check = text },
  ca_file = { check = text },
  ca_path = { check = text },
  user_agent = { check = text },
  loop = { check = loop },
  on_event = { check = is_type "function" },
}

-- A value as an error may show it: a secret may sit in any option but those of plain types.
local function shown(name, value)
  local plain = name ~= "token" and name ~= "proxy" and (type(value) == "number" or type(value) == "string")
  return plain and ("%s (%s)"):format(type(value), tostring(value)) or "a " .. type(value)
end

---The options given, checked, with the defaults of those that are not.
---Raises when one is unknown or wrong, naming it.
---@param given table
---@return hubspot.associations.Options
function options.read(given)
  if type(given) ~= "table" then
    error("associations.new: expected a table of options, found a " .. type(given), 3)
  end
  for name in pairs(given) do
    if not KNOWN[name] then error(("associations.new: unknown option %q"):format(tostring(name)), 3) end
  end
  local read = {}
  for name, option in pairs(KNOWN) do
    local value = given[name]
    if value == nil then value = option.default end
    if value ~= nil then
      local valid, expected = option.check(value)
      if not valid then
        local problem = "associations.new: option %s: expected %s, found %s"
        error(problem:format(name, expected, shown(name, value)), 3)
      end
    end
    read[name] = value
  end
  return read
end

return options
