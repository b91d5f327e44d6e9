-- The endpoints, one row each. Data only. Other files know none by name, but for `create`, which is the
-- default of `client:start` and of journals that name no endpoint.

local PAIR = "associations/{fromObjectType}/{toObjectType}/"

---@class hubspot.associations.Endpoint
---@field [1] string the HTTP method
---@field [2] string the path after `/crm/` and the version. Its first part is the API's family; the names in
---  braces are the method's arguments, in order (see path.lua)
---@field shape string how an input is written (see src/body_shape.c)
---@field most integer|nil how many inputs HubSpot accepts in one request; a row that has it also makes a job
---@field response "batch"|"page"|"object"|"none" how a response is read (see response.lua)
---@field result table<"from"|"to", string[]>|nil where a result has the ids of its input: a path of fields
---@field outcome string|nil the outcome of an input that succeeded

---@type table<string, hubspot.associations.Endpoint>
return {
  create = {
    "POST", PAIR .. "batch/create",
    shape = "association",
    most = 2000,
    response = "batch",
    result = { from = { "fromObjectId" }, to = { "toObjectId" } },
    outcome = "created",
  },
}
