-- The endpoints, one row each. Data only. Other files know none by name, but for `create`, which is the
-- default of `client:start` and of journals that name no endpoint.
-- docs/endpoints.md says what the method of each does.

local PAIR = "associations/{fromObjectType}/{toObjectType}/"
local RECORD = "objects/{fromObjectType}/{fromObjectId}/associations/"
local CONFIGURATIONS = "associations/definitions/configurations/"

---@class hubspot.associations.Endpoint
---@field [1] string the HTTP method
---@field [2] string the path after `/crm/` and the version. Its first part is the API's family; the names in
---  braces are the method's arguments, in order (see path.lua). Or, where it begins with /, the whole path,
---  in which `{version}` stands for the version
---@field shape string|nil how an input is written (see src/body_shape.c), of an endpoint with inputs
---@field body "types"|"object"|"token"|nil what its method takes in place of inputs: association types, or
---  a table with the fields that `fields` names; or nothing, where the session adds the token as the body
---@field fields table<string, string>|nil field -> its type (see request.lua); one that ends in "?" may be
---  left out
---@field query string[]|nil the parameters of its query, which its method takes as options
---@field most integer|nil how many inputs HubSpot accepts in one request; a row that has it also makes a job
---@field response "batch"|"page"|"object"|"none" how a response is read (see response.lua)
---@field result table<"from"|"to", string[]>|nil where a result has the ids of its input: a path of fields
---@field most_groups integer|nil how many inputs the request may have, where pairs are grouped by `from`
---@field replaces boolean|nil whether a write of a pair replaces the types that it had: rows of one pair that
---  follow one another go in one request
---@field both_directions boolean|nil whether a response may also have a result for a pair's other direction
---@field page "input"|nil whether each input of a job is read in pages, by a cursor of its own
---@field most_per_page integer|nil the largest page of a list
---@field outcome string|nil the outcome of an input that succeeded
---@field verified "present"|"absent"|nil what a read shows of the link, or of the types, that an input names
---@field repeatable boolean|nil false: doing it twice is not the same as once, so that it is not sent again
---  once it may have been done
---@field changes_labels boolean|nil whether the labels that are known are to be asked for again
---@field undated string|nil the version in place of v4, where the API has another

local FLAT = { from = { "fromObjectId" }, to = { "toObjectId" } }
local NESTED = { from = { "from", "id" }, to = { "to", "id" } }

---@type table<string, hubspot.associations.Endpoint>
return {
  -- ---- records ----

  create = {
    "POST", PAIR .. "batch/create",
    shape = "association", most = 2000, response = "batch", result = FLAT, replaces = true,
    outcome = "created", verified = "present",
  },
  create_default = {
    "POST", PAIR .. "batch/associate/default",
    shape = "pair", most = 2000, response = "batch", result = NESTED, both_directions = true,
    outcome = "created", verified = "present",
  },
  archive = {
    "POST", PAIR .. "batch/archive",
    shape = "fan", most = 2000, most_groups = 100, response = "none", outcome = "archived",
    verified = "absent",
  },
  archive_labels = {
    "POST", PAIR .. "batch/labels/archive",
    shape = "association", most = 2000, response = "none", outcome = "archived",
    verified = "absent",
  },
  read = {
    "POST", PAIR .. "batch/read",
    shape = "record", most = 1000, response = "batch", result = { from = { "from", "id" } }, page = "input",
    outcome = "read",
  },
  list = {
    "GET", RECORD .. "{toObjectType}",
    query = { "after", "limit" }, most_per_page = 500, response = "page",
  },
  put = {
    "PUT", RECORD .. "{toObjectType}/{toObjectId}",
    body = "types", response = "object",
  },
  put_default = {
    "PUT", "objects/{fromObjectType}/{fromObjectId}/associations/default/{toObjectType}/{toObjectId}",
    response = "batch",
  },
  delete = {
    "DELETE", RECORD .. "{toObjectType}/{toObjectId}",
    response = "none",
  },

  read_objects = { -- the records themselves, by their ids, or by a property whose values are unique
    "POST", "objects/{fromObjectType}/batch/read",
    body = "object",
    fields = { idProperty = "string?", inputs = "ids", properties = "texts?" },
    response = "batch", undated = "v3",
  },

  -- ---- labels ----

  labels = { "GET", PAIR .. "labels", response = "page" },
  create_label = {
    "POST", PAIR .. "labels",
    body = "object",
    fields = { name = "string", label = "string", inverseLabel = "string?" },
    response = "page",
    repeatable = false, -- the second would be rejected, for the name of the first
    changes_labels = true,
  },
  update_label = {
    "PUT", PAIR .. "labels",
    body = "object",
    fields = { associationTypeId = "number", label = "string", inverseLabel = "string?" },
    response = "none",
    changes_labels = true,
  },
  delete_label = { "DELETE", PAIR .. "labels/{associationTypeId}", response = "none", changes_labels = true },

  -- ---- limits ----

  limits = { "GET", CONFIGURATIONS .. "all", response = "page" },
  limits_between = { "GET", CONFIGURATIONS .. "{fromObjectType}/{toObjectType}", response = "page" },
  create_limits = {
    "POST", CONFIGURATIONS .. "{fromObjectType}/{toObjectType}/batch/create",
    shape = "limit", response = "batch",
  },
  update_limits = {
    "POST", CONFIGURATIONS .. "{fromObjectType}/{toObjectType}/batch/update",
    shape = "limit", response = "batch",
  },
  delete_limits = {
    "POST", CONFIGURATIONS .. "{fromObjectType}/{toObjectType}/batch/purge",
    shape = "limit_type", response = "none",
  },
  records_near_limit = {
    "GET", "limits/associations/records/from",
    response = "page", undated = "v3",
  },
  records_near_limit_to = {
    "GET", "limits/associations/records/{fromObjectType}/to",
    response = "page", undated = "v3",
  },
  labels_near_limit = { "GET", "limits/associations/labels", response = "page", undated = "v3" },
  usage_report = { "POST", "associations/usage/high-usage-report/{userId}", response = "object" },

  -- ---- the account and the token ----

  account = { "GET", "/account-info/{version}/details", response = "object", undated = "v3" },
  token_info = {
    "POST", "/oauth/v2/private-apps/get/access-token-info", -- of private apps only
    body = "token", response = "object",
  },
}
