-- The endpoints: one row each, and nothing else knows an endpoint by name. Data only.

local PAIR = "associations/{fromObjectType}/{toObjectType}/"

---@class hubspot.associations.Endpoint
---@field [1] string the HTTP method
---@field [2] string the path behind `/crm/` and the version: its first part is the API's family, and the
---  names in braces are the method's arguments, in order (see path.lua)
---@field shape string how an input is written (see src/body_shape.c)
---@field most integer|nil how many inputs HubSpot takes in one request; a row that has it is a job's, too
---@field response "batch"|"page"|"object"|"none" how a response is read (see response.lua)
---@field result table<"from"|"to", string[]>|nil where a result has the ids of its input: field in field
---@field outcome string|nil the outcome of an input with which HubSpot did as it was asked

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
