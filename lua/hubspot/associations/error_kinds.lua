-- The kinds of error, and what is true of every error of a kind. Data only: docs/errors.md, tostring(err),
-- the command's advice and policy/retryable.lua read it.
-- Names of options, fields and functions stand in backquotes, as in docs/; plain text leaves these out.

---@class hubspot.associations.ErrorKind
---@field happened string
---@field advice string|nil what to do; nil when nothing is to be done
---@field needs_advice boolean|nil whether tostring(err) ends with the advice, as the message does not say it
---@field advised_without string[]|nil fields of the error with which the advice does not fit
---@field command string|nil the advice for a user of the command, where it differs: options are flags there
---@field retryable boolean|"depends" whether the same request may succeed later; "depends" on other fields of
---  the error: see policy/retryable.lua
---@field is_unanswered boolean|nil whether no usable response came: HubSpot may have done what was asked,
---  unless the error's field `sent` is false

local LATER = "HubSpot, or the connection to it, has a problem: try again later"

---@type table<string, hubspot.associations.ErrorKind>
return {
  -- ---- before anything is sent ----

  invalid_input = {
    happened = "an input, an object type or the source is invalid; it was not sent",
    advice = "look at `index` and `field`",
    command = "correct what is named",
    retryable = false,
  },
  token = {
    happened = "there is no token that can be sent",
    advice = "check the option `token`; the message never repeats the token",
    command = "give a token that is valid",
    retryable = false,
  },
  busy = {
    happened = "a collector or a queue has as many links without an outcome as `max_pending` allows, or as "
      .. "many dead letters as `max_dead`",
    advice = "try again later, or use `link`, which waits; look at the dead letters",
    command = LATER,
    retryable = true,
  },
  closed = {
    happened = "the client, or the collector, was closed",
    retryable = false,
    is_unanswered = true,
  },

  -- ---- HubSpot's response ----

  unauthorized = {
    happened = "401: the token is not valid, or has expired",
    advice = "check that the token is valid and has not expired",
    needs_advice = true,
    retryable = false,
  },
  forbidden = {
    happened = "403; `tostring(err)` names the scopes that HubSpot asks for",
    advice = "check the scopes of the app that the token belongs to",
    needs_advice = true,
    command = "give the app of the token the scopes that are named, or another token",
    retryable = false,
  },
  not_found = {
    happened = "404; or no record has the value, `value`, by which an input names it, or it is empty",
    advised_without = { "category", "value" }, -- with one, it is a record that is not there
    advice = "check `base_url`, `version` and the object types",
    needs_advice = true,
    command = "check --base-url, --api-version and the object types",
    retryable = false,
  },
  rate_limited = {
    happened = "429, until `retry_deadline` was over",
    advice = "wait; give `rate`, or send less from other programs",
    command = "other programs use up the account's limit: wait, or have each send less (--rate)",
    retryable = true,
  },
  daily_limit = {
    happened = "429 of policy `DAILY`: the account's requests of this day are used up",
    advice = "the limit resets at midnight in the account's time zone",
    needs_advice = true,
    command = "the account's requests of this day are used up: wait until midnight in its time zone",
    retryable = false,
  },
  http = {
    happened = "any other rejection by HubSpot, also of a single input in a batch",
    advice = "read `message`, `category` and `context`",
    command = "correct what HubSpot rejects",
    retryable = "depends",
  },
  redirect = {
    happened = "3xx",
    advice = "redirects are never followed: check `base_url`",
    needs_advice = true,
    command = "redirects are never followed: check --base-url",
    retryable = false,
  },
  decode = {
    happened = "the response made no sense, or left an input out",
    advice = "try again later; report it, with `body`",
    command = LATER,
    retryable = true,
    is_unanswered = true,
  },
  too_large = {
    happened = "a request or a response was above 64 MiB",
    advice = "make `batch_size` smaller",
    command = "give a smaller --batch-size",
    retryable = false,
    is_unanswered = true,
  },

  -- ---- the network ----

  network = {
    happened = "no connection, or one that broke",
    advice = "try again later",
    command = LATER,
    retryable = "depends",
    is_unanswered = true,
  },
  timeout = {
    happened = "no response within `timeout`; or no outcome within that of a collector",
    advice = "try again later; HubSpot may have done what was asked",
    command = LATER,
    retryable = true,
    is_unanswered = true,
  },
  tls = {
    happened = "no secure connection",
    advice = "check this machine's clock, `ca_file` and `ca_path`, and whether a proxy or a firewall is in "
      .. "between",
    needs_advice = true,
    command = "check this machine's clock, --ca-file, and whether a proxy or a firewall is in between",
    retryable = "depends",
    is_unanswered = true,
  },

  -- ---- a fleet ----

  redis = {
    happened = "Redis rejected a command: `code` is the first word of what it said",
    advice = "read `message`: Redis may be full (`OOM`), read-only (`READONLY`), or not let this user in",
    command = "correct what Redis rejects: it may be full, read-only, or not let this user in",
    retryable = "depends",
  },

  -- ---- a job ----

  unverified = {
    happened = "HubSpot accepted an input, and does not show it as it was to be; of a job with `verify`",
    advice = "look at the records in HubSpot: it may show it later, or something else has changed it",
    command = "look at the records in HubSpot: it may show it later, or something else has changed it; rows "
      .. "may be sent again",
    retryable = true,
  },
  journal = {
    happened = "the journal cannot be used or written: `message` and `reason` say why",
    advice = "give another journal, or correct what `message` names",
    command = "check that this file can be read and written",
    retryable = false,
  },
  source = {
    happened = "the source raised, or ended with `false` or with a reason",
    advice = "correct the source, and resume from the journal",
    command = "correct the file",
    retryable = false,
  },
  callback = {
    happened = "`on_failure`, `on_batch`, `on_record`, `before_journal` or the callback of a link raised",
    advice = "correct the callback; resume a job from its journal",
    retryable = false,
  },
  too_many_removals = {
    happened = "a sync would remove more links than `max_removals`; nothing was changed",
    advice = "look at the plan (`plan`), and give a larger `max_removals` if it is right",
    command = "look at the plan (--plan), and give a larger --max-removals if it is right",
    retryable = false,
  },
  changed = {
    happened = "a pair has changed since a sync read it; it was left as it is",
    advice = "sync again: that makes another plan",
    command = "sync again: that makes another plan",
    retryable = false,
  },
  protected = {
    happened = "a link was not removed, as a creation for the same record did not succeed",
    advice = "correct what failed, and sync again",
    command = "correct what failed, and sync again",
    retryable = true,
  },
  canceled = {
    happened = "a callback returned `false`, or the job was canceled",
    retryable = false,
  },
}
