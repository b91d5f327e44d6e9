-- What to do when a job stopped before its end, told from the fields of its error: never from its words.
-- Makes text; asks nothing of anyone.

local advice = {}

local OF_PROXY = "check the proxy (https_proxy): its address, its user and password, and what it allows"

-- What has to change first, by libcurl's code: it tells causes apart that one kind of error has.
local OF_CURL_CODE = {
  [5] = "check the name of the proxy (https_proxy), and this machine's DNS",
  [6] = "check the host name in --base-url, and this machine's network and DNS",
  [7] = "check that the service, or the proxy of this machine, can be reached from here: network, firewall",
  [35] = "check that --base-url is an HTTPS service, and whether a proxy or a firewall is in between",
  [60] = "check this machine's clock; where a proxy or a server of your own is in between, give its "
    .. "certificates with --ca-file",
  [77] = "give a file of certificates, PEM, that can be read, with --ca-file",
  [97] = OF_PROXY,
}

local LATER = "HubSpot, or the connection to it, has a problem: try again later"

-- The same by kind, where the code says nothing.
local OF_KIND = {
  unauthorized = "check that the token is valid and has not expired",
  token = "give a token that is valid",
  forbidden = "give the app of the token the scopes that are named, or another token",
  not_found = "check --base-url, --api-version and the object types",
  redirect = "redirects are never followed: check --base-url",
  daily_limit = "the account's requests of this day are used up: wait until midnight in its time zone",
  rate_limited = "other programs use up the account's limit: wait, or have each send less (--rate)",
  network = LATER,
  timeout = LATER,
  tls = "check this machine's clock, --ca-file, and whether a proxy or a firewall is in between",
  decode = LATER,
  too_large = "give a smaller --batch-size",
  invalid_input = "correct what is named",
  source = "correct the file",
  journal = "check that the journal can be read and written",
}

-- Where the journal is not to be used for this job, or not now: the same command would only stop again.
local OF_JOURNAL = {
  other_job = "a journal goes on with the same file, object types, --type and --category only: give another "
    .. "journal, or delete this one to begin anew",
  damaged = "give another journal, or delete this one to begin anew: what is linked already stays as it is",
  in_use = "wait until the other process ends, or give another journal",
}

local function of_http(status)
  return status and status >= 500 and LATER or "correct what HubSpot refuses"
end

-- What a person can do about an error; nil where its words say all.
local function advice_of(err)
  if err.kind == "http" then return of_http(err.status) end
  if err.kind == "journal" and OF_JOURNAL[err.reason] then return OF_JOURNAL[err.reason] end
  local is_of_proxy = err.proxy_status or err.proxy_code or err.reason == "proxy"
  if err.kind == "network" and is_of_proxy then return OF_PROXY end
  return OF_CURL_CODE[err.curl_code] or OF_KIND[err.kind]
end

---How to go on with a job that stopped; nil for a dry run, which has done nothing to go on from.
---@param arguments table as arguments.parse gives them
---@return string|nil
function advice.going_on(arguments)
  if arguments.dry_run then return nil end
  local again = "to go on, run the same command again"
  if arguments.file == "-" then again = again .. " with the same input" end
  if arguments.journal then return again .. ": " .. arguments.journal .. " has what is done" end
  return again .. ": creating an association twice changes nothing; "
    .. "with --journal FILE, it would go on from where it stopped"
end

---What to do when a job stopped before its end.
---@param err hubspot.associations.Error that it stopped with
---@param arguments table as arguments.parse gives them
---@return string[] lines
function advice.next_steps(err, arguments)
  local lines = { advice_of(err) }
  if not (err.kind == "journal" and OF_JOURNAL[err.reason]) then
    lines[#lines + 1] = advice.going_on(arguments)
  end
  return lines
end

---What to say when a job could not begin.
---@param why string
---@param err hubspot.associations.Error
---@return string[] lines
function advice.not_begun(why, err)
  local lines = { why, advice_of(err) }
  lines[#lines + 1] = "nothing was sent"
  return lines
end

return advice
