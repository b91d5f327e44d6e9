-- What to do when a job stopped before its end, by the fields of its error: never by its words. What is true
-- of a whole kind of error stands in error_kinds.lua; here is what its other fields add. Makes text only.

local files = require "hubspot.associations.cli.files"
local kinds = require "hubspot.associations.error_kinds"

local advice = {}

local OF_PROXY = "check the proxy (https_proxy): its address, its user and password, and what it allows"

-- What has to change first, by libcurl's code, which tells the causes of one kind of error apart.
local OF_CURL_CODE = {
  [5] = "check the name of the proxy (https_proxy), and this machine's DNS",
  [6] = "check the host name in --base-url, and this machine's network and DNS",
  [7] = "check the address in --base-url, and that the service, or the proxy of this machine, can be reached "
    .. "from here: network, firewall",
  [35] = "check that --base-url is an HTTPS service, and whether a proxy or a firewall is in between",
  [60] = "check this machine's clock; where a proxy or a server of your own is in between, give its "
    .. "certificates with --ca-file",
  [77] = "give a file of certificates, PEM, that can be read, with --ca-file",
  [97] = OF_PROXY,
}

-- By the reason why a journal cannot be used for this job, or not now: the same command would stop again.
local OF_JOURNAL = {
  other_job = "a journal goes on with the same rows in the same order, object types, --type, --category and "
    .. "properties only: give another journal, or delete this one to begin anew",
  other_file = "give another file: this one stays as it is",
  damaged = "give another journal, or delete this one to begin anew: what is linked already stays as it is",
  in_use = "wait until the other process ends, or give another journal",
}

local OF_PLAN = "give another plan, or other --from and --to: --plan FILE writes one"
local OF_PATH = "correct --from or --to"

-- What to do about an error of what the command itself names: the same command would stop again.
local function of_command(err)
  if err.kind == "journal" then return OF_JOURNAL[err.reason] end
  if err.kind == "invalid_input" and err.field == "plan" then return OF_PLAN end
  if err.kind == "http" and err.reason == "object_type" then return OF_PATH end
end

---What a person can do about an error.
---@param err hubspot.associations.Error
---@return string|nil nil where its message says all
function advice.of(err)
  local is_of_proxy = err.proxy_status or err.proxy_code or err.reason == "proxy"
  if err.kind == "network" and is_of_proxy then return OF_PROXY end
  local named = of_command(err)
  if named then return named end
  if err.kind == "http" and (err.status or 0) >= 500 then return kinds.network.command end
  local kind = kinds[err.kind]
  return OF_CURL_CODE[err.curl_code] or kind and (kind.command or kind.advice)
end

---How to go on with a job that stopped; nil for a dry run, which has done nothing to go on from.
---@param arguments table as arguments.parse gives them
---@param twice string what happens when rows are sent a second time
---@return string|nil
function advice.going_on(arguments, twice)
  if arguments.dry_run then return nil end
  local again = "to go on, run the same command again"
  if files.have_stdin(arguments) then again = again .. " with the same input" end
  if arguments.journal then return again .. ": " .. arguments.journal .. " has what is done" end
  return again .. ": " .. twice .. "; "
    .. "with --journal FILE, it would go on from where it stopped"
end

---What to do when a job stopped before its end.
---@param err hubspot.associations.Error that it stopped with
---@param arguments table as arguments.parse gives them
---@param twice string what happens when rows are sent a second time
---@return string[] lines
function advice.next_steps(err, arguments, twice)
  local lines = { advice.of(err) }
  if not of_command(err) then lines[#lines + 1] = advice.going_on(arguments, twice) end
  return lines
end

---What to say when a job could not begin.
---@param why string
---@param err hubspot.associations.Error
---@return string[] lines
function advice.not_begun(why, err)
  local lines = { why, advice.of(err) }
  lines[#lines + 1] = "nothing was sent"
  return lines
end

return advice
