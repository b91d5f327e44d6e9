-- Reads an HTTP response: what the endpoint's reader makes of a success (batch, page, object or none), or the
-- error of a rejection. Pure. Every field may be missing, null, or of another type than documented.

local rejections = require "hubspot.associations.api.rejection"
local rate_limit = require "hubspot.associations.api.rate_limit"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local digits_of = require "hubspot.associations.text.digits"
local redact = require "hubspot.associations.text.redact"

local response = {}

local SNIPPET = 200 -- bytes of a body that is not JSON, in a message
local KEPT = 4096 -- bytes of such a body, in the error's `body`
local LONG = 64 * 1024 -- bytes: `body` has only the beginning of a longer rejection
local LONGEST_REJECTION = 2 * 1024 * 1024 -- bytes: a longer one is not decoded

local KIND_OF_STATUS = {
  [401] = "unauthorized",
  [403] = "forbidden",
  [404] = "not_found",
  [429] = "rate_limited",
}

-- Fields of a rejection that its error has under the same names.
local KEPT_FIELDS = {
  "category", "subCategory", "correlationId", "context", "errors", "links",
  "policyName", "groupName", "errorType",
}

---@class hubspot.associations.RawResponse an HTTP response, as the session returns it
---@field status integer
---@field headers table<string, string> names in lower case
---@field body string|userdata a string, or core's bytes
---@field date integer when it was received, in seconds since 1970
---@field secrets string[]|nil the tokens that must not be shown

---@param raw hubspot.associations.RawResponse
---@return string|nil
function response.correlation_id(raw)
  local id = raw.headers["x-hubspot-correlation-id"]
  return id and redact.text(id, raw.secrets)
end

-- The body without the secrets, decoded or as text.
local function decode(raw)
  local secrets = raw.secrets or {}
  return core.decode(raw.body, secrets[1], secrets[2])
end

local function text_of(raw)
  return redact.text(tostring(raw.body), raw.secrets)
end

local function snippet(body)
  local text = body:sub(1, SNIPPET):gsub("[ \t-\r]+", " ")
  return text:find "[^ \t-\r]" and text or "an empty body"
end

local function kind_of(status, rejection)
  if status == 429 and rejection.policyName == "DAILY" then return "daily_limit" end
  if status >= 300 and status < 400 then return "redirect" end
  return KIND_OF_STATUS[status] or "http"
end

-- The server's own message; without one, the beginning of the body.
local function message_of(status, rejection, body)
  if type(rejection.message) == "string" and rejection.message ~= "" then return rejection.message end
  return ("HubSpot responded with %d: %s"):format(status, snippet(body))
end

local function rejected(raw)
  local decoded = #raw.body <= LONGEST_REJECTION and decode(raw) or nil
  local rejection, text = decoded or {}, text_of(raw)
  local err = errors.new {
    kind = kind_of(raw.status, rejection),
    message = message_of(raw.status, rejection, text),
    status = raw.status,
    body = #raw.body <= LONG and decoded or text:sub(1, KEPT),
  }
  for _, name in ipairs(KEPT_FIELDS) do err[name] = rejection[name] end
  if rejections.is_of_path(err) then err.reason = "object_type" end
  err.correlationId = err.correlationId or response.correlation_id(raw)
  err.retry_after = rate_limit.retry_after(raw.headers, raw.date)
  err.retry_at = err.retry_after and raw.date + err.retry_after
  return err
end

local function meaningless(raw, why)
  local text = text_of(raw)
  return errors.new {
    kind = "decode",
    message = ("HubSpot responded with %d, but %s: %s"):format(raw.status, why, snippet(text)),
    status = raw.status,
    correlationId = response.correlation_id(raw),
    body = text:sub(1, KEPT),
  }
end

---Whether a value is absent or a list. (A JSON object has no number as a key.)
---@param value any of a decoded response
---@return boolean
function response.is_list(value)
  if value == nil then return true end
  return type(value) == "table" and (next(value) == nil or #value > 0)
end

---Whether a value is absent or a list of objects.
---@param value any of a decoded response
---@return boolean
function response.is_list_of_objects(value)
  if not response.is_list(value) then return false end
  for _, entry in ipairs(value or {}) do
    if type(entry) ~= "table" then return false end
  end
  return true
end

---@class hubspot.associations.BatchResponse HubSpot's response to a batch, with HubSpot's field names
---@field status string "COMPLETE", "PENDING", "PROCESSING", "CANCELED"
---@field results table[] what was created: { fromObjectTypeId, fromObjectId, toObjectTypeId, toObjectId,
---  labels }
---@field errors table[]|nil what was not created: { status, category, message, context, … }
---@field numErrors integer|nil how many inputs it counts as failed
---@field startedAt string when HubSpot began
---@field completedAt string when it was done
---@field requestedAt string|nil
---@field links table<string, string>|nil

-- Each reader is given a success, and returns a table, or nil and why the response is not what it reads.
local readers = {}

local function read_object(raw, noun)
  local object, reason = decode(raw)
  if not object then return nil, ("its body is not the JSON of %s (%s)"):format(noun, reason) end
  return object
end

-- { results, errors, … }: a result for each input, or errors that may name inputs.
function readers.batch(raw)
  local batch, why = read_object(raw, "a batch")
  if not batch then return nil, why end
  if batch.results == nil and batch.errors == nil then
    return nil, "its body has neither results nor errors"
  end
  if not response.is_list(batch.results) or not response.is_list(batch.errors) then
    return nil, "its results or errors are not a list"
  end
  return batch
end

-- { results, paging }: some entries of a list, and where the next page begins.
function readers.page(raw)
  local page, why = read_object(raw, "a page")
  if not page then return nil, why end
  if page.results == nil or not response.is_list_of_objects(page.results) then
    return nil, "its results are not a list of objects"
  end
  if page.paging ~= nil and type(page.paging) ~= "table" then return nil, "its paging is not an object" end
  return page
end

-- Any object.
function readers.object(raw)
  local object, why = read_object(raw, "an object")
  if not object then return nil, why end
  if #object > 0 then return nil, "its body is a list" end
  return object
end

-- Nothing, or a batch without results: HTTP's status is enough. What is no such body was cut short, is not
-- HubSpot's, or is a rejection in spite of HTTP's status.
function readers.none(raw)
  if #raw.body == 0 or not tostring(raw.body):find "[^ \t-\r]" then return {} end
  local batch, why = read_object(raw, "a batch")
  if not batch then return nil, why end
  if not response.is_list(batch.results) or not response.is_list(batch.errors) then
    return nil, "its results or errors are no list"
  end
  if batch.status == "error" then return nil, "its body is an error" end
  return batch
end

local LONGEST_CURSOR = 4096 -- bytes: a thousand of them go into one request

-- The cursor of the next page, nil where `paging` is absent or has no next one; or nil and why it is unclear.
local function cursor_of(paging)
  if paging == nil then return nil end
  if type(paging) ~= "table" then return nil, "HubSpot gave pages that make no sense" end
  local following = paging.next
  if following == nil then return nil end
  if type(following) ~= "table" then return nil, "HubSpot gave a next page that makes no sense" end
  local cursor = following.after
  if type(cursor) == "number" then cursor = digits_of(cursor) end
  if cursor == nil and next(following) == nil then return nil end
  if type(cursor) ~= "string" or cursor == "" or #cursor > LONGEST_CURSOR then
    return nil, "HubSpot gave a next page without a cursor that can be sent"
  end
  return cursor
end

-- The most pages of one list: a record of ten million links has as many, of 100 links each. And the cursors
-- that are remembered at once: a circle is found when it is shorter than that.
local MOST_PAGES, MOST_REMEMBERED = 100000, 100

---@class hubspot.associations.Trail the way through the pages of one list
---@field pages integer how many were followed by another
---@field is_seen table<string, boolean> the last cursors

---@param after string|nil the cursor of the first page
---@return hubspot.associations.Trail
function response.trail(after)
  return { pages = 0, is_seen = { [after or 0] = true } }
end

---Where the next page begins, of a page or of a result that has pages. Pages that lead in a circle, or have
---no end, are an error: who follows them would never be done.
---@param page table|nil
---@param trail hubspot.associations.Trail
---@return string|nil cursor nil on the last page
---@return hubspot.associations.Error|nil err when it cannot be followed
function response.next_cursor(page, trail)
  local cursor, reason = cursor_of(page and page.paging)
  if cursor and trail.is_seen[cursor] then
    reason = "HubSpot gave the same cursor twice: its pages have no end"
  elseif cursor and trail.pages == MOST_PAGES then
    reason = ("HubSpot gave %d pages, and another: they seem to have no end"):format(MOST_PAGES)
  end
  if reason then return nil, errors.new { kind = "decode", message = reason, retryable = false } end
  if not cursor then return nil end
  trail.pages = trail.pages + 1
  if trail.pages % MOST_REMEMBERED == 0 then trail.is_seen = {} end
  trail.is_seen[cursor] = true
  return cursor
end

---@param raw hubspot.associations.RawResponse
---@return boolean
function response.is_success(raw)
  return raw.status >= 200 and raw.status <= 299
end

---Frees the body of a response that nobody will read again: Lua's collector does not see how large it is.
---@param raw hubspot.associations.RawResponse
function response.release(raw)
  if type(raw.body) == "userdata" then raw.body:free() end
end

---Reads a response of an endpoint. Any 2xx that the reader can read is a success; everything else is an
---error.
---@param raw hubspot.associations.RawResponse
---@param reader "batch"|"page"|"object"|"none" the endpoint's field `response`
---@return table|nil
---@return hubspot.associations.Error|nil
function response.read(raw, reader)
  if not response.is_success(raw) then return nil, rejected(raw) end
  local result, why = readers[reader](raw)
  if not result then return nil, meaningless(raw, why) end
  return result
end

return response
