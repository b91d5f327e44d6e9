-- The proxy of a client, from the option or the environment: whether libcurl can use it, and messages of
-- failures without its user and password, which libcurl's own messages may contain. The URL is kept only in
-- closures of this file, so that printing a table cannot show it.

local core = require "hubspot.associations.core"

local proxy = {}

-- In the order in which libcurl looks for them.
local VARIABLES = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }

-- libcurl's codes for a URL that it cannot parse, and for a scheme that it was built without or does not
-- know.
local COULDNT_RESOLVE_PROXY, NOT_BUILT_IN, COULDNT_CONNECT = 5, 4, 7

-- Whether a failure means that libcurl does not accept the proxy's URL. The codes have other causes, too, but
-- those come after the look-up of an address.
local function is_of_url(failure)
  local code = failure.curl_code
  if code == NOT_BUILT_IN or code == COULDNT_CONNECT then return not failure.looked_up end
  return code == COULDNT_RESOLVE_PROXY
end

local function of_environment()
  for _, name in ipairs(VARIABLES) do
    local url = core.getenv(name, true) -- read as libcurl does
    if url then return url, "environment variable " .. name end
  end
end

-- Whether a text may show a part of a URL, other than its scheme. In a URL that cannot be parsed, any part
-- may be the password.
local function may_show(text, url)
  for part in url:gsub("^[A-Za-z0-9]+:", ""):gmatch "[A-Za-z0-9\128-\255]+" do
    if text:find(part, 1, true) then return true end
  end
  return false
end

local function cannot_be_used(origin, why)
  return ("the proxy of %s cannot be used: %s"):format(origin, why)
end

-- Completes the failure of a request that went through the proxy of this URL, which is from `origin`.
local function explain(failure, url, origin)
  local shown, why = core.proxy(url)
  if shown then
    if url:find("@", 1, true) and core.redact(failure.message, url) ~= failure.message then
      failure.message = ("the connection through the proxy %s failed"):format(shown)
    end
  elseif is_of_url(failure) then
    failure.message, failure.reason = cannot_be_used(origin, why), "proxy"
  elseif may_show(failure.message, url) then
    failure.message = ("the connection failed (libcurl's code %s); the proxy of %s may be at fault: %s")
      :format(tostring(failure.curl_code), origin, why)
  end
end

---@class hubspot.associations.Proxy
---@field reason string|nil why the proxy of the option cannot be used
---@field describe fun(): table what there is at present: { url = it without user and password, origin = the
---  option or variable that it is from, problem = why it cannot be used }; empty without a proxy
---@field explain fun(failure: table) takes user and password out of the message of a failure { kind, message,
---  curl_code, looked_up }, and sets its `reason` to "proxy" if the proxy's URL is at fault

---@param option string|nil the option `proxy`; without it, the environment is read at each request
---@return hubspot.associations.Proxy
function proxy.of(option)
  local reason
  if option then
    local shown, why = core.proxy(option)
    reason = not shown and cannot_be_used("option proxy", why) or nil
  end
  local function current()
    if option then return option, "option proxy" end
    return of_environment()
  end
  return {
    reason = reason,
    describe = function()
      local url, origin = current()
      if not url then return {} end
      local shown, why = core.proxy(url)
      return { url = shown, origin = origin, problem = why }
    end,
    explain = function(failure)
      local url, origin = current()
      if url then explain(failure, url, origin) end
    end,
  }
end

return proxy
