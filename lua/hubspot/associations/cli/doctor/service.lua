-- What the doctor finds by asking HubSpot, with one request for each question, none of which changes
-- anything: whether the service is reached, the clock, the token, the account, the app and its scopes, the
-- rate limit, and what may be read and written. Where the first answer rules out the others, it is the only
-- one.

local advice = require "hubspot.associations.cli.output.advice"
local ascii = require "hubspot.associations.text.ascii"
local digits_of = require "hubspot.associations.text.digits"
local errors = require "hubspot.associations.errors"
local scopes = require "hubspot.associations.cli.doctor.scopes"

local service = {}

local MOST_SKEW = 60 -- seconds

local UNKNOWN_PATH = "check --base-url and --api-version, and whether a proxy or a captive portal answers"
local ELSEWHERE = "something other than HubSpot answers: a proxy, a captive portal or another service: check "
  .. "--base-url, the proxy and this machine's network"

---@class hubspot.associations.cli.Observed what on_event was told of all responses
---@field last table|nil the event of the last response
---@field clock number|nil seconds since 1970 on this machine when the last response with a date came
---@field date number|nil that date
---@field limit table the last values of the rate limit's fields

---@return hubspot.associations.cli.Observed
---@return fun(event: table) on_event
function service.observer()
  local observed = { limit = {} }
  return observed, function(event)
    if event.type ~= "response" then return end
    observed.last = event
    if event.date then observed.date, observed.clock = event.date, os.time() end
    for name, value in pairs(event.rate_limit or {}) do observed.limit[name] = value end
  end
end

local function of(status, check, found, what_to_do)
  return { status = status, check = check, found = found, advice = what_to_do }
end

-- Whether an error is HubSpot's own rejection, by what no page of a proxy has.
local function is_hubspots(err)
  return err.status ~= nil and type(err.body) == "table" and (err.status >= 400)
    and (err.body.message ~= nil or err.body.category ~= nil)
end

-- ---- the service and this machine's clock ----

local IS_ANSWER = { unauthorized = true, forbidden = true, rate_limited = true, daily_limit = true }

local function reached(connection, observed, err)
  local where = ("%s, version %s"):format(connection.base_url, connection.version)
  if not err or IS_ANSWER[err.kind] and is_hubspots(err) then
    local last = observed.last
    return of("ok", "service",
      ("%s: answered in %.2f s, HTTP/%s"):format(where, last.elapsed, last.http_version))
  end
  local what_to_do = advice.of(err)
  local is_foreign = err.kind == "decode" or err.kind == "redirect" or err.status and not is_hubspots(err)
  if err.status == 404 then
    what_to_do = UNKNOWN_PATH
  elseif is_foreign and (err.status or 0) < 500 then
    what_to_do = ELSEWHERE
  end
  return of("wrong", "service", where .. ": " .. errors.summary(err), what_to_do)
end

local function clock(observed, now)
  local here = os.date("!%Y-%m-%d %H:%M:%S UTC", now)
  if not observed.date then
    return of("unknown", "clock", here .. " on this machine; the service did not say its own")
  end
  local skew = observed.clock - observed.date
  local found = ("%.0f s %s the service's"):format(math.abs(skew), skew < 0 and "behind" or "ahead of")
  if math.abs(skew) <= MOST_SKEW then return of("ok", "clock", found) end
  return of("wrong", "clock", found .. (": %s on this machine"):format(here),
    "set this machine's clock (NTP): certificates are valid for a time only")
end

-- ---- the token, the account and the app ----

local function token(origin, err)
  local is_told = not err or is_hubspots(err)
  if is_told and (not err or err.kind == "forbidden") then
    return of("ok", "token", ("from %s: HubSpot accepts it"):format(origin))
  elseif is_told and err.kind == "unauthorized" then
    return of("wrong", "token", ("from %s: %s"):format(origin, errors.summary(err)), advice.of(err))
  end
  return of("unknown", "token", ("from %s: not checked, as HubSpot did not say"):format(origin))
end

local function text_of(value)
  if type(value) == "number" then return digits_of(value) or tostring(value) end
  return type(value) == "string" and value or nil
end

-- Words for those of a table's fields that have a value.
local function fields_of(object, names)
  local parts = {}
  for _, entry in ipairs(names) do
    local text = text_of(object[entry[1]])
    if text then parts[#parts + 1] = entry[2]:format(text) end
  end
  return table.concat(parts, ", ")
end

local ACCOUNT = {
  { "portalId", "hub %s" }, { "accountType", "%s" }, { "timeZone", "time zone %s" },
  { "dataHostingLocation", "data in %s" },
}
local APP = { { "appId", "app %s" }, { "userId", "user %s" } }

local function account(details, info, err)
  if details then return of("ok", "account", fields_of(details, ACCOUNT)) end
  local why = "its details: " .. errors.summary(err)
  if info and text_of(info.hubId) then
    return of("ok", "account", ("hub %s; %s"):format(text_of(info.hubId), why))
  end
  return of("unknown", "account", why)
end

local function held_scopes(info)
  local list = {}
  for _, scope in ipairs(type(info.scopes) == "table" and info.scopes or {}) do
    if type(scope) == "string" then list[#list + 1] = scope end
  end
  table.sort(list, ascii.before)
  return list
end

local function app(info, err)
  if not info then
    return of("unknown", "app", "HubSpot tells app and scopes of a private app's token only: "
      .. errors.summary(err))
  end
  local held = held_scopes(info)
  local list = #held > 0 and ": " .. table.concat(held, " ") or ""
  local who = fields_of(info, APP)
  return of("ok", "app", ("%s%d scopes%s"):format(who == "" and "" or who .. ", ", #held, list))
end

-- ---- the rate limit ----

local LIMITS = {
  { "daily", "daily_remaining", function() return "a day" end },
  { "max", "remaining", function(limit)
    return limit.interval and ("in %g s"):format(limit.interval) or "in an interval"
  end },
}

local function rate_limit(observed, err)
  local limit, parts = observed.limit, {}
  for _, row in ipairs(LIMITS) do
    local most, left = limit[row[1]], limit[row[2]]
    if most then
      parts[#parts + 1] = ("%.0f requests %s%s"):format(most, row[3](limit),
        left and (", %.0f left"):format(left) or "")
    end
  end
  local told = #parts > 0 and table.concat(parts, "; ") or "HubSpot's responses did not say"
  if err and (err.kind == "rate_limited" or err.kind == "daily_limit") then
    return of("wrong", "rate limit", ("%s; %s"):format(errors.summary(err), told), advice.of(err))
  elseif limit.daily_remaining == 0 then
    return of("wrong", "rate limit", told, advice.of { kind = "daily_limit" })
  end
  return of(#parts > 0 and "ok" or "unknown", "rate limit", told)
end

-- ---- what may be read and written ----

local function direction(arguments)
  return ("%s to %s"):format(arguments.from, arguments.to)
end

-- The finding of a request that only reads.
local function permitted(check, arguments, result, err, found)
  if result then return of("ok", check, direction(arguments) .. ": " .. found) end
  return of("wrong", check, ("%s: %s"):format(direction(arguments), errors.summary(err)), advice.of(err))
end

local function read(client, arguments)
  local any = { "1" } -- no matter whether there is such a record
  local result, err = client:read(arguments.from, arguments.to, any)
  return permitted("read", arguments, result, err, "links can be read")
end

local function labels(client, arguments)
  local result, err = client:labels(arguments.from, arguments.to)
  local own = 0
  for _, entry in ipairs(result and result.results or {}) do
    if type(entry) == "table" and entry.category == "USER_DEFINED" then own = own + 1 end
  end
  local found = result
    and ("can be read: %d, the account's own: %d"):format(#result.results, own)
  return permitted("labels", arguments, result, err, found)
end

local ONLY_A_WRITE = "only a write would show whether the token may, and the doctor makes none"

local function write(info, arguments)
  local where = direction(arguments) .. ": "
  if not info then return of("unknown", "write", where .. ONLY_A_WRITE) end
  local compared = scopes.compare(held_scopes(info), { arguments.from, arguments.to })
  if #compared.missing > 0 then
    local list = table.concat(compared.missing, ", ")
    return of("wrong", "write", where .. "the token lacks " .. list,
      "give its app these scopes, or use another token; reading does not need them")
  elseif #compared.unclear > 0 then
    return of("unknown", "write", where .. ("the token has no scope that is known to be for %s; %s"):format(
      table.concat(compared.unclear, ", "), ONLY_A_WRITE))
  end
  return of("ok", "write", where .. "the token has " .. table.concat(compared.held, ", "))
end

-- ---- all of them ----

-- The account's details; or nil and an error, also for a success that HubSpot cannot have sent.
local function details_of(client)
  local details, err = client:account()
  if details and not text_of(details.portalId) then
    return nil, errors.new { kind = "decode", message = "the response has no hub id, and is not HubSpot's" }
  end
  return details, not details and err or nil
end

---Asks HubSpot.
---@param client hubspot.associations.Client of one attempt a request
---@param observed hubspot.associations.cli.Observed of its on_event
---@param origin string where its token is from
---@param arguments table `from` and `to`, or neither
---@return hubspot.associations.cli.Finding[]
function service.findings(client, observed, origin, arguments)
  local details, err = details_of(client)
  local list = { reached(client:connection(), observed, err), clock(observed, os.time()), token(origin, err) }
  local has_direction = arguments.from ~= nil
  if err and not (err.kind == "forbidden" and is_hubspots(err)) then
    list[#list + 1] = rate_limit(observed, err)
    if has_direction then
      list[#list + 1] = of("unknown", "scopes", direction(arguments) .. ": not checked, for the reason above")
    end
    return list
  end
  local info, why = client:token_info()
  list[#list + 1] = account(details, info, err)
  list[#list + 1] = app(info, why)
  local permissions = has_direction
    and { read(client, arguments), labels(client, arguments), write(info, arguments) } or {}
  list[#list + 1] = rate_limit(observed)
  for _, finding in ipairs(permissions) do list[#list + 1] = finding end
  return list
end

return service
