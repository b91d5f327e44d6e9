-- What a failure means for its request: whether the same request may succeed later, whether HubSpot may have
-- processed it nevertheless, and whether the failure counts as an attempt. Pure: reads the fields of an
-- error, never its message.

local kinds = require "hubspot.associations.error_kinds"

local retryable = {}

-- Errors of single inputs have a `status`, too, which may be a string.
local function status_of(err)
  return type(err.status) == "number" and err.status or 0
end

-- ---- rejections, of kind `http` ----

-- 4xx statuses after which the same request may succeed.
local PASSING_STATUS = {
  [408] = true, -- the request took too long to arrive: the network may be faster next time
  [409] = true, -- a conflict with another request, which lasts as long as that request
  [423] = true, -- a locked resource: HubSpot asks for a pause of 2 s
  [425] = true, -- the server does not want to risk a replay of early data: it says to send it later
  [477] = true, -- the account is being moved to another data centre: Retry-After says for how long
}

local function may_http_pass(err)
  -- The server or a gateway has a problem; the request is not at fault.
  if status_of(err) >= 500 then return true end
  -- HubSpot understood the request and rejected it: it will reject it again.
  return PASSING_STATUS[err.status] or false
end

-- ---- the network ----

-- Temporary responses to a CONNECT: the proxy is busy, or waited too long.
local PASSING_PROXY_STATUS = { [408] = true, [425] = true, [429] = true }

-- Permanent errors of a SOCKS proxy, by their number in libcurl (CURLproxycode).
local PERMANENT_PROXY_CODE = {
  [1] = "the address is of a type that SOCKS does not have",
  [2] = "the proxy speaks another version of SOCKS",
  [4] = "authentication by GSSAPI failed",
  [5] = "authentication by GSSAPI failed",
  [6] = "authentication by GSSAPI failed",
  [7] = "the proxy cannot reach identd",
  [8] = "identd names another user",
  [9] = "the host's name is too long",
  [10] = "the password is too long",
  [11] = "the user's name is too long",
  [12] = "the proxy offers no way to authenticate that libcurl has",
  [17] = "the proxy does not support this type of address",
  [18] = "the proxy does not support the command",
  [23] = "the proxy's rules do not allow the connection",
  [32] = "the proxy wants another way to authenticate",
  [33] = "the proxy rejects user and password",
}

-- libcurl's codes of errors that the same request always has.
local PERMANENT_CURL_CODE = {
  [3] = "the URL cannot be parsed",
  [4] = "libcurl was built without support for it",
  [67] = "the user or password was rejected",
  [94] = "authentication failed",
}

local function may_network_pass(err)
  -- The proxy's response is about the request: 407 for a wrong user or password, 403 for a host that is not
  -- allowed; redirections are not followed. From 500 on, the proxy or the network behind it has a problem.
  local status = err.proxy_status
  if status and status < 500 and not PASSING_PROXY_STATUS[status] then return false end
  -- The same for a SOCKS proxy. Codes that are not listed are about the network behind it.
  if PERMANENT_PROXY_CODE[err.proxy_code] then return false end
  -- The URL of the proxy is not usable: an option or an environment variable has to be changed.
  if err.reason == "proxy" then return false end
  if PERMANENT_CURL_CODE[err.curl_code] then return false end
  -- The connection was refused or lost, or could not be made.
  return true
end

local SSL_CONNECT_ERROR = 35 -- libcurl's code

local function may_tls_pass(err)
  -- libcurl has one code for a handshake that failed and one that broke off, maybe because of the network. A
  -- certificate that is not accepted stays so.
  return err.curl_code == SSL_CONNECT_ERROR
end

-- Error replies of Redis after which the same command may succeed: it is full, read-only, starting, busy with
-- a script, without its primary or its replicas, or cannot save.
local PASSING_CODE = {
  OOM = true, READONLY = true, LOADING = true, BUSY = true, MASTERDOWN = true, NOREPLICAS = true,
  MISCONF = true, CLUSTERDOWN = true, TRYAGAIN = true,
}

local function may_redis_pass(err)
  return PASSING_CODE[err.code] or false
end

local DEPENDS = {
  http = may_http_pass, network = may_network_pass, tls = may_tls_pass, redis = may_redis_pass,
}

---Whether the same request may succeed later.
---@param err table an error, or the fields of one
---@return boolean
function retryable.is_retryable(err)
  local kind = kinds[err.kind]
  if not kind then return false end
  if kind.retryable == "depends" then return DEPENDS[err.kind](err) end
  return kind.retryable
end

---Whether HubSpot may have processed the request, although no response says so.
---@param err table an error, or the fields of one
---@return boolean
function retryable.may_have_been_done(err)
  if err.kind == "http" then
    -- A server may fail after the work is done, and a gateway's 502 or 504 says nothing about the server
    -- behind it; a 408 may come from a gateway, too. Any other status means that HubSpot did nothing.
    local status = status_of(err)
    return status >= 500 or status == 408
  end
  -- Without a usable response, only the transport knows whether anything was sent.
  local kind = kinds[err.kind]
  return kind ~= nil and kind.is_unanswered == true and err.sent ~= false
end

---Whether a failed attempt counts against `max_attempts`. A 429 does not: the request is not at fault, and
---the deadline limits the wait.
---@param err table an error, or the fields of one
---@return boolean
function retryable.counts(err)
  return err.kind ~= "rate_limited"
end

return retryable
